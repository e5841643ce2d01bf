// What is not as in ws, each with a row in the table of docs/ecosystem.md: what ws does, and what millrace/ws does.
import { Buffer } from 'node:buffer'
import type { WebSocket } from 'ws'
import { BINARY, buildFrame, CONTINUATION, masked, TEXT } from '../support/frames.js'
import { differs, same } from './same.js'
import type { Stage } from './stage.js'

const key = Buffer.of(1, 2, 3, 4)
const three = Buffer.concat(['one', 'two', 'three'].map((text) => masked(TEXT, text)))

/** What is told of three messages that come in one segment, if the listener of the first does this. */
async function toldBehind(stage: Stage, act: (ws: WebSocket) => void): Promise<void> {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => {
    ws.once('message', () => act(ws))
    ws.on('message', (data) => stage.note(String(data)))
    ws.on('close', () => stage.note('close'))
  })
  const peer = await stage.connect(port)
  peer.write(three)
  await stage.noted('one')
  await stage.quiet()
}

differs('messages behind pause()', (stage) => toldBehind(stage, (ws) => ws.pause()), {
  ws: [['one'], ['two'], ['three']],
  millrace: [['one']],
})

differs('messages behind terminate()', (stage) => toldBehind(stage, (ws) => ws.terminate()), {
  ws: [['one'], ['two'], ['three'], ['close']],
  millrace: [['one'], ['close']],
})

differs(
  'the Buffers of fragments',
  async (stage) => {
    const { port, wss } = await stage.serve()
    wss.on('connection', (ws) => {
      ws.binaryType = 'fragments'
      ws.on('message', (data) => stage.note('message', ...(data as Buffer[]).map(String)))
    })
    const peer = await stage.connect(port)
    peer.write(Buffer.concat([masked(BINARY, 'in ', false), masked(CONTINUATION, 'two')]))
    await stage.noted('message')
  },
  { ws: [['message', 'in ', 'two']], millrace: [['message', 'in two']] },
)

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
