// A long message that many are sent, compressed once for all of them, by a thread or in slices: whoever is to be sent it
// waits for that. It stands for itself, as what deflatedFrames.ts compresses at once. Nothing is done before somebody asks.
import { compressionOf, heapOfThread, OutOfMemory } from '../../codec/codec.js'
import { Deflater } from '../../codec/deflater.js'
import { FIN, LONGEST_HEADER, payloadBytes, RSV1 } from '../../codec/frames.js'
import { runOutside } from '../../internals/context.js'
import { report } from '../../internals/report.js'
import { SharedBlock, type SharedMemory } from '../../memory/sharedBlock.js'
import { LONG } from '../../pool/codecThreads.js'
import type { DeflatedBytes } from '../deflateTally.js'
import { slicesOfThread } from '../slices.js'
import { SHARED_WINDOW_BITS } from './deflatedFrames.js'
import { DeflateJob } from './deflateJob.js'

/** A frame, and what was compressed in it; nothing was in one that is as it is. */
export interface FormFrame {
  readonly memory: SharedMemory
  readonly pointer: number
  readonly length: number
  readonly deflated: DeflatedBytes | undefined
}

export class DeflatedForm {
  /** The frame as it is. */
  readonly plain: FormFrame
  /** Bytes of its payload. */
  readonly byteLength: number
  #compressed: FormFrame | undefined
  #state: 'idle' | 'running' | 'settled' = 'idle'
  #job: DeflateJob | undefined
  readonly #waiting: (() => void)[] = []
  /** Its maker, and each connection that waits for it. */
  #users = 1

  /** For the frame of a server at `pointer`, whose memory it keeps. */
  constructor(memory: SharedMemory, pointer: number, length: number) {
    this.plain = { memory, pointer, length, deflated: undefined }
    this.byteLength = payloadBytes(heapOfThread().codec.bytes, pointer)
    memory.retain()
  }

  /** Whether a frame with so many bytes of payload takes so long to compress that it is done elsewhere. */
  static isFor(byteLength: number): boolean {
    return byteLength >= LONG.fast
  }

  /** Whether it is known how the message is sent. */
  get settled(): boolean {
    return this.#state === 'settled'
  }

  /** What is sent: compressed, unless that isn't done, or was in vain. */
  get frame(): FormFrame {
    return this.#compressed ?? this.plain
  }

  /** Has it compressed, and calls `call` when it is settled. */
  whenSettled(call: () => void): void {
    this.#waiting.push(call)
    if (this.#state === 'idle') this.#begin()
  }

  retain(): void {
    this.#users++
  }

  /** The last user gives its memory back; whoever has put its frame into the output keeps a share of that. */
  release(): void {
    if (--this.#users > 0) return
    this.plain.memory.release()
    this.#compressed?.memory.release()
    if (this.#job !== undefined) this.#job.givenUp = true
  }

  #begin(): void {
    this.#state = 'running'
    void this.#run()
  }

  async #run(): Promise<void> {
    const { memory } = this.plain
    memory.retain() // a thread may be reading there when nobody waits any more
    try {
      await this.#compress()
    } catch (error) {
      if (!(error instanceof OutOfMemory)) report(error)
    }
    memory.release()
    this.#state = 'settled'
    for (const call of this.#waiting.splice(0)) runOutside(call)
  }

  async #compress(): Promise<void> {
    const heap = heapOfThread()
    const { pointer, length } = this.plain
    const engine = new Deflater(compressionOf(heap), SHARED_WINDOW_BITS)
    try {
      const payload = pointer + length - this.byteLength
      const job = new DeflateJob({ heap, slices: slicesOfThread() }, engine, payload, this.byteLength, true)
      this.#job = job
      try {
        await job.run()
        if (!job.givenUp && job.written < this.byteLength) this.#compressed = this.#framed(job)
      } finally {
        this.#job = undefined
        job.free()
      }
    } finally {
      engine.free()
    }
  }

  #framed({ pointer: source, written }: DeflateJob): FormFrame {
    const heap = heapOfThread()
    const { bytes, call } = heap.codec
    const memory = new SharedBlock(heap, written + LONGEST_HEADER)
    const first = FIN | RSV1 | (bytes[this.plain.pointer] ?? 0)
    const length = call.frame(memory.pointer, first, source, written)
    return { memory, pointer: memory.pointer, length, deflated: { plain: this.byteLength, compressed: written } }
  }
}
