// The second lane of the opening handshake: node:http, for every request that is not plain: in pieces, refused,
// with a body, with odd headers, or no upgrade at all.
import { createServer, type IncomingMessage, type RequestListener, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Deadlines, Expiring } from '../connection/deadlines.js'
import { checkUpgrade, type Refusal, type UpgradeRequest } from '../protocol/openingHandshake.js'

export interface HttpLaneOptions {
  readonly deadlines: Deadlines
  /** Time for a whole request head, in milliseconds. */
  readonly handshakeTimeout: number
  /** Time for a refused peer to end the connection, in milliseconds. */
  readonly closeTimeout: number
  /** Answers requests that are no upgrades. */
  readonly request: RequestListener
  /** The handshake is accepted; `early` is what came behind the request. */
  upgraded(socket: Duplex, request: UpgradeRequest, early: Buffer): void
}

export class HttpLane {
  readonly #server: Server
  readonly #options: HttpLaneOptions
  /** Upgrades that were refused and whose sockets are not closed yet. */
  readonly #refused = new Set<Expiring>()

  constructor(options: HttpLaneOptions) {
    this.#options = options
    const { handshakeTimeout } = options
    this.#server = createServer(
      { headersTimeout: handshakeTimeout, requestTimeout: handshakeTimeout, connectionsCheckingInterval: 500 },
      options.request,
    )
    this.#server.on('upgrade', (message, socket, head) => this.#upgrade(message, socket, head))
    // This server never listens, but without the event it would never check its timeouts.
    this.#server.emit('listening')
  }

  /** The HTTP server that connections are given to. */
  get server(): Server {
    return this.#server
  }

  take(socket: Socket): void {
    this.#server.emit('connection', socket)
  }

  close(): void {
    this.#server.close(() => undefined)
    this.#server.closeAllConnections()
    for (const refused of this.#refused) refused.expired()
  }

  #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const request = requestOf(message)
    const refusal = checkUpgrade(request)
    if (refusal === undefined) this.#options.upgraded(socket, request, head)
    else this.#refuse(socket, refusal)
  }

  /** Answers, and makes sure that the socket ends even if the peer doesn't want to. */
  #refuse(socket: Duplex, refusal: Refusal): void {
    const { deadlines, closeTimeout } = this.#options
    const refused: Expiring = { expired: () => socket.destroy() }
    this.#refused.add(refused)
    deadlines.set(refused, closeTimeout)
    socket.on('close', () => {
      deadlines.clear(refused)
      this.#refused.delete(refused)
    })
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.end(responseTo(refusal))
    socket.resume()
  }
}

function requestOf(message: IncomingMessage): UpgradeRequest {
  const headers: Record<string, string> = Object.create(null)
  const repeated: string[] = []
  const { rawHeaders } = message
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    const value = rawHeaders[at + 1] ?? ''
    const before = headers[name]
    if (before !== undefined) repeated.push(name)
    headers[name] = before === undefined ? value : `${before}, ${value}`
  }
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    httpVersion: message.httpVersion,
    headers,
    repeated,
  }
}

function responseTo({ status, reason, headers }: Refusal): string {
  const lines = Object.entries({
    ...headers,
    Connection: 'close',
    'Content-Type': 'text/plain',
    'Content-Length': String(Buffer.byteLength(reason)),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${reason}`
}
