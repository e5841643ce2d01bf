// What a program is told of its own mistakes: a status that has no name, a callback that is no function, a window that is none.
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { buildFrame, TEXT } from '../support/frames.js'
import { same } from './same.js'

const KEY = Uint8Array.of(1, 2, 3, 4)

for (const values of [
  [999],
  [0],
  [99],
  ['abc'],
  ['404'],
  [200, ''],
  [999, 'mine'],
  [404, {}],
  [404, ['a', 'b']],
  [404, 'text', null],
  [404, 'text', { 'Content-Length': 3, X: undefined, Y: null, Z: ['a', 'b'] }],
]) {
  same(`verifyClient refuses by ${JSON.stringify(values)}`, async (stage) => {
    const { port, wss } = await stage.serve({
      verifyClient: ({ req }: { req: { socket: NodeJS.EventEmitter } }, answer: (...all: unknown[]) => void) => {
        req.socket.on('close', (hadError) => stage.note('socket close', hadError))
        stage.call('answer', () => answer(false, ...values))
      },
    })
    wss.on('connection', () => stage.note('connection'))
    const peer = await stage.connect(port)
    await delay(30)
    stage.wire(peer)
  })
}

for (const callback of [5, 'x', {}, true, [], 0, '', null, 'utf8', ['utf8']]) {
  const name = JSON.stringify(callback)
  for (const [how, send] of Object.entries<(ws: WebSocket, given: never) => void>({
    send: (ws, given) => ws.send('hi', {}, given),
    'send without options': (ws, given) => (ws.send as (...all: unknown[]) => void)('hi', undefined, given),
    ping: (ws, given) => ws.ping('x', undefined, given),
    pong: (ws, given) => ws.pong('x', false, given),
  })) {
    same(`the callback of ${how} is ${name}`, async (stage) => {
      const { ws, peer } = await stage.pair()
      stage.turns('turn')
      stage.call('call', () => send(ws, callback as never))
      await delay(10)
      stage.note('state', ws.readyState)
      stage.wire(peer)
    })
  }
  same(`the callback of send is ${name} after close`, async (stage) => {
    const { ws } = await stage.pair()
    ws.close()
    stage.call('call', () => ws.send('hi', {}, callback as never))
    stage.note('buffered', ws.bufferedAmount)
  })
}

const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; client_max_window_bits=15; server_max_window_bits=15',
]
for (const value of [99, 7, 0, Number.NaN, 10, false, true, null, '10']) {
  for (const offer of OFFERS) {
    same(`clientMaxWindowBits is ${JSON.stringify(value)} for ${offer}`, async (stage) => {
      const { port, wss } = await stage.serve({ perMessageDeflate: { clientMaxWindowBits: value } })
      wss.on('connection', (ws) => {
        const { params } = Reflect.get(ws, '_extensions')['permessage-deflate'] ?? {}
        stage.note('agreed', ws.extensions, params)
        ws.on('message', (data) => stage.note('message', data))
      })
      const peer = await stage.connect(port, [`Sec-WebSocket-Extensions: ${offer}`])
      await peer.until(() => peer.text.includes('\r\n\r\n'), 'the answer')
      peer.write(buildFrame({ opcode: TEXT, payload: 'plain', key: KEY }))
      await delay(10)
      stage.wire(peer)
    })
  }
}
