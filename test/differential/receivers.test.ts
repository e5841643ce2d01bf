// The Receiver of an open WebSocket: programs raise its limit once they know who has come, listen to it, and take its listeners away.
import { deflateRawSync } from 'node:zlib'
import type { WebSocket } from 'ws'
import { buildFrame, CLOSE, masked, PING, PONG, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Pair, Stage } from './stage.js'

/** What programs reach for, which the types of ws do not know. */
interface Reached {
  _maxPayload: number
  _binaryType: string
  readonly _extensions: Readonly<Record<string, { _maxPayload: number }>>
  on(event: string, listener: (...values: unknown[]) => void): void
  emit(event: string, ...values: unknown[]): boolean
  write(bytes: Uint8Array): boolean
  listenerCount(event: string): number
  removeAllListeners(event?: string): void
}

function receiverOf(ws: WebSocket): Reached {
  return Reflect.get(ws, '_receiver') as Reached
}

const EVENTS = ['message', 'ping', 'pong', 'conclude', 'error']
const KEY = Uint8Array.of(1, 2, 3, 4)
const DEFLATE = ['Sec-WebSocket-Extensions: permessage-deflate']

/** Tells what a peer's frames come to once `reach` has had the Receiver: a short text, and what is behind it. */
function reached(
  name: string,
  reach: (receiver: Reached, pair: Pair, stage: Stage) => void,
  frames: readonly Uint8Array[] = [],
  options: Readonly<Record<string, unknown>> = {},
): void {
  same(name, async (stage) => {
    const pair = await stage.pair(options)
    reach(receiverOf(pair.ws), pair, stage)
    pair.peer.write(Buffer.concat([masked(TEXT, 'hello'), ...frames]))
    await stage.quiet()
    await stage.drop(pair.peer)
    stage.wire(pair.peer)
  })
}

for (const [most, later] of [
  [3, 5],
  [3, 0],
  [0, 3],
  [100, 4],
  [4, 100],
  [4, Infinity],
  [4, -1],
  [4, Number.NaN],
  [4, 2 ** 32],
  [4, 2 ** 64],
]) {
  reached(
    `maxPayload ${most} becomes ${later}`,
    (receiver) => {
      receiver._maxPayload = later ?? 0
    },
    [],
    { maxPayload: most },
  )
}

reached(
  'maxPayload is raised by the listener of a message, for what was read behind it',
  (receiver, { ws }) =>
    ws.once('message', () => {
      receiver._maxPayload = 1000
    }),
  [masked(TEXT, 'a'.repeat(1000)), masked(TEXT, 'b'.repeat(1001))],
  { maxPayload: 5 },
)

for (const [what, first, rest] of [
  ['a frame', masked(TEXT, 'a'.repeat(100)).subarray(0, 50), masked(TEXT, 'a'.repeat(100)).subarray(50)],
  ['a fragment', buildFrame({ opcode: TEXT, fin: false, payload: Buffer.alloc(100), key: KEY }), masked(0, '')],
] as const) {
  same(`maxPayload falls below ${what} that has begun, and holds behind it`, async (stage) => {
    const { ws, peer } = await stage.pair({ maxPayload: 1000 })
    peer.write(first)
    await stage.quiet()
    receiverOf(ws)._maxPayload = 5
    peer.write(rest)
    await stage.noted('message')
    peer.write(masked(TEXT, '12345'))
    await stage.noted('message', 'message')
    peer.write(masked(TEXT, '123456'))
    await stage.noted('error')
    await stage.drop(peer)
  })
}

for (const takesOver of [true, false]) {
  same(`maxPayload is raised behind compressed messages, takeover ${takesOver}`, async (stage) => {
    const options = { clientNoContextTakeover: !takesOver }
    const { ws, peer } = await stage.pair({ maxPayload: 100, perMessageDeflate: options }, DEFLATE)
    const say = (length: number): void => {
      const payload = deflateRawSync('a'.repeat(length), { finishFlush: 2 }).subarray(0, -4)
      peer.write(buildFrame({ opcode: TEXT, reserved: 4, payload, key: KEY }))
    }
    say(100)
    await stage.noted('message')
    const receiver = receiverOf(ws)
    // ws looks at both.
    for (const limited of [receiver, ...Object.values(receiver._extensions)]) limited._maxPayload = 100_000
    say(100_000)
    await stage.noted('message', 'message')
    receiver._maxPayload = 50
    say(50)
    await stage.noted('message', 'message', 'message')
    say(51)
    await stage.noted('error')
    await stage.drop(peer)
  })
}

const ALL = [masked(PING, 'a'), masked(PONG, 'b'), masked(CLOSE, Buffer.from('03e8', 'hex'))]

reached(
  'whoever listens to it is told behind the WebSocket',
  (receiver, _, stage) => {
    for (const event of EVENTS) receiver.on(event, (...values) => stage.note(`receiver: ${event}`, ...values))
    for (const event of EVENTS) stage.note('listeners', receiver.listenerCount(event))
  },
  ALL,
)

reached(
  'whoever listens to it is told of an error',
  (receiver, _, stage) => receiver.on('error', (error) => stage.note('receiver: error', error)),
  [masked(3, '')],
)

for (const event of ['message', 'ping', 'pong']) {
  reached(`nothing listens to its ${event}`, (receiver) => receiver.removeAllListeners(event), ALL)
}

reached('another listens in the place of its own', (receiver, { ws }, stage) => {
  receiver.removeAllListeners('message')
  receiver.on('message', (data) => {
    stage.note('mine', data)
    ws.send('answer')
  })
})

reached('its events are emitted by hand', (receiver) => {
  receiver.emit('message', Buffer.from('mine'), false)
  receiver.emit('ping', Buffer.from('p'))
  receiver.emit('pong', Buffer.from('q'))
})

reached('it is written to by hand', (receiver) => {
  receiver.write(masked(TEXT, 'mine'))
})

reached('its binaryType', (receiver, { ws }, stage) => {
  stage.note('before', receiver._binaryType)
  ws.binaryType = 'arraybuffer'
  stage.note('after', receiver._binaryType)
})

same('what was agreed on is its own as well', async (stage) => {
  const { ws, peer } = await stage.pair({ maxPayload: 20_480, perMessageDeflate: true }, DEFLATE)
  const own = receiverOf(ws)._extensions['permessage-deflate']
  const { 'permessage-deflate': other } = Reflect.get(ws, '_extensions') as Reached['_extensions']
  stage.note('extensions', own?._maxPayload, own === other)
  await stage.drop(peer)
})
