// What a socket is opened with that an opening handshake has made a WebSocket of: what both sides have agreed on, and the
// options that `setSocket` takes.
import type { Buffer } from 'node:buffer'
import type { Agreed } from '../connection/deflateAgreements.js'

/** The options of `WebSocket.setSocket`, as far as they say how the connection works. */
export interface SocketOptions {
  /** Whether several events may be emitted in one turn of the event loop. Default: true. */
  readonly allowSynchronousEvents?: boolean | undefined
  /** Fills the masking key of each frame that a client sends. Default: from random numbers. */
  readonly generateMask?: ((key: Buffer) => void) | undefined
  /** The most parts of a message that may wait for the rest; 0, the default, is any number. */
  readonly maxBufferedChunks?: number | undefined
  /** The most frames of a message; 0, the default, is any number. */
  readonly maxFragments?: number | undefined
  /** The longest message in bytes; 0, the default, is any length. */
  readonly maxPayload?: number | undefined
  /** Whether text and reasons for closing may be anything but UTF-8. Default: false. */
  readonly skipUTF8Validation?: boolean | undefined
}

/** What the opening handshake has come to. */
export interface Agreement {
  /** The whole response, which has not been written: it leaves with the first frames. */
  readonly response: string
  /** The subprotocol; empty if there is none. */
  readonly protocol: string
  /** How messages are compressed, if that was agreed on. */
  readonly deflate?: Agreed | undefined
}
