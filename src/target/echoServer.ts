// The benchmark and load-test server: echoes every message on every path, and shows a page to try it by hand. On a path
// below /topics, everybody who is connected there gets the message.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from '../cluster/server.js'
import { defaultLimits, type Route, route, type ServerLimits } from '../server/options.js'
import type { Broker } from '../topics/broker.js'
import { MAX_TOPIC_BYTES } from '../topics/broker.js'
import { page, pageHeaders } from './page/page.js'

/** What an echo server may be given besides limits. */
interface EchoOptions {
  readonly broker?: Broker | undefined
  readonly deflate?: boolean | undefined
}

/**
 * An echo server with these limits; `GET /` answers with the page. What is sent to `/topics/name` comes back to everybody
 * there, wherever the broker reaches.
 */
export function createEchoServer(
  limits: Partial<ServerLimits> = {},
  { broker, deflate = false }: EchoOptions = {},
): Server {
  const { maxConnections = defaultLimits.maxConnections } = limits
  const server: Server = createServer({
    maxConnectionsPerAddress: maxConnections, // all of the load comes from one machine
    ...limits,
    deflate,
    ...(broker === undefined ? {} : { broker }),
    message(connection, message) {
      connection.send(message)
    },
    routes: { '/topics/:topic': topics(() => server) },
    request: answer,
  })
  return server
}

function topics(server: () => Server): Route {
  return route<string>({
    upgrade({ params: { topic = '' } }) {
      if (Buffer.byteLength(topic) > MAX_TOPIC_BYTES) return { status: 414, body: 'the name of the topic is too long' }
      return { data: topic }
    },
    open(connection) {
      connection.subscribe(connection.data)
    },
    message(connection, message) {
      server().publish(connection.data, message)
    },
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
