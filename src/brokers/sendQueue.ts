// What waits to be written to one stream, in few large pieces: records of one turn share a block and leave in one
// write, and while it is not done, those that follow gather. The stream's own queue never holds more than one write.
import type { Duplex } from 'node:stream'

const BLOCK_BYTES = 64 * 1024
/** From here on, a record is not worth copying. */
const LARGE_BYTES = 16 * 1024

export class SendQueue {
  readonly #stream: Duplex
  readonly #limit: number
  readonly #written: () => void
  #pieces: Uint8Array[] = []
  #block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  /** What has been reserved in the block, and belongs to no piece yet. */
  #from = 0
  #to = 0
  #waiting = 0
  #writing = false
  #scheduled = false
  #ending = false

  /** `limit`: bytes that may wait; `written` is called whenever some have left. */
  constructor(stream: Duplex, limit: number, written: () => void = () => undefined) {
    this.#stream = stream
    this.#limit = limit
    this.#written = written
  }

  /** Bytes that the stream has not written yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Whether nothing more should be added. A record that was begun may pass the limit, so that each length fits. */
  get full(): boolean {
    return this.#waiting >= this.#limit
  }

  /** Memory for a record of `length` bytes, to be written at once. It leaves with all others of this turn. */
  reserve(length: number): Buffer {
    this.#add(length)
    if (length >= LARGE_BYTES) {
      const own = Buffer.allocUnsafeSlow(length)
      this.#append(own)
      return own
    }
    if (this.#to + length > BLOCK_BYTES) this.#nextBlock()
    const start = this.#to
    this.#to += length
    return this.#block.subarray(start, this.#to)
  }

  /** Adds a record whose bytes will not change. */
  add(record: Buffer): void {
    if (record.length < LARGE_BYTES) return void this.reserve(record.length).set(record)
    this.#add(record.length)
    this.#append(record)
  }

  /** Writes what waits, as soon as the previous write is done. */
  flush(): void {
    if (this.#writing || !this.#stream.writable) return
    if (this.#waiting === 0) {
      if (this.#ending) this.#stream.end()
      return
    }
    this.#cut()
    const pieces = this.#pieces
    this.#pieces = []
    this.#writing = true
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#stream.cork()
    for (const [at, piece] of pieces.entries()) {
      if (at < pieces.length - 1) this.#stream.write(piece)
      else this.#stream.write(piece, (error) => this.#done(bytes, error))
    }
    this.#stream.uncork()
  }

  /** Writes what waits, and ends the stream; resolves when it is closed, after `timeout` ms at the latest. */
  end(timeout: number): Promise<void> {
    const stream = this.#stream
    return new Promise((resolve) => {
      if (stream.closed) return resolve()
      const late = setTimeout(() => stream.destroy(), timeout)
      stream.once('close', () => {
        clearTimeout(late)
        resolve()
      })
      this.#ending = true
      this.flush()
    })
  }

  #done(bytes: number, error: Error | null | undefined): void {
    this.#writing = false
    // The stream is ending, and emits 'close' by itself.
    if (error) return
    this.#waiting -= bytes
    if (this.#waiting === 0) this.#from = this.#to = 0
    this.flush()
    this.#written()
  }

  #add(length: number): void {
    this.#waiting += length
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.flush()
    })
  }

  #append(piece: Buffer): void {
    this.#cut()
    this.#pieces.push(piece)
  }

  #cut(): void {
    if (this.#to > this.#from) this.#pieces.push(this.#block.subarray(this.#from, this.#to))
    this.#from = this.#to
  }

  #nextBlock(): void {
    this.#cut()
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    this.#from = this.#to = 0
  }
}
