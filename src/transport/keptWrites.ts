// What node:http2 writes by a stream of its own, as an answer to an ordinary request, lies in memory of the application's. A
// session goes on with what its socket has not taken, even of a stream that has ended, and node:http2 lets the memory of
// that go: so it is kept here (inFlight.ts).
import { Buffer } from 'node:buffer'
import type { Http2Stream } from 'node:http2'
import { InFlight } from './inFlight.js'

type Written = (error?: Error | null) => void

interface Chunk {
  readonly chunk: Uint8Array | string
  readonly encoding: BufferEncoding
}

/** Has all that the stream is written from now on stay as long as its session's socket may send it. */
export function keepWrites(stream: Http2Stream): void {
  const writes = new KeptWrites(stream)
  const { _write: write, _writev: writev } = stream
  stream._write = (chunk: Uint8Array | string, encoding: BufferEncoding, written: Written) => {
    const bytes = bytesOf({ chunk, encoding })
    write.call(stream, bytes, 'buffer' as BufferEncoding, writes.begin([bytes], written))
  }
  stream._writev = (chunks: readonly Chunk[], written: Written) => {
    const pieces = chunks.map(bytesOf)
    const buffers = pieces.map((chunk) => ({ chunk, encoding: 'buffer' as BufferEncoding }))
    writev?.call(stream, buffers, writes.begin(pieces, written))
  }
}

/** A string would be written from memory that nobody but node:http2 has. */
function bytesOf({ chunk, encoding }: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}

class KeptWrites {
  readonly #stream: Http2Stream
  readonly #inFlight: InFlight
  /** Those of the write under way: the stream itself has the next ones. */
  #pieces: readonly Uint8Array[] = []

  constructor(stream: Http2Stream) {
    this.#stream = stream
    this.#inFlight = new InFlight(stream)
    stream.once('close', () => this.#keep())
  }

  /** A write begins; returns by what the stream is to be told of its end. */
  begin(pieces: readonly Uint8Array[], written: Written): Written {
    this.#pieces = pieces
    return (error) => {
      // A stream that is destroyed says that all is well, while its session may have the pieces.
      if (error != null || this.#stream.destroyed) this.#keep()
      else this.#pieces = []
      written(error)
    }
  }

  #keep(): void {
    for (const piece of this.#pieces) this.#inFlight.keep(piece)
    this.#pieces = []
  }
}
