// What is told of the rest of a read once a listener has paused or ended the connection, and which lengths are taken.
import { Buffer } from 'node:buffer'
import { deflateRawSync } from 'node:zlib'
import type { WebSocket } from 'ws'
import { BINARY, buildFrame, CONTINUATION, close, masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

const key = Buffer.of(1, 2, 3, 4)
const text = (data: string): Buffer => masked(TEXT, data)
const deflated = (data: string): Buffer =>
  buildFrame({ opcode: TEXT, key, reserved: 4, payload: deflateRawSync(data, { finishFlush: 2 }).subarray(0, -4) })
const RESTS: Readonly<Record<string, Buffer>> = {
  'two messages': Buffer.concat([text('two'), text('three')]),
  'fragments and a ping': Buffer.concat([masked(TEXT, 'in ', false), masked(PING, 'p'), masked(CONTINUATION, 'two')]),
  'a Close': Buffer.concat([text('two'), close(4001, 'bye'), text('three')]),
  'a mistake': Buffer.concat([text('two'), masked(BINARY, 'x', false), text('three'), text('four')]),
  'text that is no UTF-8': Buffer.concat([masked(TEXT, Buffer.of(0xff)), text('three')]),
  'a message of 10,000 bytes': Buffer.concat([text('x'.repeat(10_000)), text('three')]),
  'half a message': text('two').subarray(0, 7),
}
const ACTS: Readonly<Record<string, (ws: WebSocket) => void>> = {
  'pause()': (ws) => ws.pause(),
  'pause() and resume()': (ws) => {
    ws.pause()
    ws.resume()
  },
  'terminate()': (ws) => ws.terminate(),
  'pause() and terminate()': (ws) => {
    ws.pause()
    ws.terminate()
  },
  'terminate() and pause()': (ws) => {
    ws.terminate()
    ws.pause()
  },
  'close()': (ws) => ws.close(4000),
  'an exception': () => undefined,
}

/** Notes what is told of `bytes`, which come in one segment, if the listener of the first message does this. */
async function told(stage: Stage, act: (ws: WebSocket) => void, bytes: Buffer, options: Options = {}): Promise<void> {
  const { peer, ws } = await stage.pair(options, ['Sec-WebSocket-Extensions: permessage-deflate'])
  ws.once('message', () => {
    act(ws)
    // ws inflates in turns of their own.
    if (options['perMessageDeflate'] === undefined) stage.turns('acted')
  })
  peer.write(bytes)
  await stage.noted('message')
  await stage.quiet()
  stage.note('then', ws.readyState, ws.isPaused)
  ws.resume()
  await stage.quiet()
  peer.socket.destroy()
  await stage.noted('close')
}

for (const [act, does] of Object.entries(ACTS)) {
  for (const [name, rest] of Object.entries(RESTS)) {
    same(`${act} in a listener, with ${name} behind it`, (stage) =>
      told(stage, does, Buffer.concat([text('one'), rest])),
    )
  }
}

for (const act of ['pause()', 'terminate()'] as const) {
  const does = ACTS[act] ?? (() => undefined)
  same(`${act} in a listener, with compressed messages behind it`, (stage) =>
    told(stage, does, Buffer.concat(['one', 'two', 'three'].map(deflated)), { perMessageDeflate: true }),
  )
  same(`${act} in a listener, without allowSynchronousEvents`, (stage) =>
    told(stage, does, Buffer.concat(['one', 'two', 'three'].map(text)), { allowSynchronousEvents: false }),
  )
}

same('what comes after the read of a pause() waits for resume(), and a pause() then waits again', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('message', () => ws.pause())
  peer.write(Buffer.concat([text('one'), text('two')]))
  await stage.noted('message', 'message')
  peer.write(text('three'))
  await stage.quiet()
  stage.note('resume')
  ws.resume()
  await stage.noted('message', 'message', 'message')
  peer.write(text('four'))
  await stage.quiet()
  stage.note('resume')
  ws.resume()
  await stage.noted('message', 'message', 'message', 'message')
  ws.resume()
  await stage.drop(peer)
})

/** The events and the Close that a frame has for an answer; 0 is none. */
async function answered(stage: Stage, frame: Buffer): Promise<void> {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => {
    ws.on('message', (data) => stage.note('message', data))
    ws.on('error', ({ code }: NodeJS.ErrnoException) => stage.note('error', code))
    ws.on('message', () => ws.close(4000))
  })
  const peer = await stage.connect(port)
  peer.write(frame)
  const [close] = await peer.frames(1)
  stage.note('close', close?.payload.readUInt16BE(0))
}

same('a length with its top bit set', (stage) =>
  answered(stage, buildFrame({ opcode: BINARY, key, form: 64, announced: 2n ** 63n })),
)

for (const form of [16, 64] as const) {
  same(`a length that is longer than it has to be, of ${form} bits`, (stage) =>
    answered(stage, buildFrame({ opcode: TEXT, payload: Buffer.from('x'), key, form })),
  )
}
