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
export interface PlainHead extends KeptHead {
  /** Of a head that is known, this is the same for all, and has no key. */
  readonly request: HandshakeRequest
  readonly key: string
  readonly length: number
}

/** The request of a head, with its key. */
export function wholeRequest({ request, key, known }: PlainHead): HandshakeRequest {
  return known === undefined ? request : known.requestWith(key)
}

/** A head that has come before. */
export class KnownHead {
  readonly #bytes: Buffer
  readonly #keyAt: number
  /** The request, but for its key. */
  readonly request: HandshakeRequest

  constructor(bytes: Buffer, keyAt: number, { target, headers, repeated }: HandshakeRequest) {
    this.#bytes = bytes
    this.#keyAt = keyAt
    const { [KEY]: _, ...others } = headers
    // V8 looks faster for what is not there in an object's prototype than in an object without one.
    const keyless = Object.create(Object.assign(Object.create(null), others))
    this.request = { method: 'GET', target, httpVersion: '1.1', headers: Object.freeze(keyless), repeated }
  }

  /** The key in the bytes from `start` to `end`, as many as there are of this, if this is the rest of them. */
  keyIn(bytes: Buffer, start: number, end: number): string | undefined {
    const known = this.#bytes
    const from = this.#keyAt
    const to = from + KEY_LENGTH
    if (bytes.compare(known, 0, from, start, start + from) !== 0) return undefined
    if (bytes.compare(known, to, known.length, start + to, end) !== 0) return undefined
    const key = bytes.toString('latin1', start + from, start + to)
    return isKey(key) ? key : undefined
  }

  /** The request with a key. Its headers are those of all, and so have a prototype. */
  requestWith(key: string): HandshakeRequest {
    const headers: Record<string, string> = Object.create(this.request.headers)
    headers[KEY] = key
    return { ...this.request, headers }
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

  /**
   * Reads the head with which a read begins that lies in `bytes` from `start` to `end`; undefined where this lane is not
   * sure, or that is no upgrade to accept. The bytes may be overwritten afterwards.
   */
  read(bytes: Buffer, start = 0, end = bytes.length): PlainHead | undefined {
    const length = end - start
    const known = this.#known.get(length)
    const key = known?.keyIn(bytes, start, end)
    if (known === undefined || key === undefined) return this.#readUnknown(bytes, start, end)
    return { request: known.request, key, text: key, known, length }
  }

  #readUnknown(bytes: Buffer, start: number, end: number): PlainHead | undefined {
    const text = bytes.toString('latin1', start, end)
    const head = readRequestHead(text)
    if (head === undefined || head.length > this.#longest || checkUpgrade(head.request) !== undefined) return undefined
    const { request, length } = head
    const whole = length === end - start
    if (whole && this.#unknown++ % REMEMBERED === 0) this.#remember(text)
    // A part of a string would keep the whole string alive, so the head alone is decoded again.
    const kept = whole ? text : bytes.toString('latin1', start, start + length)
    return { request, key: request.headers[KEY] ?? '', text: kept, known: undefined, length }
  }

  /** The head is read once more: the application is given the request, and may change its headers, which are no other client's. */
  #remember(text: string): void {
    const request = readRequestHead(text)?.request
    const key = request?.headers[KEY] ?? ''
    const at = text.indexOf(key)
    if (request === undefined || key.length !== KEY_LENGTH || text.lastIndexOf(key) !== at) return // it can't be said which of them is the key
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.set(text.length, new KnownHead(Buffer.from(text, 'latin1'), at, request))
  }
}
