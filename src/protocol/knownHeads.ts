// Request heads as the first lane reads them. Clients of one kind send the same head each time, but for the key: what was
// read before need not be read again, nor kept again. So of a head that is known, a connection keeps the key alone.
import { Buffer } from 'node:buffer'
import { checkUpgrade, type HandshakeRequest, isKey } from './openingHandshake.js'
import { readRequestHead } from './requestHead.js'

/** How many heads are known at most, and which of those that are not known is remembered: to copy each would cost time. */
const MOST_KNOWN = 64
const REMEMBERED = 16

/** Characters of a Sec-WebSocket-Key. */
const KEY_LENGTH = 24
const KEY = 'sec-websocket-key'

/** What is kept of a head, from which it can be read again. */
export interface KeptHead {
  /** The head as it came; or its key alone, where the rest is in `known`. */
  readonly text: string
  readonly known: KnownHead | undefined
}

/** A request that keeps section 4.2.1, and how many bytes its head took. */
export interface PlainHead {
  readonly request: HandshakeRequest
  readonly kept: KeptHead
  readonly length: number
}

/** A head that has come before. */
export class KnownHead {
  readonly #bytes: Buffer
  readonly #keyAt: number
  readonly #request: HandshakeRequest

  constructor(bytes: Buffer, keyAt: number, request: HandshakeRequest) {
    this.#bytes = bytes
    this.#keyAt = keyAt
    this.#request = request
  }

  /** The key in `bytes`, if this is the rest of them. */
  keyIn(bytes: Buffer): string | undefined {
    const known = this.#bytes
    const from = this.#keyAt
    const to = from + KEY_LENGTH
    if (bytes.length !== known.length || bytes.compare(known, 0, from, 0, from) !== 0) return undefined
    if (bytes.compare(known, to, known.length, to, known.length) !== 0) return undefined
    const key = bytes.toString('latin1', from, to)
    return isKey(key) ? key : undefined
  }

  /** The request with another key. Its headers are those of this one, and so have a prototype. */
  requestWith(key: string): HandshakeRequest {
    const { target, headers: known, repeated } = this.#request
    const headers: Record<string, string> = Object.create(known)
    headers[KEY] = key
    return { method: 'GET', target, httpVersion: '1.1', headers, repeated }
  }

  /** The head with another key, as it came. */
  textWith(key: string): string {
    const bytes = this.#bytes
    return `${bytes.toString('latin1', 0, this.#keyAt)}${key}${bytes.toString('latin1', this.#keyAt + KEY_LENGTH)}`
  }
}

/** Reads heads, and knows some of those that it has read, by their lengths. */
export class PlainHeads {
  readonly #longest: number
  readonly #known = new Map<number, KnownHead>()
  #unknown = 0

  /** Longer heads are not read. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** Reads the head that a read begins with; undefined where this lane is not sure, or that is no upgrade to accept. */
  read(chunk: Buffer): PlainHead | undefined {
    const known = this.#known.get(chunk.length)
    const key = known?.keyIn(chunk)
    if (known === undefined || key === undefined) return this.#readUnknown(chunk)
    return { request: known.requestWith(key), kept: { text: key, known }, length: chunk.length }
  }

  #readUnknown(chunk: Buffer): PlainHead | undefined {
    const text = chunk.toString('latin1')
    const head = readRequestHead(text)
    if (head === undefined || head.length > this.#longest || checkUpgrade(head.request) !== undefined) return undefined
    const { request, length } = head
    if (length === chunk.length && this.#unknown++ % REMEMBERED === 0) this.#remember(chunk, text)
    // A part of a string would keep the whole string alive, so the head alone is decoded again.
    const kept = length === chunk.length ? text : chunk.toString('latin1', 0, length)
    return { request, kept: { text: kept, known: undefined }, length }
  }

  /** The head is read once more: the application is given the request, and may change its headers, which are no other client's. */
  #remember(chunk: Buffer, text: string): void {
    const request = readRequestHead(text)?.request
    const key = request?.headers[KEY] ?? ''
    const at = text.indexOf(key)
    if (request === undefined || key.length !== KEY_LENGTH || text.lastIndexOf(key) !== at) return // it can't be said which of them is the key
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.set(chunk.length, new KnownHead(Buffer.from(chunk), at, request))
  }
}
