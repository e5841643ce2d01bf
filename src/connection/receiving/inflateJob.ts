// A long part of a compressed message that a thread inflates. What it reads is a copy of what was read from the peer, and
// what it writes goes to the message's region; none of that may be given back while the thread is at work.
import type { Heap } from '../../codec/codec.js'
import type { InflateTask, TaskResult } from '../../codec/codecTask.js'
import { type Block, sizeOfBlock } from '../../codec/heap.js'
import type { Inflater } from '../../codec/inflater.js'
import type { Region } from '../../codec/region.js'
import { runOutside } from '../../internals/context.js'
import type { Budget, Holder } from '../../memory/budget.js'
import type { CodecThreads } from '../../pool/codecThreads.js'

/** Bytes that the objects of a job cost. */
const OBJECTS = 512

export class InflateJob {
  /** Bytes of the part, and those that are inflated. */
  readonly length: number
  taken = 0
  /** The thread has died, or there is none: nothing has happened, and the rest is inflated here. */
  failed = false
  readonly #heap: Heap
  readonly #budget: Budget
  readonly #holder: Holder
  readonly #block: Block
  #result: TaskResult | undefined
  #running = false
  readonly #afterwards: (() => void)[] = []

  private constructor(heap: Heap, budget: Budget, holder: Holder, block: Block, length: number) {
    this.length = length
    this.#heap = heap
    this.#budget = budget
    this.#holder = holder
    this.#block = block
  }

  /** A job for the bytes at `from`; undefined where the budget has no room for their copy. Throws OutOfMemory. */
  static of(heap: Heap, budget: Budget, holder: Holder, from: number, length: number): InflateJob | undefined {
    const cost = sizeOfBlock(length) + OBJECTS
    if (!budget.keep(holder, cost)) return undefined
    let block: Block
    try {
      block = heap.allocate(length)
    } catch (error) {
      budget.release(holder, cost)
      throw error
    }
    heap.codec.call.copy(block.pointer, from, length)
    return new InflateJob(heap, budget, holder, block, length)
  }

  /** Where the part is that is not inflated yet. */
  get pointer(): number {
    return this.#block.pointer + this.taken
  }

  /** Bytes that are not. */
  get left(): number {
    return this.length - this.taken
  }

  /** What the thread has come to: once. */
  takeResult(): TaskResult | undefined {
    const result = this.#result
    this.#result = undefined
    return result
  }

  /** Has a thread do a task of `inflater`, and calls `done` in any case, outside of the context of whoever asked. */
  async run(threads: CodecThreads, inflater: Inflater, task: InflateTask, done: () => void): Promise<void> {
    const before = inflater.save()
    this.#running = true
    try {
      this.#result = await threads.run(task)
    } catch {
      // Where the thread has got to is not known. It has written to the state, and where nothing was yet.
      inflater.restore(before)
      this.failed = true
    }
    this.#running = false
    for (const work of this.#afterwards.splice(0)) work()
    runOutside(done)
  }

  /** Does what must not be done while a thread is at work: now, or when it is done. */
  afterwards(work: () => void): void {
    if (this.#running) this.#afterwards.push(work)
    else work()
  }

  /** Gives the copy back. */
  free(): void {
    this.afterwards(() => {
      this.#heap.free(this.#block)
      this.#budget.release(this.#holder, this.#block.size + OBJECTS)
    })
  }
}

/** Does what must not be done while a thread is at work on a job, if there is one. */
export function afterJob(job: InflateJob | undefined, work: () => void): void {
  if (job === undefined) work()
  else job.afterwards(work)
}

/** Gives up a job, if there is one, and the region that it fills, which must stay while a thread is at work on it. */
export function endJob(job: InflateJob | undefined, region: Region | undefined): void {
  if (job === undefined) return region?.release()
  job.afterwards(() => region?.release())
  job.free()
}
