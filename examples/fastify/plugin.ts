// A Fastify plugin: `app.websocket(url, handlers, options)` adds a route whose upgrades go through Fastify's hooks and validation
// as a GET does, and are then served by millrace. Needs `npm install fastify`.
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { createServer, type Handlers, ProtocolViolation, type Server, type ServerOptions } from 'millrace'

/** A connection's `data`: the request with all that hooks have put on it, and the handlers of the route. */
export interface Upgraded {
  readonly request: FastifyRequest
  readonly handlers: RouteHandlers
}

export type RouteHandlers = Pick<
  Handlers<Upgraded>,
  'open' | 'message' | 'drain' | 'ping' | 'pong' | 'close' | 'error'
> & {
  /** Chooses one of the subprotocols that the client offers, or none. */
  protocol?(request: FastifyRequest, offered: readonly string[]): string | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Adds a route for WebSockets. */
    websocket(url: string, handlers: RouteHandlers, options?: RouteShorthandOptions): void
    /** The server, for `publish`, `connections` and so on. Fastify closes it. */
    readonly websockets: Server<Upgraded>
  }
}

interface Upgrade {
  readonly socket: Socket
  readonly head: Buffer
  readonly response: ServerResponse
}

/** Headers that belong to the handshake, or to a body. */
const HANDSHAKE = /^(?:connection|upgrade|sec-websocket-.*|content-.*|transfer-encoding)$/i

/** The plugin; its options are those of millrace: limits, `deflate`, `origins` and so on. */
export async function millrace(app: FastifyInstance, options: Partial<ServerOptions<Upgraded>>): Promise<void> {
  const upgrades = new WeakMap<IncomingMessage, Upgrade>()
  const server = createServer<Upgraded>({ ...options, ...handlers })

  const handler = async (request: FastifyRequest, reply: FastifyReply, route: RouteHandlers): Promise<void> => {
    const upgrade = upgrades.get(request.raw)
    if (upgrade === undefined) return reply.code(426).header('upgrade', 'websocket').send('this is a WebSocket')
    const { socket, head, response } = upgrade
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    const protocol = route.protocol?.(request, offered)
    reply.hijack()
    response.detachSocket(socket)
    const answer = { data: { request, handlers: route }, headers: headersOf(reply) }
    server.handleUpgrade(request.raw, socket, head, protocol === undefined ? answer : { ...answer, protocol })
  }

  const upgraded = (raw: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const socket = stream as Socket
    socket.on('error', () => socket.destroy()) // nobody else listens until it is handed over
    const response = new ServerResponse(raw)
    response.shouldKeepAlive = false
    try {
      response.assignSocket(socket)
    } catch {
      return void socket.destroy() // an upgrade behind a request that is not answered yet
    }
    response.on('finish', () => socket.destroySoon()) // a hook has refused, or the path has no WebSocket
    upgrades.set(raw, { socket, head, response })
    app.routing(raw, response)
  }

  app.decorate('websockets', server)
  app.decorate('websocket', function (this: FastifyInstance, url, route, rest = {}) {
    const own = { method: 'GET', url, exposeHeadRoute: false } as const
    this.route({ ...rest, ...own, handler: (request, reply) => handler(request, reply, route) })
  })
  app.server.on('upgrade', upgraded)
  app.addHook('preClose', async () => {
    app.server.off('upgrade', upgraded)
    await server.close()
  })
}

// The decorators are for the whole application, as those of fastify-plugin are.
Object.assign(millrace, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'millrace' })

const handlers: Omit<RouteHandlers, 'protocol'> & Pick<ServerOptions<Upgraded>, 'upgrade'> = {
  upgrade: () => ({ status: 404 }), // whatever did not come through a route
  open: (connection) => connection.data.handlers.open?.(connection),
  message: (connection, message) => connection.data.handlers.message?.(connection, message),
  drain: (connection) => connection.data.handlers.drain?.(connection),
  ping: (connection, data) => connection.data.handlers.ping?.(connection, data),
  pong: (connection, data) => connection.data.handlers.pong?.(connection, data),
  close: (connection, code, reason) => connection.data.handlers.close?.(connection, code, reason),
  error(connection, error) {
    const { request, handlers } = connection.data
    if (handlers.error !== undefined) return handlers.error(connection, error)
    request.log[error instanceof ProtocolViolation ? 'info' : 'error'](error)
  },
}

/** The headers that hooks have set, for the response to the upgrade. */
function headersOf(reply: FastifyReply): [string, string | string[]][] {
  return Object.entries(reply.getHeaders()).flatMap(([name, value]) => {
    if (value === undefined || HANDSHAKE.test(name)) return []
    return [[name, Array.isArray(value) ? value : String(value)]]
  })
}
