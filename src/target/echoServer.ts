// The benchmark and load-test server: echoes every message on every path, and shows a page to try it by hand.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ClusterServer, createServer } from '../cluster/server.js'
import type { ServerLimits } from '../server/options.js'
import { page, pageHeaders } from './page.js'

/** An echo server with these limits; `GET /` answers with the page. */
export function createEchoServer(limits: Partial<ServerLimits> = {}): ClusterServer {
  return createServer({
    ...limits,
    message(connection, message) {
      connection.send(message)
    },
    request: answer,
  })
}

/** Plain HTTP: the page, and nothing else. */
function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  if (method !== 'GET' && method !== 'HEAD') say(response, 405, 'Method not allowed\n', { Allow: 'GET, HEAD' })
  else if (/^\/(\?|$)/.test(url)) response.writeHead(200, pageHeaders).end(page)
  else say(response, 404, 'Not found: the page is at /, and WebSockets are welcome on every path\n')
}

function say(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  const length = Buffer.byteLength(text)
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': length, ...headers }).end(text)
}
