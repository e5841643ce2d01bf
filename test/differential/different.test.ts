// What is not as in ws, each with a row in the table of docs/ecosystem.md: what ws does, and what millrace/ws does.
import { Buffer } from 'node:buffer'
import { BINARY, CONTINUATION, masked } from '../support/frames.js'
import { differs } from './same.js'

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
