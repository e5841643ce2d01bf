// What is not as in ws, each with a row in the table of docs/ecosystem.md: what ws does, and what millrace/ws does.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import { buildFrame, TEXT } from '../support/frames.js'
import { differs } from './same.js'

differs(
  'a `write` of the program’s own in the place of that of `_socket`',
  async (stage) => {
    const { ws, peer } = await stage.pair()
    const socket = Reflect.get(ws, '_socket') as Socket
    const given: number[] = []
    const { write } = socket
    socket.write = (chunk: Uint8Array) => {
      given.push(chunk.length)
      return Reflect.apply(write, socket, [chunk])
    }
    ws.send('abc')
    socket.write(Buffer.from('820161', 'hex'))
    await peer.frames(2)
    stage.note('given', given)
  },
  { ws: [['given', [2, 3, 3]]], millrace: [['given', [3]]] },
)

differs(
  'a compressed message that is cut off within a block',
  async (stage) => {
    const { port, wss } = await stage.serve({ perMessageDeflate: true })
    wss.on('connection', (ws) => {
      ws.on('message', (data) => stage.note('message', String(data)))
      ws.on('error', (error) => stage.note('error', error))
    })
    const peer = await stage.connect(port, ['Sec-WebSocket-Extensions: permessage-deflate'])
    const payload = deflateRawSync('hello').subarray(0, 5)
    const key = Uint8Array.of(1, 2, 3, 4)
    peer.write(buildFrame({ opcode: TEXT, reserved: 4, payload, key }))
    await stage.until(() => stage.log.length > 0, 'a note')
  },
  {
    ws: [['message', 'hellh']],
    millrace: [['error', 'Error Z_DATA_ERROR unexpected end of file']],
  },
)
