// An adapter of Nest for gateways: `app.useWebSocketAdapter(new MillraceAdapter(app))`. Clients are connections of millrace, and
// messages are JSON, { event, data }, as in Nest's own adapter for ws. Needs `npm install @nestjs/websockets`.
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type INestApplication, Logger, type WebSocketAdapter, type WsMessageHandler } from '@nestjs/common'
import {
  type Connection,
  createServer,
  type Message,
  ProtocolViolation,
  type Rejection,
  type Server,
  type ServerOptions,
} from 'millrace'
import { type Observable, Subscription } from 'rxjs'

/** A connection's `data`: the request, and what Nest has bound to the client. */
export interface Bound {
  readonly request: IncomingMessage
  readonly closed: (() => void)[]
  message?(message: Message): void
}

/** What a gateway's methods get as the client. */
export type Client = Connection<Bound>

/** The options of `@WebSocketGateway`: a path, and options of millrace. */
export type GatewayOptions = Partial<ServerOptions<Bound>> & { readonly path?: string; readonly namespace?: string }

export interface AdapterOptions {
  /** Decides on an upgrade, before the gateway hears of it: returns a refusal, or headers for the response. */
  upgrade?(request: IncomingMessage): Promise<Decision> | Decision
}

type Decision = Rejection | { readonly headers?: Readonly<Record<string, string>> } | undefined

type Connected = (client: Client, request: IncomingMessage) => void

/** The gateways of one HTTP server, by path. */
interface Port {
  readonly http: HttpServer
  readonly gateways: Map<string, Server<Bound>>
  leave(): void
}

export class MillraceAdapter implements WebSocketAdapter<Server<Bound>, Client, GatewayOptions> {
  readonly #application: HttpServer
  readonly #options: AdapterOptions
  readonly #ports = new Map<number, Port>()
  readonly #connected = new WeakMap<Server<Bound>, Connected[]>()
  readonly #log = new Logger(MillraceAdapter.name)

  constructor(application: INestApplication, options: AdapterOptions = {}) {
    this.#application = application.getHttpServer()
    this.#options = options
  }

  /** Makes the server of a gateway; port 0 is that of the application. */
  create(port: number, { path = '/', namespace, ...options }: GatewayOptions = {}): Server<Bound> {
    if (namespace !== undefined) throw new Error('millrace has no namespaces: give each gateway a path')
    const connected: Connected[] = []
    const server = createServer<Bound>({
      ...options,
      upgrade: () => ({ status: 404 }), // every upgrade has an answer
      open(connection) {
        // By this property, Nest knows a WebSocket, to which it sends exceptions as messages.
        Object.defineProperty(connection, 'readyState', { get: () => (connection.isOpen ? 1 : 3) })
        for (const callback of connected) callback(connection, connection.data.request)
      },
      message: (connection, message) => connection.data.message?.(message),
      close(connection) {
        for (const callback of connection.data.closed) callback()
      },
      error: (_, error) => this.#log[error instanceof ProtocolViolation ? 'debug' : 'error'](error),
    })
    this.#connected.set(server, connected)
    this.#portOf(port).gateways.set(path.startsWith('/') ? path : `/${path}`, server)
    return server
  }

  bindClientConnect(server: Server<Bound>, callback: Connected): void {
    this.#connected.get(server)?.push(callback)
  }

  bindClientDisconnect(client: Client, callback: () => void): void {
    client.data.closed.push(callback)
  }

  bindMessageHandlers(
    client: Client,
    handlers: WsMessageHandler[],
    transform: (result: unknown) => Observable<unknown>,
  ): void {
    const byEvent = new Map(handlers.map((handler) => [handler.message, handler]))
    const answers = new Subscription()
    client.data.closed.push(() => answers.unsubscribe())
    client.data.message = (message) => {
      const { event, data } = parsed(message)
      const handler = byEvent.get(event)
      if (handler === undefined) return
      const answer = transform(handler.callback(data, event)).subscribe({
        next: (value) => void (value != null && client.send(JSON.stringify(value))),
        error: (error) => this.#log.error(error),
      })
      answers.add(answer)
    }
  }

  /** Called for clients that come while the application still starts. */
  closeClient(client: Client): void {
    client.close(1013)
  }

  async close(server: Server<Bound>): Promise<void> {
    await server.close()
  }

  async dispose(): Promise<void> {
    for (const port of this.#ports.values()) port.leave()
    this.#ports.clear()
  }

  #portOf(number: number): Port {
    const known = this.#ports.get(number)
    if (known !== undefined) return known
    const http = number === 0 ? this.#application : createHttpServer((_, response) => response.writeHead(426).end())
    const gateways: Port['gateways'] = new Map()
    const upgraded = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const server = gateways.get(request.url?.split('?')[0] ?? '')
      if (server !== undefined) this.#decide(server, request, socket, head)
      else if (http.listenerCount('upgrade') === 1) refuse(socket)
    }
    http.on('upgrade', upgraded)
    if (number !== 0) http.listen(number)
    const leave = () => void (number === 0 ? http.off('upgrade', upgraded) : http.close())
    const port = { http, gateways, leave }
    this.#ports.set(number, port)
    return port
  }

  async #decide(server: Server<Bound>, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy()) // nobody else listens until it is handed over
    try {
      const decision = await this.#options.upgrade?.(request)
      const refused = decision !== undefined && 'status' in decision
      server.handleUpgrade(request, socket, head, refused ? decision : { ...decision, data: { request, closed: [] } })
    } catch (error) {
      this.#log.error(error)
      server.handleUpgrade(request, socket, head, { status: 500 })
    }
  }
}

function refuse(socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n', () => socket.destroy())
}

/** What is no JSON, or has no event, is nobody's message. */
function parsed(message: Message): { event: string; data?: unknown } {
  try {
    return message.json<{ event: string } | null>() ?? { event: '' }
  } catch {
    return { event: '' }
  }
}
