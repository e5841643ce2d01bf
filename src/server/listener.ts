// One listening socket: TCP, Unix or a Windows pipe, with or without TLS. What it accepts goes to a lane of the
// opening handshake.
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls'
import type { HttpLane } from './httpLane.js'
import type { ProxyLine } from './proxyLine.js'
import type { RawLane } from './rawLane.js'

/** Where to listen: a port, or a path. */
export interface ListenOptions {
  /** Default 0: any free port; `address` tells which. */
  readonly port?: number
  /** Default: all addresses of this machine. */
  readonly host?: string
  /** Only IPv6 where the host is `::`. Default false. */
  readonly ipv6Only?: boolean
  /** A Unix socket, or a Windows pipe (`\\.\pipe\name`), instead of a port. */
  readonly path?: string
  /** Whether everybody on the machine may read from, or write to, the Unix socket. Default false. */
  readonly readableAll?: boolean
  readonly writableAll?: boolean
  /** TLS, with the options of node:tls: `{ key, cert }` at least. */
  readonly tls?: TlsOptions
  /**
   * Every connection begins with a PROXY protocol header, version 2, and one that does not is closed. The header is
   * believed: make sure that only the proxy can connect, or name it in `trustedProxies`. Default false.
   */
  readonly proxyProtocol?: boolean
}

export interface Lanes {
  /** Undefined where only the public API may be used. */
  readonly raw: RawLane | undefined
  readonly http: HttpLane
  readonly proxyLine: ProxyLine
  /** Time for the TLS handshake, in milliseconds. */
  readonly handshakeTimeout: number
}

/** Connections that the system may keep waiting for us to accept them. */
const BACKLOG = 4096

/** Errors of `accept` come in floods, when descriptors run out: one warning stands for those of this time. */
const WARNING_INTERVAL = 1000

export class Listener {
  readonly #server: NetServer
  #warned = -Infinity

  /** Throws what node:tls throws for options that are wrong. */
  constructor(options: ListenOptions, lanes: Lanes) {
    const take = options.tls === undefined ? lanes.http : tlsServer(options.tls, lanes)
    const next = (socket: Socket): void => take.take(socket)
    this.#server = createServer(options.proxyProtocol === true ? (socket) => lanes.proxyLine.read(socket, next) : next)
  }

  /** Where it listens: an address, or a path. */
  get address(): AddressInfo | string | undefined {
    return this.#server.address() ?? undefined
  }

  /** Rejects with the system's error. */
  async listen(options: ListenOptions, lanes: Lanes): Promise<void> {
    const { port = 0, host, ipv6Only, path, readableAll, writableAll } = options
    const where = path === undefined ? defined({ port, host, ipv6Only }) : defined({ path, readableAll, writableAll })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...where, backlog: BACKLOG }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#server.on('error', (error) => this.#warn(error.message))
    if (options.tls !== undefined || options.proxyProtocol === true) return
    lanes.raw?.attach(this.#server, (status) => this.#warn(`libuv error ${status}`))
  }

  close(): void {
    this.#server.close(() => undefined)
  }

  /** A connection could not be accepted: the server lives, and goes on when there is room. */
  #warn(reason: string): void {
    const now = performance.now()
    if (now - this.#warned < WARNING_INTERVAL) return
    this.#warned = now
    process.emitWarning(`a connection could not be accepted (${reason})`, 'MillraceWarning')
  }
}

/** A TLS server that does not listen by itself: it is handed sockets, and hands on what is decrypted. */
function tlsServer(options: TlsOptions, { http, handshakeTimeout }: Lanes): { take(socket: Socket): void } {
  const defaults: TlsOptions = { ALPNProtocols: ['http/1.1'] }
  if (handshakeTimeout > 0) defaults.handshakeTimeout = handshakeTimeout
  const server: TlsServer = createTlsServer({ ...defaults, ...options }, (socket) => http.take(socket))
  // A handshake that fails has closed its socket.
  server.on('tlsClientError', () => undefined)
  return {
    take(socket) {
      server.emit('connection', socket)
    },
  }
}

/** An object without what is undefined: node:net takes an undefined host for a host. */
function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
