// The server: listens, runs both lanes of the opening handshake, holds the connections, and closes them gracefully.
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { codecOfThread, heapOfThread } from '../codec/codec.js'
import type { Connection } from '../connection/connection.js'
import { Deadlines } from '../connection/deadlines.js'
import type { Handlers, Shared } from '../connection/handlers.js'
import { outboxOfThread } from '../connection/outbox.js'
import { Peer } from '../connection/peer.js'
import { giveToHttp } from '../internals/accept.js'
import { Budget } from '../payload/budget.js'
import { acceptance, type UpgradeRequest } from '../protocol/openingHandshake.js'
import { transportOf } from '../transport/adopt.js'
import { HandleTransport } from '../transport/handle.js'
import type { Transport } from '../transport/transport.js'
import { HttpLane } from './httpLane.js'
import { limitsOf, type ServerLimits, type ServerOptions } from './options.js'
import { RawLane } from './rawLane.js'

export interface ListenOptions {
  /** Default 0: any free port; `address` tells which. */
  readonly port?: number
  /** Default: all addresses of this machine. */
  readonly host?: string
}

/** Connections that the system may keep waiting for us to accept them. */
const BACKLOG = 4096

export class Server<Data = unknown> {
  readonly #shared: Shared<Data>
  readonly #rawLane: RawLane
  readonly #httpLane: HttpLane
  readonly #listening: NetServer
  /** Those who wait for the last connection to end. */
  readonly #waiting: (() => void)[] = []

  constructor(options: ServerOptions<Data>) {
    const limits = limitsOf(options)
    this.#shared = this.#share(options, limits)
    const { deadlines } = this.#shared
    this.#httpLane = new HttpLane({
      ...limits,
      deadlines,
      request: options.request ?? ((_, response) => response.writeHead(426, { Upgrade: 'websocket' }).end()),
      upgraded: (socket, request, early) => this.#open(transportOf(socket), request, earlyBytes(socket, early)),
    })
    this.#rawLane = new RawLane({
      deadlines,
      handshakeTimeout: limits.handshakeTimeout,
      upgraded: (handle, request, early) => this.#open(new HandleTransport(handle), request, early),
      handedOver: (handle, read) => giveToHttp(handle, read, this.#httpLane.server),
    })
    this.#listening = createNetServer((socket) => this.#httpLane.take(socket))
  }

  /** The connections that are not closed. */
  get connections(): ReadonlySet<Connection<Data>> {
    return this.#shared.connections
  }

  /** Where it listens; undefined before `listen` and after `close`. */
  get address(): AddressInfo | undefined {
    const address = this.#listening.address()
    return typeof address === 'object' && address !== null ? address : undefined
  }

  /** Starts to listen. Rejects with the system's error, EADDRINUSE for instance. */
  async listen(options: ListenOptions = {}): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#listening.once('error', reject)
      const { port = 0, host } = options
      this.#listening.listen({ port, backlog: BACKLOG, ...(host === undefined ? {} : { host }) }, () => {
        this.#listening.off('error', reject)
        resolve()
      })
    })
    this.#rawLane.attach(this.#listening)
    return this
  }

  /**
   * Accepts nothing more, sends Close to every peer (1001 by default), and resolves when all connections have ended:
   * those that do not answer are ended when the close timeout is over.
   */
  async close(code = 1001, reason = ''): Promise<void> {
    this.#listening.close(() => undefined)
    this.#rawLane.close()
    this.#httpLane.close()
    for (const connection of this.#shared.connections) connection.close(code, reason)
    if (this.#shared.connections.size === 0) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #share(handlers: Handlers<Data>, limits: ServerLimits): Shared<Data> {
    const budget = new Budget(limits.payloadMemory, () => deadlines.start())
    const heap = heapOfThread()
    heap.prefer(limits.payloadMemory + limits.maxMessage)
    const connections = new Set<Connection<Data>>()
    const deadlines: Deadlines = new Deadlines((now) => {
      budget.checkStalls(now, limits.payloadTimeout)
      return budget.unfinished > 0
    })
    return {
      codec: codecOfThread(),
      heap,
      outbox: outboxOfThread(),
      budget,
      deadlines,
      handlers,
      limits,
      connections,
      closed: () => {
        if (connections.size > 0) return
        for (const resolve of this.#waiting.splice(0)) resolve()
      },
    }
  }

  #open(transport: Transport, request: UpgradeRequest, early: Uint8Array): void {
    new Peer<Data>(this.#shared, transport, undefined as Data).start(acceptance(request), early)
  }
}

/** What came behind the request: `head`, and what the socket has read since. */
function earlyBytes(socket: Duplex, head: Buffer): Buffer {
  const chunks = [head]
  // From Node 26 on, a read returns one chunk.
  while (socket.readableLength > 0) chunks.push(socket.read())
  return chunks.length === 1 ? head : Buffer.concat(chunks)
}

/** A WebSocket server with these handlers and limits. It does nothing until `listen`. */
export function createServer<Data = unknown>(options: ServerOptions<Data> = {}): Server<Data> {
  return new Server(options)
}
