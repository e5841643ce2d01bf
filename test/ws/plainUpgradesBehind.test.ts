// Upgrades that come behind requests of the web on their connection, or over a Unix socket, on a server of node:http's.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { masked, TEXT } from '../support/frames.js'
import { end, head, same } from './serverEngines.js'

const WEB = 'GET /web HTTP/1.1\r\nHost: a\r\n\r\n'

/** What a client writes, a piece at a time. */
const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  'an upgrade alone': [head()],
  'an upgrade behind requests that were answered': [WEB, WEB, head()],
  'requests and an upgrade at once': [`${WEB}${WEB}${head()}`],
  'an upgrade that begins with the end of a request': [`${WEB}${head().slice(0, 30)}`, head().slice(30)],
  'an upgrade behind blank lines': [`\r\n\r\n${head()}`],
}

const sockets = { place: 0 }

function placeOf(kind: string): string | number {
  if (kind === 'TCP' || process.platform === 'win32') return 0
  sockets.place++
  return join(tmpdir(), `millrace-plain-${process.pid}-${sockets.place}.sock`)
}

for (const kind of ['TCP', 'Unix socket']) {
  describe(`over a ${kind}`, () => {
    for (const [name, pieces] of Object.entries(CLIENTS)) {
      same(name, async ({ Server }) => {
        const said: unknown[] = []
        const http = createServer((request, response) => {
          said.push(request.url)
          response.writeHead(200, { 'Content-Length': 2 }).end('ok')
        })
        const server = new Server({ server: http })
        server.on('connection', (ws, { socket }) => {
          said.push([socket.remoteAddress, socket.remoteFamily, socket.setNoDelay() === socket])
          ws.on('message', (data) => ws.send(data))
          ws.on('close', (code) => said.push(code))
        })
        const place = placeOf(kind)
        if (typeof place === 'number') http.listen(place, '127.0.0.1')
        else http.listen(place)
        await once(http, 'listening')
        const address = http.address()
        const client = typeof address === 'string' ? connect(address) : connect(address?.port ?? 0, '127.0.0.1')
        let text = ''
        client.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1')
        })
        for (const piece of pieces) {
          client.write(piece)
          await sleep(20)
        }
        client.write(masked(TEXT, 'hello'))
        while (!text.endsWith('hello')) await sleep(2)
        const count = await new Promise((resolve) => http.getConnections((_error, found) => resolve(found)))
        client.end()
        await once(client, 'close')
        await end(server)
        http.close()
        return [said, text.replaceAll(/^Date: .*\r\n/gm, ''), count]
      })
    }
  })
}
