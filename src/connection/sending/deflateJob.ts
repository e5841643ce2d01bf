// One long piece of a message that is compressed elsewhere: in a thread, or in slices of this one's time where no thread can
// be had. It works on a copy of the engine: until the copy is taken over, nothing has happened, and anything else may.
import type { Heap } from '../../codec/codec.js'
import type { DeflateEngine } from '../../codec/deflateEngine.js'
import type { Block } from '../../codec/heap.js'
import { codecThreads } from '../../pool/codecThreads.js'

/** Bytes that are compressed in one slice, and the room that its end may need on top. */
const SLICE = 65_536
const SLICE_ROOM = 128

/** Whose time it takes where there is no thread. */
export interface JobContext {
  readonly heap: Heap
  readonly slices: { later(work: () => void): void; laterStep(work: () => void): void }
}

export class DeflateJob {
  /** Nobody waits for it any more. */
  givenUp = false
  /** Bytes that were written. */
  written = 0
  readonly #context: JobContext
  readonly #engine: DeflateEngine
  readonly #from: number
  readonly #length: number
  readonly #last: boolean
  readonly #draft: Block
  #copy: DeflateEngine

  /** `last` is whether a message ends with the bytes. Throws OutOfMemory. */
  constructor(context: JobContext, engine: DeflateEngine, from: number, length: number, last: boolean) {
    this.#context = context
    this.#engine = engine
    this.#from = from
    this.#length = length
    this.#last = last
    this.#copy = engine.fork()
    try {
      this.#draft = context.heap.allocate(engine.bound(length) + Math.ceil(length / SLICE) * SLICE_ROOM)
    } catch (error) {
      this.#copy.free()
      throw error
    }
  }

  /** Bytes of the heap that it holds. */
  get size(): number {
    return this.#copy.size + this.#draft.size
  }

  /** Where the compressed bytes are. */
  get pointer(): number {
    return this.#draft.pointer
  }

  /** Does it; the bytes must stay where they are until this settles, also if it is given up. Rejects with OutOfMemory. */
  async run(): Promise<void> {
    const threads = codecThreads()
    if (threads === undefined) return await this.#inSlices()
    try {
      const task = this.#copy.task(this.#from, this.#length, this.pointer, this.#draft.size, this.#last)
      const { written } = await threads.run(task)
      this.#copy.done(this.#from, this.#length)
      this.written = written
    } catch {
      // Where the thread has got to is not known: it is done again, from the beginning. Who gave it up has no engine any more.
      if (this.givenUp) return
      const copy = this.#engine.fork()
      this.#copy.free()
      this.#copy = copy
      await this.#inSlices()
    }
  }

  /** The engine goes on from where this has come to. */
  takeOver(): void {
    this.#engine.adopt(this.#copy)
    this.#context.heap.free(this.#draft)
  }

  /** Gives its memory back, and nothing has happened. */
  free(): void {
    this.#copy.free()
    this.#context.heap.free(this.#draft)
  }

  #inSlices(): Promise<void> {
    return new Promise((resolve, reject) => {
      let done = 0
      const slice = (): void => {
        try {
          if (!this.givenUp) done += this.#slice(done)
        } catch (error) {
          return reject(error)
        }
        if (this.givenUp || done >= this.#length) resolve()
        else this.#context.slices.laterStep(slice)
      }
      this.#context.slices.laterStep(slice)
    })
  }

  #slice(done: number): number {
    const length = Math.min(this.#length - done, SLICE)
    const last = this.#last && done + length === this.#length
    const room = this.#draft.size - this.written
    this.#copy.deflate(this.#from + done, length, this.pointer + this.written, room, last)
    this.written += this.#copy.written
    return length
  }
}
