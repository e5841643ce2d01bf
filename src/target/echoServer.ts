// The benchmark and load-test server: echoes every message on every path, and shows a page to try it by hand.

import type { ServerLimits } from '../server/options.js'
import { createServer, type Server } from '../server/server.js'
import { page } from './page.js'

/** An echo server with these limits; `GET /` answers with the page. */
export function createEchoServer(limits: Partial<ServerLimits> = {}): Server {
  return createServer({
    ...limits,
    message(connection, message) {
      connection.send(message)
    },
    request(request, response) {
      if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, { Allow: 'GET, HEAD' }).end()
      else if (request.url !== '/') response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not found\n')
      else response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page)
    },
  })
}
