// Frames that are built once and sent to many: Sender.frame, and sendFrame of a connection's sender.
import { Buffer } from 'node:buffer'
import type { WebSocket } from 'ws'
import { same } from './same.js'
import type { Stage } from './stage.js'

type Frame = (data: unknown, options: Readonly<Record<string, unknown>>) => (Buffer | string)[]

const frame = (stage: Stage): Frame => Reflect.get(Reflect.get(stage.module, 'Sender'), 'frame')
/** As engine.io and socket.io-adapter ask. */
const TEXT = { readOnly: false, mask: false, rsv1: false, opcode: 1, fin: true }
const joined = (list: readonly (Buffer | string)[]): Buffer => Buffer.concat(list.map((part) => Buffer.from(part)))

for (const [name, data, options] of [
  ['a text', 'text', TEXT],
  ['an empty text', '', TEXT],
  ['a text of 200 characters', 'é'.repeat(200), TEXT],
  ['a text of 70,000 characters', 'é'.repeat(70_000), TEXT],
  ['bytes', Buffer.from('bytes'), { ...TEXT, opcode: 2 }],
  ['bytes that may not be changed', Buffer.alloc(200, 1), { ...TEXT, opcode: 2, readOnly: true }],
  ['100,000 bytes', Buffer.alloc(100_000, 2), { ...TEXT, opcode: 2 }],
  ['a ping', Buffer.from('p'), { ...TEXT, opcode: 9 }],
  ['a fragment', Buffer.from('f'), { ...TEXT, fin: false }],
  ['a compressed frame', Buffer.from('c'), { ...TEXT, rsv1: true }],
] as const) {
  same(`Sender.frame of ${name}`, async (stage) => {
    const list = frame(stage)(data, options)
    stage.note('frame', Array.isArray(list), joined(list))
    stage.note(
      'parts',
      list.every((part) => typeof part === 'string' || Buffer.isBuffer(part)),
    )
  })
}

same('sendFrame sends a list to many connections, and calls back', async (stage) => {
  const { port, wss } = await stage.serve()
  const sockets: WebSocket[] = []
  wss.on('connection', (ws) => sockets.push(ws))
  const peers = [await stage.connect(port), await stage.connect(port)]
  for (const peer of peers) await peer.response()
  await stage.until(() => sockets.length === 2, 'both')
  for (const size of [10, 1000, 100_000]) {
    const list = frame(stage)('x'.repeat(size), TEXT)
    for (const ws of sockets) {
      const sender = Reflect.get(ws, '_sender')
      sender.sendFrame(list, (error: unknown) => stage.note('sent', error ?? 'well'))
      stage.note('returned')
    }
  }
  for (const peer of peers) await stage.frames(peer, 3)
  await stage.noted(...new Array<string>(6).fill('sent'))
})

same('sendFrame between sends keeps the order, without a callback too', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.send('before')
  Reflect.get(ws, '_sender').sendFrame(frame(stage)('between', TEXT))
  ws.send('behind')
  await stage.frames(peer, 3)
  await stage.drop(peer)
})

same('lists that many are sent several times in one turn keep their place among the rest', async (stage) => {
  const { port, wss } = await stage.serve()
  const sockets: WebSocket[] = []
  wss.on('connection', (ws) => sockets.push(ws))
  const peers = [await stage.connect(port), await stage.connect(port), await stage.connect(port)]
  for (const peer of peers) await peer.response()
  await stage.until(() => sockets.length === 3, 'all')
  const one = frame(stage)('one', TEXT)
  const two = frame(stage)('two'.repeat(500), TEXT)
  const everybody = (list: readonly unknown[]): void => {
    for (const ws of sockets) Reflect.get(ws, '_sender').sendFrame(list, () => stage.note('sent'))
  }
  sockets[1]?.send('before')
  everybody(one)
  sockets[2]?.send('between')
  everybody(two)
  everybody(one)
  sockets[0]?.send('behind')
  for (const peer of peers) await stage.frames(peer, 4)
  await stage.noted(...new Array<string>(9).fill('sent'))
  everybody([Buffer.from([0x81, 3]), 'end'])
  for (const peer of peers) await stage.frames(peer, 5)
})

same('sendFrame when the connection is gone throws nothing', async (stage) => {
  const { peer, ws } = await stage.pair()
  await stage.drop(peer)
  stage.call('sendFrame', () =>
    Reflect.get(ws, '_sender').sendFrame(frame(stage)('late', TEXT), (error: unknown) =>
      stage.note('sent', error !== undefined),
    ),
  )
  await stage.noted('sent')
})
