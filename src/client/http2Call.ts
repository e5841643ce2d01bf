// The client's side of the opening handshake over HTTP/2 (RFC 8441, section 5): an extended CONNECT request on a stream of a
// session that connections to one server share.
import { Buffer } from 'node:buffer'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2'
import type { Socket } from 'node:net'
import { CONNECTION_FIELDS } from '../protocol/extendedConnect.js'
import { Http2Transport } from '../transport/http2Stream.js'
import { credentialsIn, hasSameOrigin, shownAddress } from './address.js'
import type { Ends, Wish } from './call.js'
import { connectError, unreachable } from './connectError.js'
import { type Reached, type SharedSession, sessionFor } from './http2Sessions.js'
import { nextAddress } from './redirects.js'
import { ownHeaders } from './requestHeaders.js'
import { subprotocolFlaw, type UpgradeResponse } from './upgradeResponse.js'

/** Error codes (RFC 9113, section 7). */
const REFUSED_STREAM = 7
const CANCEL = 8

/** A server that leaves, or has no room, may refuse a request before it has begun: so often it is made on another session. */
const MOST_AGAIN = 3

/** One request. */
export class Http2Call<Opened> {
  readonly #url: URL
  readonly #wish: Wish
  readonly #redirects: number
  readonly #ends: Ends<Opened>
  #session: SharedSession
  /** Asks over HTTP/1.1 instead, over the socket if there is one. */
  readonly #http1: (socket: Socket | undefined) => void
  #stream: ClientHttp2Stream | undefined
  #done = false
  #claimed = false
  #released = false
  #again = 0

  constructor(
    url: URL,
    wish: Wish,
    redirects: number,
    ends: Ends<Opened>,
    http1: (socket: Socket | undefined) => void,
  ) {
    this.#url = url
    this.#wish = wish
    this.#redirects = redirects
    this.#ends = ends
    this.#http1 = http1
    this.#session = this.#enter()
  }

  /** Goes to a session that has room, or will have. */
  #enter(): SharedSession {
    const sameOrigin = hasSameOrigin(this.#url, this.#wish.url)
    const session = sessionFor({ url: this.#url, options: this.#wish.options, sameOrigin })
    session.reached.then(
      (reached) => this.#reached(reached),
      (error) => this.#failed(error),
    )
    return session
  }

  /** Gives it up. */
  destroy(): void {
    this.#done = true
    if (this.#stream === undefined) this.#release()
    else this.#stream.close(CANCEL)
  }

  get #address(): string {
    return shownAddress(this.#url)
  }

  #release(): void {
    if (this.#released) return
    this.#released = true
    this.#session.release(this.#claimed)
  }

  #reached(reached: Reached): void {
    if (this.#done) return
    if (reached === undefined) return this.#withoutHttp2()
    if (reached.closed || reached.destroyed) return this.#unprocessed()
    if (!this.#session.claim()) return this.#change()
    this.#claimed = true
    try {
      this.#ask(reached)
    } catch (error) {
      this.#reject(error)
    }
  }

  #change(): void {
    this.#release()
    this.#claimed = this.#released = false
    this.#session = this.#enter()
  }

  /** The server has not begun with the request: it may be made once more (RFC 9113, section 8.7). */
  #unprocessed(): void {
    if (this.#done) return
    if (this.#again++ >= MOST_AGAIN) {
      return this.#reject(connectError('ERR_CONNECT_UNREACHABLE', this.#address, 'refuses further requests for now'))
    }
    this.#stream = undefined
    this.#change()
  }

  #withoutHttp2(): void {
    if (this.#wish.options.http2 !== 'auto') {
      return this.#reject(connectError('ERR_CONNECT_ANSWER', this.#address, 'does not offer WebSockets over HTTP/2'))
    }
    this.#done = true
    const socket = this.#session.takeSocket()
    this.#release()
    this.#http1(socket)
  }

  #ask(http2: ClientHttp2Session): void {
    const fields = this.#fields()
    const stream = http2.request(fields, { endStream: false })
    this.#stream = stream
    const isRefused = (): boolean => stream.rstCode === REFUSED_STREAM
    const session = this.#session
    stream.on('error', (error) => isRefused() || this.#failed(error))
    stream.once('close', () => {
      if (isRefused() && !this.#done) return this.#unprocessed()
      if (session === this.#session) this.#release()
      this.#reject(connectError('ERR_CONNECT_UNREACHABLE', this.#address, CUT_OFF))
    })
    stream.once('response', (headers) => this.#answered(stream, headers, fields))
  }

  #fields(): Record<string, string | string[]> {
    const { options, extensions } = this.#wish
    const { protocols = [] } = options
    const { pathname, search, host, protocol } = this.#url
    const fields: Record<string, string | string[]> = {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': protocol === 'wss:' ? 'https' : 'http',
      ':authority': host,
      ':path': pathname + search,
    }
    const own = { ...this.#credentials(), ...ownHeaders(options, hasSameOrigin(this.#url, this.#wish.url)) }
    for (const [name, value] of Object.entries(own)) {
      const lower = name.toLowerCase()
      if (!CONNECTION_FIELDS.includes(lower)) fields[lower] = value
    }
    fields['sec-websocket-version'] = '13'
    if (protocols.length > 0) fields['sec-websocket-protocol'] = protocols.join(', ')
    if (extensions !== undefined) fields['sec-websocket-extensions'] = extensions
    return fields
  }

  #credentials(): Record<string, string> {
    const pair = credentialsIn(this.#url)
    if (pair === undefined) return {}
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  }

  #answered(
    stream: ClientHttp2Stream,
    headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
    fields: Record<string, string | string[]>,
  ): void {
    if (this.#done) return
    const response = { status: headers[':status'] ?? 0, headers: withoutPseudo(headers) }
    try {
      if (response.status !== 200) return this.#refused(response, stream)
      const flaw = subprotocolFlaw(response, this.#wish.options.protocols ?? [])
      if (flaw !== undefined) throw connectError('ERR_CONNECT_ANSWER', this.#address, flaw, { response })
      this.#done = true
      this.#ends.resolve(this.#open(stream, response, fields))
    } catch (error) {
      this.#done = true
      stream.close(CANCEL)
      this.#ends.reject(error)
    }
  }

  #open(stream: ClientHttp2Stream, response: UpgradeResponse, fields: Record<string, string | string[]>): Opened {
    const { socket } = stream.session ?? {}
    const { remoteAddress } = socket ?? {}
    const address = (): string | undefined => (stream.destroyed ? undefined : remoteAddress)
    const headers = Object.entries(fields).filter(([name]) => !name.startsWith(':'))
    const request = {
      path: this.#url.pathname + this.#url.search,
      protocol: this.#url.protocol === 'wss:' ? 'https:' : 'http:',
      getHeaders: () => ({ host: this.#url.host, ...Object.fromEntries(headers) }),
    }
    return this.#ends.opened({
      address: this.#address,
      stream,
      transport: (publicApi) => new Http2Transport(stream, address, publicApi),
      early: Buffer.alloc(0),
      request,
      response,
    })
  }

  #refused(response: UpgradeResponse, stream: ClientHttp2Stream): void {
    this.#done = true
    stream.close(CANCEL)
    const { followRedirects = 0 } = this.#wish.options
    const asked = { first: this.#wish.url, url: this.#url, redirects: this.#redirects, followRedirects }
    this.#ends.follow(nextAddress(response, '', asked), this.#redirects + 1)
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#reject(unreachable(this.#address, error))
  }

  #reject(error: unknown): void {
    if (this.#done) return
    this.#done = true
    if (this.#stream === undefined) this.#release()
    this.#ends.reject(error)
  }
}

const CUT_OFF = 'ended the stream during the opening handshake'

function withoutPseudo(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')))
}
