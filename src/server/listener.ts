// One listening socket: TCP, Unix or a Windows pipe, with or without TLS. What it accepts goes to a lane of the
// opening handshake.
import { type AddressInfo, createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls'
import { callerError } from '../checks/errors.js'
import { socketOptions } from '../internals/accept.js'
import { tlsModule } from '../internals/tls.js'
import { type Deadlines, type Expiring, noDeadline } from '../time/deadlines.js'
import { socketAround } from '../transport/handle.js'
import { type Arrival, type Arrivals, addressOf } from './admission/arrivals.js'
import { endsOf, type ProxyLine } from './admission/proxyLine.js'
import type { Http2Lane } from './lanes/http2Lane.js'
import type { HttpLane } from './lanes/httpLane.js'
import { sniff, type Versions } from './lanes/preface.js'
import type { RawLane } from './lanes/rawLane.js'

/** Where to listen: on a port, on a path, or on a socket that is already open. */
export interface ListenOptions {
  /** The port. Default: 0, which means any free port; `server.port` says which one it is. */
  readonly port?: number
  /** The address or the name of the interface to listen on. Default: all addresses of this machine. */
  readonly host?: string
  /** Whether the host `::` means IPv6 only. Default: false, so it means IPv4 as well. */
  readonly ipv6Only?: boolean
  /** The path of a Unix socket, or the name of a Windows pipe (`\\.\pipe\name`), instead of a port. */
  readonly path?: string
  /**
   * The number of a file descriptor instead of a port: a TCP or Unix socket that a service manager has opened. The
   * first one of systemd is 3. The socket may already be listening, or only be bound.
   */
  readonly fd?: number
  /** Whether every user of the machine may read from the Unix socket. Default: false. */
  readonly readableAll?: boolean
  /** Whether every user of the machine may write to the Unix socket. Default: false. */
  readonly writableAll?: boolean
  /** The options of node:tls for TLS: at least `{ key, cert }`. Default: no TLS. */
  readonly tls?: TlsOptions
  /**
   * Whether every connection must begin with a header of the PROXY protocol, version 1 or 2. A connection without one
   * is closed. The header is believed, so make sure that only the proxy can connect, or name the proxy in
   * `trustedProxies`. Default: false.
   */
  readonly proxyProtocol?: boolean
  /**
   * HTTP/2, with WebSockets over it (RFC 8441), on the same port as HTTP/1.1. With `true`, clients choose it as they
   * connect with TLS (ALPN). With `'cleartext'`, clients choose it without TLS, by writing HTTP/2 at once. Default: false.
   */
  readonly http2?: boolean | 'cleartext'
}

export interface Lanes {
  /** Undefined where only the public API may be used. */
  readonly raw: RawLane | undefined
  readonly http: HttpLane
  readonly http2: Http2Lane
  readonly proxyLine: ProxyLine
  readonly deadlines: Deadlines
  /** The connections of all lanes that have not become WebSockets. */
  readonly arrivals: Arrivals
  /** Time for the whole handshake, that of TLS included, in milliseconds. */
  readonly handshakeTimeout: number
}

/** A socket that has not reached a lane yet, because of TLS or a PROXY header. */
interface Hindered extends Expiring, Arrival {
  readonly socket: Socket
}

/** Bytes that a socket costs while it waits for a PROXY header, and what a TLS handshake costs besides. */
const COST = 8192
const TLS_COST = 49_152

/** Connections that the system may keep waiting for us to accept them. */
const BACKLOG = 4096

/** Errors of `accept` come in floods, when descriptors run out: one warning stands for those of this time. */
const WARNING_INTERVAL = 1000

/** The longest time that a timer of Node's takes. */
const LONGEST_TIMER = 2 ** 31 - 1

export class Listener {
  readonly #server: NetServer
  readonly #secure: TlsServer | undefined
  readonly #lanes: Lanes
  /** Sockets that have not reached a lane, because of TLS or a PROXY header, by their ends. */
  readonly #arriving = new Map<string | Socket, Hindered>()
  /** The options of TLS that are in force. */
  #tls: TlsOptions | undefined
  #closed = false
  #warned = -Infinity

  /** Throws what node:tls throws for options that are wrong. */
  constructor(options: ListenOptions, lanes: Lanes) {
    const { tls, proxyProtocol } = options
    const { http, http2, proxyLine, deadlines, handshakeTimeout } = lanes
    this.#lanes = lanes
    this.#tls = tls
    const arrived = (socket: Socket): void => {
      // A TLS socket is known by the ends of the one below it, and has what is left of that one's time.
      const due = this.#depart(endsOf(socket) ?? socket) ?? deadlines.tickAfter(handshakeTimeout)
      if (this.#closed) socket.destroy()
      else if (options.http2 === 'cleartext') this.#sniff(socket, due)
      else if (Reflect.get(socket, 'alpnProtocol') === 'h2' && options.http2 === true) http2.take(socket, due)
      else http.take(socket, due)
    }
    const versions = options.http2 === true ? ['h2', 'http/1.1'] : ['http/1.1']
    const secure = tls === undefined ? undefined : tlsServer(tls, versions, handshakeTimeout, arrived)
    this.#secure = secure
    const plain = secure === undefined ? arrived : (socket: Socket) => void secure.emit('connection', socket)
    const next = proxyProtocol === true ? (socket: Socket) => proxyLine.read(socket, plain) : plain
    this.#server = createNetServer(socketOptions, (socket) => {
      if (!http.admit(socket)) return
      // A TLS socket does not tell which one lies below it: their ends do, where they have any.
      if (tls === undefined || endsOf(socket) !== undefined) this.#arrive(socket, deadlines.tickAfter(handshakeTimeout))
      next(socket)
    })
  }

  /** Where it listens: an address, or a path. */
  get address(): AddressInfo | string | undefined {
    return this.#server.address() ?? undefined
  }

  /** Rejects with the system's error. */
  async listen(options: ListenOptions, lanes: Lanes): Promise<void> {
    const where = placeOf(options)
    if (options.http2 !== undefined && options.http2 !== false) await lanes.http2.start()
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...where, backlog: BACKLOG }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#server.on('error', (error) => this.#warn(error.message))
    if (options.tls !== undefined || options.proxyProtocol === true) return
    const failed = (status: number): void => this.#warn(`libuv error ${status}`)
    if (options.http2 !== 'cleartext') return void lanes.raw?.attach(this.#server, failed)
    lanes.raw?.attach(this.#server, failed, (handle, read, due) => {
      const socket = socketAround(handle, read)
      if (lanes.http.admit(socket)) this.#sniff(socket, due)
    })
  }

  /** Finds out which version of HTTP the client speaks. */
  #sniff(socket: Socket, due: number): void {
    const { http, http2, deadlines } = this.#lanes
    const versions: Versions = {
      http1: (sniffed) => http.take(sniffed, due),
      http2: (sniffed) => http2.take(sniffed, due),
    }
    sniff(socket, deadlines, due, versions)
  }

  /** Whether connections come over TLS here. */
  get isSecure(): boolean {
    return this.#secure !== undefined
  }

  /** Certificates and keys for connections to come, in the place of those that were given before. */
  renew(options: SecureContextOptions): void {
    this.#tls = renewed(this.#tls ?? {}, options)
    this.#secure?.setSecureContext(this.#tls)
  }

  /** Throws what node:tls throws for options that it can't use here. */
  checkRenewal(options: SecureContextOptions): void {
    tlsModule().createSecureContext(renewed(this.#tls ?? {}, options))
  }

  /** Listens no more. */
  stop(): void {
    this.#server.close(() => undefined)
  }

  /** Listens no more, and destroys the sockets that have not reached a lane yet. */
  close(): void {
    this.#closed = true
    this.stop()
    for (const { socket } of this.#arriving.values()) socket.destroy()
  }

  /** Limits the time of a TLS handshake: the limit of node:tls begins anew with each byte, and this one does not. */
  #arrive(socket: Socket, due: number): void {
    const { deadlines, arrivals, proxyLine } = this.#lanes
    const ends = endsOf(socket) ?? socket
    const arrival: Hindered = {
      ...noDeadline,
      cost: this.#secure === undefined ? COST : COST + TLS_COST,
      socket,
      get remoteAddress() {
        return proxyLine.clientOf(socket) ?? addressOf(socket)
      },
      expired: () => socket.destroy(),
      giveWay() {
        socket.destroy()
        return true
      },
    }
    this.#arriving.set(ends, arrival)
    deadlines.setTick(arrival, due)
    arrivals.add(arrival)
    socket.once('close', () => {
      deadlines.clear(arrival)
      arrivals.delete(arrival)
      if (this.#arriving.get(ends) === arrival) this.#arriving.delete(ends)
    })
  }

  /** A connection goes to a lane. Returns the tick at which its handshake must be done, if it has arrived here. */
  #depart(ends: string | Socket): number | undefined {
    const { deadlines, arrivals } = this.#lanes
    const arrival = this.#arriving.get(ends)
    if (arrival === undefined) return undefined
    const { due } = arrival
    deadlines.clear(arrival)
    arrivals.delete(arrival)
    this.#arriving.delete(ends)
    return due
  }

  /** A connection could not be accepted: the server goes on, and makes room among connections amid their handshakes. */
  #warn(reason: string): void {
    this.#lanes.arrivals.shed()
    const now = performance.now()
    if (now - this.#warned < WARNING_INTERVAL) return
    this.#warned = now
    process.emitWarning(`a connection could not be accepted (${reason})`, 'MillraceWarning')
  }
}

/** A TLS server that does not listen by itself: it is handed sockets, and hands on what is decrypted. */
function tlsServer(
  options: TlsOptions,
  versions: string[],
  handshakeTimeout: number,
  next: (socket: TLSSocket) => void,
): TlsServer {
  const { key, cert, pfx, SNICallback, pskCallback, privateKeyIdentifier, ALPNCallback } = options
  const hasPair = cert !== undefined && (key ?? privateKeyIdentifier) !== undefined
  if (!hasPair && (pfx ?? SNICallback ?? pskCallback) === undefined) {
    throw callerError(
      'ERR_OPTION_MISSING',
      'the option tls needs a key and a certificate: { key, cert }, { pfx }, or an SNICallback',
    )
  }
  const defaults: TlsOptions = {
    // node:tls takes 0 for its own default, of two minutes.
    handshakeTimeout: Math.min(handshakeTimeout === 0 ? Infinity : handshakeTimeout, LONGEST_TIMER),
    ...(ALPNCallback === undefined ? { ALPNProtocols: versions } : {}),
  }
  const server = tlsModule().createServer({ ...defaults, ...options }, next)
  // A handshake that fails has closed its socket.
  server.on('tlsClientError', () => undefined)
  return server
}

/** An object without its undefined members: node:net takes an undefined host for a host. */
function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** What node:net is told of the place. */
function placeOf({ port = 0, host, ipv6Only, path, fd, readableAll, writableAll }: ListenOptions): object {
  if (fd !== undefined) return { fd }
  return path === undefined ? defined({ port, host, ipv6Only }) : defined({ path, readableAll, writableAll })
}

/** The options of TLS with some in the place of others: a certificate comes with its key, in one form or the other. */
function renewed(before: TlsOptions, options: SecureContextOptions): TlsOptions {
  const { key, cert, pfx, passphrase, ...rest } = before
  const replaced = [options.key, options.cert, options.pfx].some((one) => one !== undefined)
  return { ...(replaced ? rest : before), ...options }
}
