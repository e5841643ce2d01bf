// createWebSocketStream, with each option that a program may give: what is written, read and ended, and in which turns.
import { Buffer } from 'node:buffer'
import { type Duplex, type DuplexOptions, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { close, masked, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Pair, Stage } from './stage.js'

const EVENTS = ['data', 'end', 'error', 'close', 'finish', 'drain', 'prefinish'] as const

/** What is done with a stream over one connection; then the peer is gone. */
type Deed = (stage: Stage, stream: Duplex, pair: Pair) => Promise<unknown> | undefined

function stream(name: string, options: DuplexOptions, deed: Deed, reads = true): void {
  same(name, async (stage) => {
    const pair = await stage.pair()
    const { ws, peer } = pair
    const duplex = stage.module.createWebSocketStream(ws, options)
    for (const event of EVENTS) {
      if (event === 'data' && !reads) continue
      duplex.on(event, (...values: unknown[]) => stage.note(`stream ${event}`, ...values, duplex.destroyed))
    }
    await deed(stage, duplex, pair)
    await stage.quiet(20)
    stage.wire(peer)
    await peer.destroy()
    await stage.quiet(10)
    const { destroyed, closed, readableEnded, writableFinished } = duplex
    stage.note('at last', destroyed, closed, readableEnded, writableFinished, ws.readyState)
  })
}

/** The peer says Close, and ends. */
async function leave({ peer }: Pair): Promise<void> {
  peer.write(close(1000))
  await delay(10)
  peer.socket.end()
  await delay(10)
}

const OPTIONS: readonly DuplexOptions[] = [
  {},
  { decodeStrings: false },
  { objectMode: true },
  { readableObjectMode: true },
  { writableObjectMode: true },
  { encoding: 'utf8' },
  { allowHalfOpen: false },
  { defaultEncoding: 'hex' },
  { emitClose: true, autoDestroy: true },
  { highWaterMark: 3 },
  { readableHighWaterMark: 3, writableHighWaterMark: 1 },
]

for (const options of OPTIONS) {
  const shown = JSON.stringify(options)
  stream(`a stream of ${shown} is written to`, options, async (stage, duplex) => {
    for (const chunk of ['abcd', Buffer.from('abcd'), new Uint8Array([1, 2]), '']) {
      stage.call('write', () => duplex.write(chunk, (error) => stage.note('written', error)))
    }
    stage.call('hex', () => duplex.write('6162', 'hex'))
    duplex.cork()
    duplex.write('one')
    duplex.write('two')
    stage.note('corked', duplex.writableLength)
    duplex.uncork()
    stage.turns('turn')
    await delay(10)
  })
  stream(`a stream of ${shown} is read`, options, async (_stage, _duplex, pair) => {
    pair.peer.write(Buffer.concat([masked(TEXT, 'text'), masked(2, 'bytes'), masked(TEXT, ''), masked(TEXT, 'é')]))
    await delay(10)
    await leave(pair)
  })
  stream(`a stream of ${shown} is ended`, options, async (stage, duplex, pair) => {
    duplex.end('last', () => stage.note('ended'))
    stage.note('state', pair.ws.readyState)
    await delay(10)
    await leave(pair)
  })
  stream(`a stream of ${shown} is destroyed`, options, async (stage, duplex, { ws }) => {
    duplex.destroy()
    stage.note('state', ws.readyState, duplex.destroyed)
    stage.turns('turn')
    await delay(10)
  })
}

for (const reads of [true, false]) {
  const name = `a stream that ${reads ? 'is read' : 'nobody reads'} is ended after its connection has closed`
  const deed: Deed = async (stage, duplex, pair) => {
    await leave(pair)
    duplex.end(() => stage.note('ended'))
    stage.turns('turn')
    await delay(10)
    duplex.resume()
  }
  stream(name, {}, deed, reads)
}

stream('a stream is written to after its connection has closed', {}, async (stage, duplex, pair) => {
  await leave(pair)
  duplex.write('late', (error) => stage.note('written', error))
})
stream('a stream is destroyed twice, with errors', {}, async (_stage, duplex) => {
  duplex.destroy(new Error('first'))
  duplex.destroy(new Error('second'))
})
stream('a stream is destroyed once it is ended', {}, async (stage, duplex) => {
  duplex.end()
  duplex.destroy()
  stage.turns('turn')
  await delay(10)
})
stream('a stream whose peer breaks a rule', {}, async (_stage, _duplex, { peer }) => {
  peer.write(masked(3))
  await delay(10)
})
stream('a stream whose peer half-closes, and that is written to', {}, async (stage, duplex, { peer }) => {
  peer.socket.end()
  await delay(10)
  duplex.write('x', (error) => stage.note('written', error))
})
stream('a stream whose WebSocket is terminated behind a write', {}, async (stage, duplex, { ws }) => {
  duplex.write('x', (error) => stage.note('written', error))
  ws.terminate()
  duplex.write('y', (error) => stage.note('written', error))
  await delay(10)
})
stream('a stream that a pipeline writes to', {}, async (stage, duplex, pair) => {
  const piped = pipeline(Readable.from(['a', 'b', 'c']), duplex).then(
    () => stage.note('piped'),
    (error) => stage.note('piped', error),
  )
  await delay(10)
  await leave(pair)
  await piped
})

same('how a stream reads and writes is not for its options to say', async (stage) => {
  const { ws, peer } = await stage.pair()
  const own = (name: string) => (): void => stage.note(`own ${name}`)
  const functions = { read: own('read'), write: own('write'), final: own('final'), destroy: own('destroy') }
  const duplex = stage.module.createWebSocketStream(ws, functions)
  duplex.on('data', (data) => stage.note('data', data))
  duplex.write('out')
  peer.write(masked(TEXT, 'in'))
  await stage.frames(peer, 1)
  await stage.noted('data')
  duplex.end()
  await stage.frames(peer, 2)
  await stage.drop(peer)
})

same('a stream that is destroyed while writes wait', async (stage) => {
  const { ws, peer } = await stage.pair()
  const duplex = stage.module.createWebSocketStream(ws)
  duplex.on('close', () => stage.note('stream close'))
  peer.socket.pause()
  for (const name of ['a', 'b', 'c']) {
    duplex.write(Buffer.alloc(16 * 1024 * 1024), (error) => stage.note('written', name, error))
  }
  await delay(20)
  duplex.destroy()
  await stage.noted('stream close', 'close')
})
