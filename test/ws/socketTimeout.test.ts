// The time of a socket (`setTimeout`), whose bytes pass it by: it ends when there have been none for so long, and not before.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectSecurely } from 'node:tls'
import type { WebSocket } from 'ws'
import { cert, key } from '../support/certificate.js'
import { masked, TEXT } from '../support/frames.js'
import { end, head, portOf, same } from './serverEngines.js'

const TIME = 400
const PLACES = ['port', 'server', 'TLS', 'the socket below TLS'] as const

/** What happens meanwhile on the connection, in less than the time of the socket each. */
const TRAFFIC: Readonly<Record<string, (ws: WebSocket, client: Socket) => void>> = {
  'the client sends': (_, client) => client.write(masked(TEXT, 'a')),
  'the server sends': (ws) => ws.send('a'),
  'the server sends much': (ws) => ws.send(Buffer.alloc(100_000)),
}

for (const place of PLACES) {
  describe(`over ${place}`, { concurrency: true }, () => {
    for (const [name, act] of Object.entries(TRAFFIC)) {
      same(name, async ({ Server }) => {
        const secure = place === 'TLS' || place === 'the socket below TLS'
        const http = secure ? createSecureServer({ cert, key }) : createServer()
        const server = place === 'port' ? new Server({ port: 0, host: '127.0.0.1' }) : new Server({ server: http })
        if (place !== 'port') http.listen(0, '127.0.0.1')
        const port = await portOf(place === 'port' ? server : http)
        const opened = once(server, 'connection') as Promise<[WebSocket, { socket: Socket }]>
        const reach = { port, host: '127.0.0.1', rejectUnauthorized: false }
        const below = once(http, 'connection') as Promise<[Socket]>
        const client = secure ? connectSecurely(reach) : connect(reach)
        client.resume().write(head())
        const [ws, request] = await opened
        const [socket] = place === 'the socket below TLS' ? await below : [request.socket]
        let ended = 0
        socket.setTimeout(TIME, () => ended++)
        for (let time = 0; time < 6; time++) {
          await sleep(TIME / 4)
          act(ws, client)
        }
        const before = ended
        if (ended === 0) await once(socket, 'timeout')
        client.destroy()
        await end(server)
        http.close()
        return [before, ended, socket.timeout]
      })
    }
  })
}
