// How a session of node:http2 ends when its peer violates HTTP/2. node:http2 says INTERNAL_ERROR whatever it was, and of some
// violations nothing at all: nghttp2 has sent GOAWAY by then and takes nothing more, and the session stays where it is.
import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { queuedIn } from '../../internals/http.js'

/** Error codes (RFC 9113, section 7). */
const INTERNAL_ERROR = 2
const ENHANCE_YOUR_CALM = 11

/** What nghttp2 calls its errors, and the codes that stand for them on the wire. */
const CODES: Readonly<Record<number, number>> = {
  [-505]: 1, // PROTOCOL_ERROR: a frame that may not be there
  [-510]: 5, // STREAM_CLOSED
  [-522]: 6, // FRAME_SIZE_ERROR
  [-523]: 9, // COMPRESSION_ERROR
  [-524]: 3, // FLOW_CONTROL_ERROR
  [-531]: 1, // PROTOCOL_ERROR: fields
  [-532]: 1, // PROTOCOL_ERROR: the order of frames of a message
  [-902]: ENHANCE_YOUR_CALM, // a limit of Node's own
  [-903]: 1, // PROTOCOL_ERROR: the preface
  [-904]: ENHANCE_YOUR_CALM, // a flood
}

/** The code for an error with which node:http2 ends a session. */
export function errorCodeOf(error: unknown): number {
  const number: unknown = Reflect.get(Object(error), 'errno')
  return (typeof number === 'number' ? CODES[number] : undefined) ?? INTERNAL_ERROR
}

/** Has a session end with the code of its error, where node:http2 ends it. */
export function endsWithItsError(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session)
  session.destroy = (error, code) => destroy(error, code ?? (error instanceof Error ? errorCodeOf(error) : undefined))
}

/** Ends a session with an error code. */
export function endWith(session: ServerHttp2Session, code: number): void {
  // Without an error, node:http2 does not look at the code.
  session.destroy(code === 0 ? undefined : new Error(`the session ends with the code ${code} of HTTP/2`), code)
}

/** Finds a session that nghttp2 has given up: it sends nothing more, not even PING. */
export class SessionProbe {
  readonly #session: ServerHttp2Session
  readonly #socket: Socket
  /** Bytes that had come at the last look, and when a PING was answered. */
  #read = 0
  #answered = 0
  #asked = false

  constructor(session: ServerHttp2Session, socket: Socket) {
    this.#session = session
    this.#socket = socket
  }

  /** Whether it has been given up, as far as two calls have seen. A peer that falls silent is sent one PING. */
  look(): boolean {
    const { bytesRead } = this.#socket
    const silent = bytesRead === this.#read
    this.#read = bytesRead
    if (!silent || this.#session.destroyed) {
      this.#asked = false
      return false
    }
    if (this.#asked) return this.#isStuck
    if (bytesRead !== this.#answered) this.#ask()
    return false
  }

  #ask(): void {
    this.#asked = true
    this.#session.ping(() => {
      this.#asked = false
      this.#answered = this.#socket.bytesRead
    })
  }

  /** Whether something waits to be sent, and not for the socket, which a slow peer may have filled. */
  get #isStuck(): boolean {
    return (this.#session.state.outboundQueueSize ?? 0) > 0 && queuedIn(this.#socket) === 0
  }
}
