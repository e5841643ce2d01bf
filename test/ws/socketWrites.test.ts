// What a program writes to the socket of a WebSocket by itself, amid what it sends: no frame is cut by it, all of it is in
// order, and a TLS handle is not given two writes at a time, which would abort the process.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectSecurely } from 'node:tls'
import type { WebSocket } from 'ws'
import { cert, key } from '../support/certificate.js'
import { readFrames } from '../support/frames.js'
import { head, portOf, same } from './serverEngines.js'

const MANY = 12

for (const secure of [false, true]) {
  for (const late of [false, true]) {
    same(`${secure ? 'over TLS, ' : ''}a peer that reads ${late ? 'late' : 'at once'}`, async ({ Server }) => {
      const http = secure ? createSecureServer({ cert, key }) : createServer()
      const server = new Server({ server: http })
      http.listen(0, '127.0.0.1')
      const reach = { port: await portOf(http), host: '127.0.0.1', rejectUnauthorized: false }
      const opened = once(server, 'connection') as Promise<[WebSocket, { socket: NodeJS.WritableStream }]>
      const client = secure ? connectSecurely(reach) : connect(reach)
      client.write(head())
      const [ws, { socket }] = await opened
      for (let number = 0; number < MANY; number++) {
        ws.send(Buffer.alloc(number % 3 === 0 ? 1_000_000 : 10))
        socket.write(Buffer.of(0x82, 1, number))
        if (number % 4 === 3) await sleep(5)
      }
      ws.send('last')
      socket.end()
      if (late) await sleep(50)
      const chunks: Buffer[] = []
      for await (const chunk of client) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      const { frames } = readFrames(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4))
      assert.equal(frames.length, 2 * MANY + 1)
      server.close()
      http.close()
      return frames.map(({ payload }) => (payload.length === 1 ? payload[0] : `${payload.length} bytes`))
    })
  }
}
