// The HTTP/2 sessions that this thread's connections share: connections to one server, reached in one way, are streams of one
// session. A session lasts as long as somebody uses it.
import type { ClientHttp2Session } from 'node:http2'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { STREAM_WINDOW } from '../transport/http2Stream.js'
import { shownAddress } from './address.js'
import { connectError } from './connectError.js'
import { lookupOption } from './hostLookup.js'
import type { Reach } from './options.js'
import { ownTls } from './requestHeaders.js'

/** Where a session leads, and how. */
export interface Route {
  readonly url: URL
  readonly options: Reach
  /** Whether client certificates may be shown there. */
  readonly sameOrigin: boolean
}

/** A session whose server offers WebSockets; undefined where it does not: then HTTP/1.1 remains. */
export type Reached = ClientHttp2Session | undefined

/** Streams that a server allows before it has said how many. */
const FIRST_STREAMS = 100

/** Bytes that the streams of a session may be sent together before they are read. */
const SESSION_WINDOW = 1024 * 1024

export class SharedSession {
  readonly #key: string
  readonly #route: Route
  readonly #left: () => void
  /** Connections, and attempts to open one. */
  #users = 0
  /** Those of them that have a stream. */
  #streams = 0
  #http2: ClientHttp2Session | undefined
  #socket: Socket | undefined
  #over = false
  /** What has come of it. */
  readonly reached: Promise<Reached>

  constructor(route: Route, left: () => void) {
    this.#route = route
    this.#key = keyOf(route)
    this.#left = left
    this.reached = this.#open()
    this.reached.catch(() => this.#end())
  }

  /** Whether a further connection that is to be reached in this way may use it. */
  fits(route: Route): boolean {
    const { options } = this.#route
    const same = (['tls', 'lookup'] as const).every((name) => options[name] === route.options[name])
    return !this.#over && same && this.#key === keyOf(route) && this.#users < this.#most
  }

  get #most(): number {
    // A server that allows none for now may allow some later.
    return Math.max(this.#http2?.remoteSettings?.maxConcurrentStreams ?? FIRST_STREAMS, 1)
  }

  /** Somebody uses it until `release` is called. */
  use(): void {
    this.#users++
  }

  /** Takes one of the streams that the server allows; false if none is left, as more have waited for the session. */
  claim(): boolean {
    if (this.#streams >= this.#most) return false
    this.#streams++
    return true
  }

  /** Somebody uses it no more; `claimed` says whether that was a stream. */
  release(claimed: boolean): void {
    if (claimed) this.#streams--
    if (--this.#users > 0) return
    this.#end()
    if (this.#http2 !== undefined) this.#http2.close()
    else this.#socket?.destroy()
  }

  /** The connected socket of a server that speaks HTTP/1.1, for one call: of several that have waited, others make their own. */
  takeSocket(): Socket | undefined {
    const socket = this.#socket
    this.#socket = undefined
    return socket?.destroyed === false ? socket : undefined
  }

  get #ended(): Error {
    const address = shownAddress(new URL('/', this.#route.url))
    return connectError('ERR_CONNECT_UNREACHABLE', address, 'ended the connection during the opening handshake')
  }

  /** It takes nobody any more. */
  #end(): void {
    this.#over = true
    this.#left()
  }

  async #open(): Promise<Reached> {
    const { connect } = await import('node:http2')
    const socket = connectedTo(this.#route)
    this.#socket = socket
    const secure = this.#route.url.protocol === 'wss:'
    await new Promise((resolve, reject) => {
      socket.once('error', reject).once('close', () => reject(this.#ended))
      socket.once(secure ? 'secureConnect' : 'connect', resolve)
    })
    if (secure && Reflect.get(socket, 'alpnProtocol') !== 'h2') {
      this.#end()
      return undefined
    }
    const http2 = connect(`${secure ? 'https:' : 'http:'}//${this.#route.url.host}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    })
    return await this.#begun(http2)
  }

  /** The server says in its first SETTINGS whether it offers WebSockets (RFC 8441, section 3). */
  #begun(http2: ClientHttp2Session): Promise<Reached> {
    this.#http2 = http2
    return new Promise((resolve, reject) => {
      http2.on('error', reject)
      http2.on('close', () => {
        this.#end()
        reject(this.#ended)
      })
      http2.on('goaway', () => this.#end())
      http2.once('remoteSettings', ({ enableConnectProtocol }) => {
        http2.setLocalWindowSize(SESSION_WINDOW)
        if (enableConnectProtocol === true) return resolve(http2)
        this.#end()
        this.#socket = undefined
        http2.close()
        resolve(undefined)
      })
    })
  }
}

const sessions = new Set<SharedSession>()

/** The session for a connection that is to be reached in this way. It is used until `release` is called. */
export function sessionFor(route: Route): SharedSession {
  let session = [...sessions].find((one) => one.fits(route))
  if (session === undefined) {
    const made: SharedSession = new SharedSession(route, () => sessions.delete(made))
    sessions.add(made)
    session = made
  }
  session.use()
  return session
}

function connectedTo({ url, options, sameOrigin }: Route): Socket {
  const { protocol, port } = url
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const secure = protocol === 'wss:'
  const where = {
    ...(options.unix === undefined ? { host, port: Number(port || (secure ? 443 : 80)) } : { path: options.unix }),
    ...(options.localAddress === undefined ? undefined : { localAddress: options.localAddress }),
    ...lookupOption(options.lookup),
  }
  if (!secure) return connectTcp({ ...where, noDelay: true })
  const ALPNProtocols = options.http2 === 'auto' ? ['h2', 'http/1.1'] : ['h2']
  const servername = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ ...servername, ...ownTls(options, sameOrigin), ...where, ALPNProtocols })
}

function keyOf({ url, options, sameOrigin }: Route): string {
  const { unix, localAddress, http2 } = options
  return JSON.stringify([url.protocol, url.host, unix, localAddress, http2, sameOrigin])
}
