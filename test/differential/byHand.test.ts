// What programs see that make a Sender or a Receiver by hand and look closely: each call of the stream that is written to, what
// waits, and the close code that an error has.
import { Buffer } from 'node:buffer'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

type Call = (...values: unknown[]) => void
type Sender = Record<'send' | 'ping' | 'pong' | 'close', Call> & { onerror: Call }

/** A target that notes what it is asked to do. */
function target(stage: Stage): Options {
  return {
    cork: () => stage.note('cork'),
    uncork: () => stage.note('uncork'),
    write: (bytes: unknown, callback?: () => void) => {
      stage.note('write', bytes)
      callback?.()
    },
  }
}

function sender(stage: Stage, extensions: Options = {}, over: Options = target(stage)): Sender {
  return Reflect.construct(Reflect.get(stage.module, 'Sender'), [over, extensions])
}

function deflate(stage: Stage, offer: Options = {}): Options {
  const extension = Reflect.construct(Reflect.get(stage.module, 'PerMessageDeflate'), [{ threshold: 3 }]) as {
    accept: Call
  }
  extension.accept([structuredClone(offer)])
  return { 'permessage-deflate': extension }
}

const WHOLE = { fin: true }
const DEFLATED = { fin: true, compress: true }

same('a Sender corks what has two parts, and leaves text to the stream', async (stage) => {
  const made = sender(stage)
  made.send('text', WHOLE)
  made.send('', WHOLE)
  made.send(Buffer.from('bytes'), { ...WHOLE, binary: true })
  made.ping('ping')
  made.pong(new Uint8Array(2))
})

for (const data of [undefined, 5, Symbol('a'), {}]) {
  same(`a Sender is given ${String(data)}`, async (stage) => {
    const made = sender(stage)
    for (const name of ['send', 'ping', 'pong'] as const) stage.call(name, () => made[name](data, {}))
  })
}

for (const offer of [{}, { client_no_context_takeover: [true] }]) {
  same(`a Sender compresses as it is told, with ${Object.keys(offer)[0] ?? 'a context'}`, async (stage) => {
    const made = sender(stage, deflate(stage, offer))
    const waits = (): void => stage.note('waits', Reflect.get(made, '_state'), Reflect.get(made, '_bufferedBytes'))
    made.send('hi', DEFLATED)
    made.send('again and again', DEFLATED)
    made.send('again ', { ...DEFLATED, fin: false })
    waits()
    made.send('and again', DEFLATED)
    made.send('plain', WHOLE)
    made.ping('p')
    made.close(1000)
    waits()
    await stage.until(() => Reflect.get(made, '_state') === 0, 'all is written')
    waits()
  })
}

same('a Sender masks what it compresses only where it is asked', async (stage) => {
  const made = sender(stage, deflate(stage), {
    ...target(stage),
    write: (bytes: Buffer) => stage.note('second', bytes[1]),
  })
  made.send('compressed', DEFLATED)
  await stage.noted('second')
})

same('a Sender whose stream is destroyed meanwhile tells those who wait', async (stage) => {
  const made = sender(stage, deflate(stage), { ...target(stage), destroyed: true })
  made.send('compressed', DEFLATED, (error: unknown) => stage.note('first', error))
  made.send('behind', WHOLE, (error: unknown) => stage.note('second', error))
  await stage.noted('first', 'second')
})

same('a Sender tells of a Blob that can not be read', async (stage) => {
  const made = sender(stage)
  const blob = new Blob(['abc'])
  blob.arrayBuffer = () => Promise.reject(new Error('gone'))
  made.onerror = (error) => stage.note('onerror', error)
  made.send(blob, WHOLE, (error: unknown) => stage.note('called', error))
  stage.note('waits', Reflect.get(made, '_state'), Reflect.get(made, '_bufferedBytes'))
  await delay(10)
})

const STATUS = 'Symbol(status-code)'

/** The close code that an error has. */
function statusOf(error: Error): unknown {
  const name = Object.getOwnPropertySymbols(error).find((symbol) => String(symbol) === STATUS)
  return name === undefined ? undefined : Reflect.get(error, name)
}

for (const [name, bytes, options] of [
  ['a reserved bit', 'a100', {}],
  ['a mask that is missing', '8100', { isServer: true }],
  ['text that is none', '8102c328', {}],
  ['an announced length', '8205', { maxPayload: 4 }],
  ['an announced length, before its key', '8285', { maxPayload: 4, isServer: true }],
  ['a long announced length, before its key', '82fe0100', { maxPayload: 20, isServer: true }],
  ['a length that can not be counted', '827f0020000000000000', {}],
  ['fragments', '010161000162', { maxFragments: 1 }],
  ['a close code', '880203ed', {}],
] as const) {
  same(`the error of a Receiver for ${name}`, async (stage) => {
    const receiver = Reflect.construct(Reflect.get(stage.module, 'Receiver'), [options]) as Writable
    receiver.on('error', (error: Error) => stage.note('error', error, statusOf(error)))
    receiver.write(Buffer.from(bytes, 'hex'))
    await delay(5)
    stage.note('over')
  })
}

same('a message that is announced too long fails before its key is there', async (stage) => {
  const { peer } = await stage.pair({ maxPayload: 20 })
  peer.write(Buffer.from([0x82, 0xfe, 1, 0]))
  await stage.noted('error')
  await stage.finish(peer)
})
