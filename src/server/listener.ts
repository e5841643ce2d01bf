// One listening socket: TCP, Unix or a Windows pipe, with or without TLS. What it accepts goes to a lane of the
// opening handshake.
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls'
import type { HttpLane } from './httpLane.js'
import { endsOf, type ProxyLine } from './proxyLine.js'
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
  /** Whether everybody on the machine may read from the Unix socket. Default false. */
  readonly readableAll?: boolean
  /** Whether everybody on the machine may write to the Unix socket. Default false. */
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

/** The longest time that a timer of Node's takes. */
const LONGEST_TIMER = 2 ** 31 - 1

export class Listener {
  readonly #server: NetServer
  /** Sockets that TLS or a PROXY header keeps from the lanes, by their ends. */
  readonly #arriving = new Map<string | Socket, Socket>()
  #closed = false
  #warned = -Infinity

  /** Throws what node:tls throws for options that are wrong. */
  constructor({ tls, proxyProtocol }: ListenOptions, { http, proxyLine, handshakeTimeout }: Lanes) {
    const arrived = (socket: Socket): void => {
      this.#arriving.delete(endsOf(socket) ?? socket)
      if (this.#closed) socket.destroy()
      else http.take(socket)
    }
    let next = arrived
    if (tls !== undefined) {
      const secure = tlsServer(tls, handshakeTimeout, arrived)
      next = (socket) => void secure.emit('connection', socket)
    }
    const plain = next
    if (proxyProtocol === true) next = (socket) => proxyLine.read(socket, plain)
    this.#server = createServer((socket) => {
      // A TLS socket does not tell which one lies below it: their ends do, where they have any.
      if (next !== arrived && (tls === undefined || endsOf(socket) !== undefined)) {
        this.#arrive(socket, handshakeTimeout)
      }
      next(socket)
    })
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

  /** Listens no more. */
  stop(): void {
    this.#server.close(() => undefined)
  }

  /** Listens no more, and ends what the lanes do not know yet. */
  close(): void {
    this.#closed = true
    this.stop()
    for (const socket of this.#arriving.values()) socket.destroy()
  }

  /** The time of node:tls begins anew with each byte: this one does not. */
  #arrive(socket: Socket, timeout: number): void {
    const ends = endsOf(socket) ?? socket
    const late = (): void => {
      if (this.#arriving.get(ends) === socket) socket.destroy()
    }
    const timer = timeout === 0 ? undefined : setTimeout(late, Math.min(timeout, LONGEST_TIMER)).unref()
    this.#arriving.set(ends, socket)
    socket.once('close', () => {
      clearTimeout(timer)
      if (this.#arriving.get(ends) === socket) this.#arriving.delete(ends)
    })
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
function tlsServer(options: TlsOptions, handshakeTimeout: number, next: (socket: TLSSocket) => void): TlsServer {
  const { key, cert, pfx, SNICallback, pskCallback, privateKeyIdentifier, ALPNCallback } = options
  const hasPair = cert !== undefined && (key ?? privateKeyIdentifier) !== undefined
  if (!hasPair && (pfx ?? SNICallback ?? pskCallback) === undefined) {
    throw new TypeError('the option tls needs a key and a certificate: { key, cert }, { pfx }, or an SNICallback')
  }
  const defaults: TlsOptions = {
    // node:tls takes 0 for its own default, of two minutes.
    handshakeTimeout: Math.min(handshakeTimeout === 0 ? Infinity : handshakeTimeout, LONGEST_TIMER),
    ...(ALPNCallback === undefined ? { ALPNProtocols: ['http/1.1'] } : {}),
  }
  const server = createTlsServer({ ...defaults, ...options }, next)
  // A handshake that fails has closed its socket.
  server.on('tlsClientError', () => undefined)
  return server
}

/** An object without what is undefined: node:net takes an undefined host for a host. */
function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
