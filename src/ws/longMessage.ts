// A long message of millrace/ws, or a long fragment of one, that is compressed by a thread, or in slices, before its frame is built. All that is sent
// behind it waits meanwhile, as it does behind a Blob.
import { OutOfMemory } from '../codec/codec.js'
import { FIN } from '../codec/frames.js'
import type { Block } from '../codec/heap.js'
import { DeflateJob } from '../connection/sending/deflateJob.js'
import { type Deflation, write } from '../connection/sending/deflation.js'
import { mostBytes } from '../connection/sending/encoder.js'
import type { Outgoing } from '../connection/sending/outgoing.js'
import { report } from '../internals/report.js'
import type { SocketContext } from './socketContext.js'

export class LongMessage {
  readonly #shared: SocketContext
  readonly #deflation: Deflation
  readonly #first: number
  readonly #length: number
  readonly #payload: Block
  readonly #job: DeflateJob
  /** Whether anybody is at work on it, and whether it is compressed. */
  #running = true
  #done = false

  /** A copy of `data`, for a frame with `first` as its first byte, which `deflation` has an engine for. Throws OutOfMemory. */
  constructor(shared: SocketContext, deflation: Deflation, first: number, data: string | Uint8Array) {
    const { heap } = shared
    const most = typeof data === 'string' ? mostBytes(data) : data.length
    this.#shared = shared
    this.#deflation = deflation
    this.#first = first
    this.#payload = heap.allocate(most)
    try {
      this.#length = write(heap.codec, this.#payload.pointer, data, most)
      const engine = deflation.engineFor(first)
      this.#job = new DeflateJob(shared, engine, this.#payload.pointer, this.#length, (first & FIN) !== 0)
    } catch (error) {
      heap.free(this.#payload)
      throw error
    }
  }

  /** Compresses it, unless that is given up; never rejects. */
  async run(): Promise<void> {
    try {
      await this.#job.run()
      this.#done = true
    } catch (error) {
      if (!(error instanceof OutOfMemory)) report(error)
    }
    this.#running = false
    this.#shared.heap.free(this.#payload)
    if (this.#job.givenUp) this.#job.free()
  }

  /** Builds its frame, once it has run; false if it could not be compressed. Throws OutOfMemory. It must not be used after this. */
  frame(outgoing: Outgoing): boolean {
    const job = this.#job
    let framed = false
    try {
      if (this.#done) this.#shared.encoder.payload(outgoing, this.#first, job.pointer, job.written)
      framed = this.#done
    } finally {
      if (framed) job.takeOver()
      else job.free()
    }
    if (framed) this.#deflation.took(this.#first, this.#length, job.written)
    return framed
  }

  /** Nobody waits for it any more. */
  giveUp(): void {
    this.#job.givenUp = true
    if (!this.#running) this.#job.free()
  }
}
