// Compresses and inflates what a program hands to a PerMessageDeflate that it has made by itself: by streams of zlib's own, with
// the options that are theirs. A WebSocket of this room compresses in another way.
import { Buffer } from 'node:buffer'
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  type InflateRaw,
  type ZlibOptions,
} from 'node:zlib'
import { deflateClosed, inflationError, messageTooLong } from './errors.js'

/** Is given the bytes, or why there are none. */
export type Compressed = (error: Error | null, bytes?: Buffer) => void

/** How one direction works. */
export interface StreamFacts {
  readonly options: ZlibOptions | undefined
  readonly windowBits: number
  /** Whether each message is compressed for itself. */
  readonly startsAnew: boolean
}

/** What a message lacks that zlib ends with (RFC 7692, section 7.2.1). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

/** The bytes that a stream has given since they were last taken. */
class Output {
  length = 0
  #chunks: Buffer[] = []

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.length += chunk.length
  }

  take(): Buffer {
    const bytes = Buffer.concat(this.#chunks, this.length)
    this.#chunks = []
    this.length = 0
    return bytes
  }
}

export class HandDeflation {
  readonly #facts: StreamFacts
  readonly #stream: DeflateRaw
  readonly #output = new Output()
  #callback: Compressed | undefined

  constructor(facts: StreamFacts) {
    this.#facts = facts
    this.#stream = createDeflateRaw({ ...facts.options, windowBits: facts.windowBits })
    this.#stream.on('data', (chunk) => this.#output.add(chunk))
  }

  compress(data: string | Uint8Array, fin: boolean, callback: Compressed): void {
    this.#callback = callback
    this.#stream.write(data)
    this.#stream.flush(constants.Z_SYNC_FLUSH, () => {
      if (this.#callback === undefined) return // it was closed meanwhile
      this.#callback = undefined
      const bytes = this.#output.take()
      if (fin && this.#facts.startsAnew) this.#stream.reset()
      callback(null, fin ? bytes.subarray(0, bytes.length - TAIL.length) : bytes)
    })
  }

  close(): void {
    const callback = this.#callback
    this.#callback = undefined
    this.#stream.close()
    callback?.(deflateClosed())
  }
}

export class HandInflation {
  readonly #facts: StreamFacts
  /** The most bytes of a message; 0 is any number. */
  readonly #most: number
  #stream: InflateRaw | undefined
  #output = new Output()
  #callback: Compressed | undefined

  constructor(facts: StreamFacts, most: number) {
    this.#facts = facts
    this.#most = most
  }

  decompress(data: Uint8Array, fin: boolean, callback: Compressed): void {
    this.#callback = callback
    this.#stream ??= this.#made()
    const stream = this.#stream
    stream.write(data)
    if (fin) stream.write(TAIL)
    stream.flush(() => this.#flushed(stream, fin))
  }

  close(): void {
    this.#stream?.close()
    this.#stream = undefined
  }

  #made(): InflateRaw {
    const { options, windowBits } = this.#facts
    const stream = createInflateRaw({ ...options, windowBits })
    this.#output = new Output()
    stream.on('error', (error) => this.#tell(stream, inflationError(error)))
    stream.on('data', (chunk) => {
      this.#output.add(chunk)
      if (this.#most > 0 && this.#output.length > this.#most) this.#tell(stream, messageTooLong())
    })
    return stream
  }

  #flushed(stream: InflateRaw, fin: boolean): void {
    if (stream !== this.#stream) return // it has failed
    if (stream.readableEnded) this.close()
    else if (fin && this.#facts.startsAnew) stream.reset()
    this.#answer(null, this.#output.take())
  }

  #tell(stream: InflateRaw, error: Error): void {
    if (stream !== this.#stream) return
    this.close()
    this.#answer(error)
  }

  #answer(error: Error | null, bytes?: Buffer): void {
    const callback = this.#callback
    this.#callback = undefined
    if (error !== null) callback?.(error)
    else callback?.(null, bytes)
  }
}
