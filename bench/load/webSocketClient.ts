// Teaches autocannon's HTTP client to speak WebSocket. It knows nothing of frames: it sends what `getRequestBuffer` gives
// it, and takes for an answer whatever its parser calls one (node_modules/autocannon/lib/httpClient.js).
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Client } from 'autocannon'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { FrameCounter } from '../support/frameCounter.js'

type Callback = (info?: { readonly statusCode: number; readonly headers: readonly string[] }) => unknown

/** The parser of http-parser-js, as autocannon uses it: its callbacks are properties with numbers for names. */
interface Parser {
  [callback: number]: Callback
  execute(chunk: Buffer): void
}

interface ParserConstants {
  readonly kOnHeadersComplete: number
  readonly kOnMessageComplete: number
}

/** What autocannon's client has beyond its types. */
interface Internals {
  readonly conn: Socket
  parser: Parser
  getRequestBuffer(): Buffer
}

/** Statuses that answers are reported with; autocannon counts everything but the second as not OK. */
export const UPGRADED = 101
export const ECHOED = 200
const WRONG = 500

const HEAD_END = '\r\n\r\n'

export interface WebSocketLoad {
  readonly url: URL
  /** The masked frame that each request is. */
  readonly frame: Buffer
  /** The payload bytes that its echo must have. */
  readonly length: number
}

/**
 * For autocannon's `setupClient`: the first request of a connection is the upgrade, each other one is a frame. One is
 * in flight for each connection (`pipelining: 1`), because a frame must wait for the upgrade's answer.
 */
export function setupWebSocket(load: WebSocketLoad): (client: Client) => void {
  return (client) => {
    // It is called in the middle of the constructor: the parser is there, and gets its callbacks next.
    const internals = client as unknown as Internals
    const constants = constantsOf(internals.parser)
    const session = new Session(load, (statusCode) => {
      const { parser } = internals
      parser[constants.kOnHeadersComplete]?.({ statusCode, headers: [] })
      parser[constants.kOnMessageComplete]?.()
    })
    internals.parser = { execute: (chunk) => session.receive(chunk) }
    internals.getRequestBuffer = () => session.next(internals.conn)
  }
}

/** They are properties of the parser's class, which is not autocannon's export. */
function constantsOf(parser: Parser): ParserConstants {
  const prototype: { readonly constructor: unknown } = Object.getPrototypeOf(parser)
  const { kOnHeadersComplete, kOnMessageComplete } = prototype.constructor as Partial<ParserConstants>
  if (kOnHeadersComplete === undefined || kOnMessageComplete === undefined) {
    throw new Error('this autocannon has another parser: bench/load/webSocketClient.ts must follow')
  }
  return { kOnHeadersComplete, kOnMessageComplete }
}

/** One client's connection, and the next one when autocannon connects again. */
class Session {
  readonly #load: WebSocketLoad
  readonly #answer: (statusCode: number) => void
  readonly #counter: FrameCounter
  #connection: Socket | undefined
  #key = ''
  /** The response to the upgrade, as far as it is there; undefined once it is complete. */
  #head: Buffer | undefined

  constructor(load: WebSocketLoad, answer: (statusCode: number) => void) {
    this.#load = load
    this.#answer = answer
    this.#counter = new FrameCounter((length, isClose) => {
      answer(!isClose && length === load.length ? ECHOED : WRONG)
    })
  }

  /** The bytes of the next request. */
  next(connection: Socket): Buffer {
    if (connection === this.#connection) return this.#load.frame
    this.#connection = connection
    connection.setNoDelay()
    this.#counter.reset()
    this.#head = Buffer.alloc(0)
    this.#key = randomBytes(16).toString('base64')
    return upgradeRequest(this.#load.url, this.#key)
  }

  receive(chunk: Buffer): void {
    if (this.#head === undefined) return this.#counter.feed(chunk)
    const head = Buffer.concat([this.#head, chunk])
    const end = head.indexOf(HEAD_END)
    this.#head = head
    if (end < 0) return
    this.#head = undefined
    const text = head.toString('latin1', 0, end)
    const accepted = text.startsWith('HTTP/1.1 101 ') && text.includes(acceptKey(this.#key))
    this.#answer(accepted ? UPGRADED : WRONG)
    const rest = head.subarray(end + HEAD_END.length)
    if (accepted && rest.length > 0) this.#counter.feed(rest)
  }
}

function upgradeRequest({ host, pathname }: URL, key: string): Buffer {
  return Buffer.from(
    `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}${HEAD_END}`,
  )
}
