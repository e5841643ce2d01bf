// The client's side of the opening handshake (RFC 6455, section 4.1), by node:http: name look-up, TCP, TLS and the reading of
// the response are its work. What comes of it is one connection or one clear error, and nothing else stays behind.
import { randomBytes } from 'node:crypto'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { httpsModule } from '../internals/tls.js'
import { credentialsIn, hasSameOrigin, hostIn, shownAddress } from './address.js'
import type { Attempt } from './attempt.js'
import type { Answer, Ends, Wish } from './call.js'
import { connectError, LONGEST_HEAD, unreachable } from './connectError.js'
import { lookupOption } from './hostLookup.js'
import { Http2Call } from './http2Call.js'
import { INTERIM, limitInterim } from './interim.js'
import { throughProxy } from './proxy.js'
import { nextAddress } from './redirects.js'
import { ownHeaders, ownTls } from './requestHeaders.js'
import { flawOf, type UpgradeResponse } from './upgradeResponse.js'

/**
 * Asks a server for a connection. `opened` is called with its answer, in the same turn: nobody else takes care of the
 * stream. What it throws or returns is the result. Rejects with a ConnectError.
 */
export function dial<Opened>(wish: Wish, attempt: Attempt, opened: (answer: Answer) => Opened): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const follow = (url: URL, redirects: number): void => {
      const ends: Ends<Opened> = { attempt, opened, follow, resolve, reject }
      const http1 = (socket?: Socket): void => attempt.follow(new Call(url, wish, redirects, ends, socket).request)
      const { http2 = false } = wish.options
      if (http2 === false || (http2 === 'auto' && url.protocol === 'ws:')) return http1()
      attempt.follow(new Http2Call(url, wish, redirects, ends, http1))
    }
    follow(wish.url, 0)
  })
}

/** One request. */
class Call<Opened> {
  readonly request: ClientRequest
  readonly #url: URL
  readonly #wish: Wish
  readonly #redirects: number
  readonly #ends: Ends<Opened>
  readonly #key = randomBytes(16).toString('base64')
  /** It has been rejected: what else the server has written in the same segment does not count. */
  #done = false

  /** `socket` is connected to the server already. */
  constructor(url: URL, wish: Wish, redirects: number, ends: Ends<Opened>, socket?: Socket) {
    this.#url = url
    this.#wish = wish
    this.#redirects = redirects
    this.#ends = ends
    this.request = (url.protocol === 'wss:' ? httpsModule().request : httpRequest)({
      ...this.#options(),
      ...(socket && { createConnection: () => socket }),
    })
    this.request.on('upgrade', (response, stream, early) => this.#upgraded(response, stream, early))
    this.request.on('response', (response) => this.#refused(response))
    limitInterim(this.request, () => this.#reject(connectError('ERR_CONNECT_ANSWER', this.#address, INTERIM)))
    this.request.on('error', (error) => this.#reject(unreachable(this.#address, error)))
    this.request.end()
  }

  get #address(): string {
    return shownAddress(this.#url)
  }

  #options(): RequestOptions {
    const { options } = this.#wish
    const { port, pathname, search, protocol } = this.#url
    const auth = credentialsIn(this.#url)
    const sameOrigin = hasSameOrigin(this.#url, this.#wish.url)
    const defaultPort = protocol === 'wss:' ? 443 : 80
    return {
      ...(protocol === 'wss:' ? ownTls(options, sameOrigin) : undefined),
      host: hostIn(this.#url),
      path: pathname + search,
      ...this.#way(),
      maxHeaderSize: LONGEST_HEAD,
      headers: { ...ownHeaders(options, sameOrigin), ...this.#handshake() },
      port: port === '' ? defaultPort : port, // also where options of TLS have another one
      defaultPort,
      ...(auth === undefined ? undefined : { auth }),
      ...(options.unix === undefined ? undefined : { socketPath: options.unix }),
      ...(options.localAddress === undefined ? undefined : { localAddress: options.localAddress }),
      ...lookupOption(options.lookup),
    }
  }

  /** The connection to the server: one of its own, or one through the proxy. */
  #way(): RequestOptions {
    const { proxy, options, url } = this.#wish
    if (proxy === undefined) return { agent: false }
    const { signal } = this.#ends.attempt
    const { port, protocol } = this.#url
    const tls = protocol === 'wss:' ? ownTls(options, hasSameOrigin(this.#url, url)) : undefined
    const behind = { address: this.#address, host: hostIn(this.#url), port: port || (tls ? 443 : 80), tls }
    return {
      createConnection: (_, reached) => {
        throughProxy(proxy, options, behind, {
          signal,
          opened: (socket) => reached(null, socket),
          failed: (error) => this.#fail(unreachable(this.#address, error)),
          threw: (error) => this.#fail(error),
        })
        return undefined
      },
    }
  }

  #handshake(): Record<string, string> {
    const { options, extensions } = this.#wish
    const { protocols = [] } = options
    return {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': this.#key,
      ...(protocols.length === 0 ? undefined : { 'Sec-WebSocket-Protocol': protocols.join(', ') }),
      ...(extensions === undefined ? undefined : { 'Sec-WebSocket-Extensions': extensions }),
    }
  }

  #upgraded(message: IncomingMessage, stream: Duplex, early: Buffer): void {
    const response = responseOf(message)
    if (this.#done) return this.#drop(stream)
    const flaw = flawOf(response, { key: this.#key, protocols: this.#wish.options.protocols ?? [] })
    try {
      if (flaw !== undefined) throw connectError('ERR_CONNECT_ANSWER', this.#address, flaw, { response })
      this.#ends.resolve(this.#ends.opened({ address: this.#address, stream, early, request: this.request, response }))
    } catch (error) {
      this.#drop(stream)
      this.#reject(error)
    }
  }

  #drop(stream: Duplex): void {
    stream.on('error', () => undefined) // whatever it says of its end, it was given up
    stream.destroy()
  }

  /** There is no way to the server. */
  #fail(error: unknown): void {
    this.#reject(error)
    this.request.destroy()
  }

  #reject(error: unknown): void {
    this.#done = true
    this.#ends.reject(error)
  }

  #refused(message: IncomingMessage): void {
    const response = responseOf(message)
    this.request.on('error', () => undefined)
    this.request.destroy()
    if (this.#done) return
    const { followRedirects = 0 } = this.#wish.options
    const asked = { first: this.#wish.url, url: this.#url, redirects: this.#redirects, followRedirects }
    try {
      this.#ends.follow(nextAddress(response, message.statusMessage ?? '', asked), this.#redirects + 1)
    } catch (error) {
      this.#reject(error)
    }
  }
}

function responseOf({ statusCode = 0, headers }: IncomingMessage): UpgradeResponse {
  return { status: statusCode, headers }
}
