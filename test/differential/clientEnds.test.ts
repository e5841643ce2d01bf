// How a client ends whose server does not: it ends its own half when it has said its last word, and does not wait for the server.
import { Buffer } from 'node:buffer'
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { buildFrame, CLOSE } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

/** A client whose server sends these frames and nothing else; `act` is what the client does when it is open. */
async function ended(stage: Stage, frames: Buffer, act: (ws: InstanceType<Stage['module']['WebSocket']>) => void) {
  const http = createServer()
  http.on('upgrade', ({ headers }, socket: Duplex) => {
    const accept = acceptKey(headers['sec-websocket-key'] ?? '')
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.write(`${lines.join('\r\n')}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
    socket.write(frames)
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end()).resume()
  })
  const { port } = await stage.listen(http)
  const ws = new stage.module.WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
  stage.watch(ws)
  ws.on('open', () => act(ws))
  await stage.noted('close')
  stage.note('clean', Reflect.get(ws, '_closeFrameSent'))
}

const closes = buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 232) })
const wrong = buildFrame({ opcode: 3 })
const nothing = (): void => undefined

same('a client whose server says Close, and does not end', (stage) => ended(stage, closes, nothing))
same('a client whose server breaks a rule, and does not end', (stage) => ended(stage, wrong, nothing))
same('a client that has said Close before its server breaks a rule', (stage) =>
  ended(stage, wrong, (ws) => ws.close(3001)),
)
same('a client that has said Close, as its server then does', (stage) => ended(stage, closes, (ws) => ws.close(3001)))

for (const name of ['pause', 'resume'] as const) {
  same(`a client whose opening handshake has failed can't ${name}`, async (stage) => {
    const ws = stage.watch(new stage.module.WebSocket('ws://127.0.0.1:9'))
    ws.on('error', () => {
      stage.call(name, () => ws[name]())
      stage.note('paused', ws.isPaused)
    })
    ws.terminate()
    await stage.noted('close')
    stage.call('later', () => ws[name]())
  })
}
