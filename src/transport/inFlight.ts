// Pieces of streams that have ended while their session's socket has not taken all that it was given. Of a piece that a window
// has cut in two, a session of node:http2 keeps but the address: with the stream, node:http2 lets the piece go, and what the
// socket sends from there would be whatever has come to lie there since.
import type { Http2Stream } from 'node:http2'
import { type SocketHandle, socketHandleOf } from '../internals/http2.js'

interface Kept {
  readonly handle: SocketHandle
  /** How many bytes must have left until nothing of it is under way. */
  readonly mark: number
  readonly piece: Uint8Array
}

/** Milliseconds between two looks at whether pieces are needed no more. */
const LOOK = 100

let kept: Kept[] = []
let timer: NodeJS.Timeout | undefined

/** How many pieces are kept. */
export function piecesKept(): number {
  return kept.length
}

function isUnderWay({ handle, mark }: Kept): boolean {
  const { bytesWritten = 0, writeQueueSize = 0 } = handle
  return writeQueueSize > 0 && bytesWritten - writeQueueSize < mark
}

function look(): void {
  kept = kept.filter(isUnderWay)
  if (kept.length > 0) return
  clearInterval(timer)
  timer = undefined
}

/** What one stream has given its session. */
export class InFlight {
  readonly #handle: SocketHandle | undefined
  /** Bytes that the socket had been given when the stream began. */
  readonly #begun: number

  constructor(stream: Http2Stream) {
    this.#handle = socketHandleOf(stream)
    this.#begun = this.#handle?.bytesWritten ?? 0
  }

  /** Keeps a piece of a stream that ends for as long as the socket may still send from it. */
  keep(piece: Uint8Array): void {
    if (this.#handle === undefined) return
    // The stream is taken from its session in a turn of its own: until then, the session may still give the socket some of it.
    setImmediate(() => setImmediate(() => this.#keepAfterEnd(piece)))
  }

  #keepAfterEnd(piece: Uint8Array): void {
    const handle = this.#handle
    const mark = handle?.bytesWritten ?? 0
    if (handle === undefined || mark === this.#begun) return // nothing of the stream has been given to the socket
    const one = { handle, mark, piece }
    if (!isUnderWay(one)) return
    kept.push(one)
    timer ??= setInterval(look, LOOK).unref()
  }
}
