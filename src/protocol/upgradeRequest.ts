// The request that opens a connection, as the application sees it: in `upgrade`, and as `connection.request`.
// What is not asked for is not computed, and not kept: after the handshake only the head's text stays.
import { readCookies } from './cookies.js'
import type { KeptHead, KnownHead } from './knownHeads.js'
import { type HandshakeRequest, offeredProtocols } from './openingHandshake.js'
import { readRequestHead } from './requestHead.js'
import { readTarget } from './requestTarget.js'
import type { TlsFacts } from './tlsFacts.js'

/** Where a request came from. */
export interface Source {
  /** The peer's IP address, or what a proxy's header said before the request. */
  readonly remoteAddress: string | undefined
  /** Whether it came over TLS. */
  readonly secure: boolean
  /** Whether the address is what a proxy said. */
  readonly told: boolean
  /** What TLS says of the connection; undefined without TLS. */
  readonly tls?: TlsFacts | undefined
}

/** What only millrace itself may do with a request. They are not its methods: every program could reach those. @internal */
interface RequestInternals {
  /** Gives the parts of the path that the route's pattern names. */
  name(request: UpgradeRequest, params: Readonly<Record<string, string>>): void
  /** The version of HTTP by which it came. */
  httpVersion(request: UpgradeRequest): string
  /** The client's address where it is not the peer's own. */
  client(request: UpgradeRequest): string | undefined
  /** The peer has left while `upgrade` was pending. */
  abort(request: UpgradeRequest, reason: Error): void
  /** Whether an error only says that `signal` was aborted, which the server has caused and knows already. */
  gaveUp(request: UpgradeRequest, error: unknown): boolean
  /** The handshake is done: drops what can be read again from the head's text. */
  settle(request: UpgradeRequest): void
}

/** What few requests have: it is made when it is needed. */
interface Rarities {
  /** The client's address, where trusted proxies say another one than the peer's. */
  client?: string
  params?: Readonly<Record<string, string>>
  abort?: AbortController | undefined
  tls?: TlsFacts
}

/**
 * What would be the private methods of a request. A class whose instances have such methods gives each of them one word more,
 * and there is one for each connection.
 */
interface Hidden {
  rarities(request: UpgradeRequest): Rarities
  aborter(request: UpgradeRequest): AbortController
  facts(request: UpgradeRequest): HandshakeRequest
}

let internals: RequestInternals
let hidden: Hidden

/** The request that opens a connection. `upgrade` decides about it; afterwards it is `connection.request`. */
export class UpgradeRequest {
  readonly #source: Source
  readonly #text: string | undefined
  readonly #known: KnownHead | undefined
  #head: HandshakeRequest | undefined
  #rare: Rarities | undefined

  static {
    hidden = {
      rarities(request) {
        request.#rare ??= {}
        return request.#rare
      },
      aborter(request) {
        const rare = hidden.rarities(request)
        rare.abort ??= new AbortController()
        return rare.abort
      },
      facts(request) {
        const text = request.#text ?? ''
        request.#head ??= readRequestHead(request.#known?.textWith(text) ?? text)?.request
        if (request.#head === undefined) throw new Error('a request head that was read once must be readable again')
        return request.#head
      },
    }
    internals = {
      name(request, params) {
        if (Object.keys(params).length > 0) hidden.rarities(request).params = params
      },
      httpVersion: (request) => hidden.facts(request).httpVersion,
      client(request) {
        return request.#rare?.client ?? (request.#source.told ? request.#source.remoteAddress : undefined)
      },
      abort(request, reason) {
        hidden.aborter(request).abort(reason)
      },
      gaveUp(request, error) {
        const signal = request.#rare?.abort?.signal
        if (signal?.aborted !== true) return false
        return error === signal.reason || nameOf(error) === 'AbortError'
      },
      settle(request) {
        if (request.#text !== undefined) request.#head = undefined
        if (request.#rare !== undefined) request.#rare.abort = undefined
      },
    }
  }

  /** `kept` is the head as it came, if it can be read again from there; `client` what trusted proxies say. @internal */
  constructor(head: HandshakeRequest, kept: KeptHead | undefined, source: Source, client: string | undefined) {
    this.#head = kept?.known === undefined ? head : undefined
    this.#text = kept?.text
    this.#known = kept?.known
    this.#source = source
    if (client !== undefined) hidden.rarities(this).client = client
  }

  /**
   * The parts of the path that the route's pattern names, decoded: the pattern `/rooms/:room` gives `room`. The part
   * that `*` stands for has the name `*`, and is not decoded. The object has no prototype.
   */
  get params(): Readonly<Record<string, string>> {
    return this.#rare?.params ?? NO_PARAMS
  }

  /** The request target as the client wrote it: path and query or, through some proxies, the whole URL. */
  get target(): string {
    return hidden.facts(this).target
  }

  /** The path as the client wrote it, without the query and not decoded. */
  get path(): string {
    return readTarget(this.target).path
  }

  /** The parameters of the query, decoded. The object is made anew at each access. */
  get query(): URLSearchParams {
    return new URLSearchParams(readTarget(this.target).query)
  }

  /**
   * The headers by their names in lower case. The values of a header that occurs more than once are joined by `, `;
   * those of Cookie by `; `. The object has no prototype.
   */
  get headers(): Readonly<Record<string, string | undefined>> {
    return hidden.facts(this).headers
  }

  /**
   * The Origin header: the site whose page opened the connection. Browsers always send it; other programs may send
   * anything, or nothing.
   */
  get origin(): string | undefined {
    return this.headers['origin']
  }

  /**
   * The cookies by name, read from the Cookie header at each access. If two cookies have the same name, the first one
   * counts. The values have no quotes, and are not decoded. The object has no prototype.
   */
  get cookies(): Readonly<Record<string, string | undefined>> {
    return readCookies(this.headers['cookie'])
  }

  /** The subprotocols that the client offers, the preferred ones first. */
  get protocols(): readonly string[] {
    return [...(offeredProtocols(this.headers['sec-websocket-protocol']) ?? [])]
  }

  /**
   * The client's IP address: the address of the TCP connection, or the one that a trusted proxy reported. The address
   * of the TCP connection is undefined when the connection has ended.
   */
  get remoteAddress(): string | undefined {
    return this.#rare?.client ?? this.#source.remoteAddress
  }

  /** The version of HTTP: `1.1`, or `2.0` where the connection is a stream of an HTTP/2 session. */
  get httpVersion(): string {
    return hidden.facts(this).httpVersion
  }

  /** Whether the request came over TLS. */
  get secure(): boolean {
    return this.#source.secure
  }

  /**
   * What the TLS handshake has revealed; above all who the client is, if the option `tls` has `requestCert`. Undefined
   * without TLS. It is read when you first ask for it, so ask before the connection ends.
   */
  get tls(): TlsFacts | undefined {
    const tls = this.#rare?.tls ?? this.#source.tls
    if (tls !== undefined) hidden.rarities(this).tls = tls
    return tls
  }

  /**
   * A signal that is aborted when the client leaves, or when the time is up, before `upgrade` has settled. Pass it to
   * whatever `upgrade` waits for.
   */
  get signal(): AbortSignal {
    return hidden.aborter(this).signal
  }
}

/** @internal */
export const requestInternals: RequestInternals = internals

/** An error's name, whichever realm made it. */
function nameOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(Object.create(null))
