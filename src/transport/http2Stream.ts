// A WebSocket over one stream of an HTTP/2 session (RFC 8441). The stream is a Duplex. What differs from others is how it is
// given up: with RST_STREAM; and that what a peer may send while nothing is read is known: the stream's window.
import type { Http2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { DuplexTransport } from './duplex.js'
import type { Receiver } from './transport.js'

/** Bytes that a peer may send on a stream before they are read: SETTINGS_INITIAL_WINDOW_SIZE as RFC 9113 has it. */
export const STREAM_WINDOW = 65_535

/** Most bytes that a stream is given at once: whether its peer reads shows only when all of them have left. */
const PIECE = 65_536

/** Error codes (RFC 9113, section 7). */
const NO_ERROR = 0
const CANCEL = 8

/**
 * Calls `call` when a stream that is finished has sent END_STREAM: node:http2 sends it in a turn of its own, and RST_STREAM
 * would overtake it.
 */
export function afterEnd(call: () => void): void {
  setImmediate(() => setImmediate(call))
}

export class Http2Transport extends DuplexTransport {
  readonly #stream: Http2Stream
  readonly #address: () => string | undefined
  #reader: Receiver | undefined
  /** Whether the window is counted among what is kept. */
  #counted = false
  /** Whether both have said all that they had to say. */
  #over = false

  /** `address` is the address of the session's peer. */
  constructor(stream: Http2Stream, address: () => string | undefined) {
    super(stream, true)
    this.#stream = stream
    this.#address = address
  }

  override get remoteAddress(): string | undefined {
    return this.#address()
  }

  override open(receiver: Receiver): void {
    this.#reader = receiver
    this.#stream.once('close', () => this.#release())
    super.open(receiver)
  }

  /** The peer may go on until the stream's window is full, and the stream keeps that. */
  override pause(): void {
    super.pause()
    const reader = this.#reader
    if (this.#counted || reader === undefined || this.#stream.destroyed) return
    this.#counted = true
    if (reader.waits?.(STREAM_WINDOW) === false) this.#counted = false
  }

  override resume(): void {
    this.#release()
    super.resume()
  }

  /** A peer that takes part in the end has the last word; RST_STREAM is for one that does not. */
  override endBoth(): void {
    this.#stream.end(() => {
      this.#over = true
      afterEnd(() => this.close())
    })
  }

  protected override get piece(): number {
    return PIECE
  }

  /**
   * A connection that is given up is one that TCP would reset, which is CANCEL (RFC 8441, section 5). One that is over has
   * nothing to cancel.
   */
  protected override discard(stream: Duplex): void {
    if (!this.#stream.closed) this.#stream.close(this.#over ? NO_ERROR : CANCEL)
    stream.destroy()
  }

  #release(): void {
    if (!this.#counted) return
    this.#counted = false
    this.#reader?.waits?.(-STREAM_WINDOW)
  }
}
