// A WebSocket helper for Hono on Node.js: the middleware of a route decides about an upgrade, as about any request, and what it
// sets as headers goes into the response. Needs `npm install hono @hono/node-server`.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWSMessageEvent, defineWebSocketHelper, type UpgradeWebSocket, WSContext, type WSEvents } from 'hono/ws'
import { type Connection, createServer, ProtocolViolation, type Server, type ServerOptions } from 'millrace'

/** What a route has answered to an upgrade. */
interface Upgraded {
  readonly events: WSEvents<Socket>
  readonly url: string
  context?: WSContext<Socket>
}

/** A connection, as `ws.raw`. */
export type Socket = Connection<Upgraded | undefined>

export interface WebSockets {
  /** Middleware that upgrades: `app.get('/ws', upgradeWebSocket((c) => ({ onMessage(event, ws) {} })))`. */
  readonly upgradeWebSocket: UpgradeWebSocket<Socket>
  /** Takes the upgrades of an HTTP server: `injectWebSocket(serve(app))`. */
  injectWebSocket(http: HttpServer): void
  /** The server, for `close`, `publish` and so on. */
  readonly server: Server<Upgraded | undefined>
}

/** What `serve` returns. */
interface HttpServer {
  on(event: 'upgrade', listener: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown
}

interface App {
  fetch(request: Request, env: object): Response | Promise<Response>
}

/** Headers that belong to the handshake, or to a body. */
const HANDSHAKE = /^(?:connection|upgrade|sec-websocket-.*|content-.*|transfer-encoding)$/

/** Makes the helper for an app, with options of millrace: limits, `deflate`, `origins`, `protocols` and so on. */
export function createWebSockets(app: App, options: ServerOptions<Upgraded | undefined> = {}): WebSockets {
  const server = createServer<Upgraded | undefined>({ ...options, ...handlers })
  const upgrades = new WeakMap<IncomingMessage, Partial<{ upgraded: Upgraded }>>()

  const upgradeWebSocket = defineWebSocketHelper<Socket>((c, events) => {
    const upgrade = upgrades.get(c.env.incoming)
    if (upgrade === undefined) return // a plain request: the next handler answers
    upgrade.upgraded = { events, url: c.req.url }
    return new Response()
  })

  async function decide(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy()) // nobody else listens until it is handed over
    const upgrade: Partial<{ upgraded: Upgraded }> = {}
    upgrades.set(incoming, upgrade)
    const request = requestOf(incoming)
    if (request === undefined) return server.handleUpgrade(incoming, socket, head, { status: 400 })
    const response = await app.fetch(request, { incoming, outgoing: undefined })
    const headers = [...response.headers].filter(([name]) => !HANDSHAKE.test(name))
    if (upgrade.upgraded !== undefined && response.ok) {
      const protocol = response.headers.get('sec-websocket-protocol')
      const answer = { data: upgrade.upgraded, headers, ...(protocol !== null && { protocol }) }
      return server.handleUpgrade(incoming, socket, head, answer)
    }
    const status = response.status < 300 ? 404 : response.status // the path has no WebSocket
    const type = response.headers.get('content-type')
    if (type !== null) headers.push(['content-type', type])
    server.handleUpgrade(incoming, socket, head, { status, headers, body: await response.text() })
  }

  return {
    upgradeWebSocket,
    server,
    injectWebSocket(http) {
      http.on('upgrade', (incoming, socket, head) => {
        decide(incoming, socket, head).catch((error) => {
          console.error(error)
          server.handleUpgrade(incoming, socket, head, { status: 500 })
        })
      })
    },
  }
}

const handlers: Pick<ServerOptions<Upgraded | undefined>, 'open' | 'message' | 'close' | 'error'> = {
  open(connection) {
    const { data } = connection
    if (data === undefined) return
    data.context = contextOf(connection, data.url)
    data.events.onOpen?.(new Event('open'), data.context)
  },
  message({ data }, message) {
    if (data?.context === undefined) return
    const payload = message.isText ? message.text() : exactly(message.bytes)
    return data.events.onMessage?.(createWSMessageEvent(payload), data.context)
  },
  close({ data }, code, reason) {
    if (data?.context === undefined) return
    const event = Object.assign(new Event('close'), { code, reason, wasClean: code !== 1006 })
    return data.events.onClose?.(event, data.context)
  },
  error({ data }, error) {
    if (data?.context !== undefined && data.events.onError !== undefined) {
      return data.events.onError(Object.assign(new Event('error'), { error }), data.context)
    }
    if (!(error instanceof ProtocolViolation)) console.error(error) // what clients do wrong need not fill a log
  },
}

function contextOf(connection: Socket, url: string): WSContext<Socket> {
  return new WSContext({
    raw: connection,
    url,
    protocol: connection.protocol,
    get readyState() {
      return connection.isOpen ? 1 : 3
    },
    send: (data, { compress }) => void connection.send(data, compress === undefined ? {} : { compress }),
    close: (code, reason) => connection.close(code, reason),
  })
}

function exactly({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBufferLike {
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
}

/** The request as Hono has it; undefined if its host or its target make no URL. */
function requestOf({ rawHeaders, headers, url, socket }: IncomingMessage): Request | undefined {
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, at): [string, string] => {
    return [rawHeaders[2 * at] ?? '', rawHeaders[2 * at + 1] ?? '']
  })
  const scheme = 'encrypted' in socket ? 'https' : 'http'
  const target = `${scheme}://${headers.host ?? 'localhost'}${url}`
  return URL.canParse(target) ? new Request(target, { headers: pairs }) : undefined
}
