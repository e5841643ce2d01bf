// The threads in which long messages are compressed and inflated, off the event loop. They work in the codec's memory: what
// is handed over is numbers, and nothing is copied. Their memory and their number belong to the thread that has them.
import { availableParallelism, platform } from 'node:os'
import type { Piscina } from 'piscina'
import { codecOfThread, heapOfThread } from '../codec/codec.js'
import type { CodecTask, TaskResult } from '../codec/codecTask.js'
import { WORKSPACE_BYTES } from '../codec/compression.js'
import { ownFile, packageFor } from '../internals/packages.js'
import { report } from '../internals/report.js'
import { AtMost } from './atMost.js'
import type { MappedMemory } from './task.js'
import { runIn, type ThreadsPackage } from './threads.js'

/**
 * Bytes from which a piece is handed over: of what is to be compressed by the codec or by zlib, and of what is to be inflated.
 * To hand over costs this thread as much as to do shorter ones: `npm run bench:codec -- --only thread`, and `--only levels`.
 */
export const LONG = { fast: 131_072, best: 16_384, inflate: 32_768 } as const

const IDLE_TIMEOUT = 10_000
const MOST_THREADS = 4

/** After so many failures in a row, nothing is handed over any more. */
const FAILURES = 3

const USER = 'the option deflate'

/** A task, and the workspace for it. */
export interface PlacedTask {
  readonly workspace: number
  readonly task: CodecTask
}

export interface CodecThreadData {
  readonly memory: MappedMemory
}

export class CodecThreads {
  /** The most threads. */
  readonly most: number
  #threads: Piscina<PlacedTask, TaskResult> | undefined
  readonly #turns: AtMost
  #failures = 0

  constructor(most: number) {
    this.most = most
    this.#turns = new AtMost(most)
  }

  /** Whether anything may be handed over: where threads can't be had, or do not live, each does its own work. */
  get usable(): boolean {
    return this.#failures < FAILURES
  }

  /**
   * Does a task in a thread. All that it points to must stay where it is until this settles. Rejects where no thread can be
   * had, and if the thread dies: then what the task writes may be half written. Rejects with OutOfMemory without a workspace.
   */
  run(task: CodecTask): Promise<TaskResult> {
    return this.#turns.run(() => this.#run(task))
  }

  /** Ends the threads; the next task starts others. */
  async close(): Promise<void> {
    const threads = this.#threads
    this.#threads = undefined
    await threads?.destroy()
  }

  async #run(task: CodecTask): Promise<TaskResult> {
    const heap = heapOfThread()
    const workspace = heap.allocate(WORKSPACE_BYTES)
    try {
      this.#threads ??= this.#start()
      const result = await runIn(this.#threads, { workspace: workspace.pointer, task })
      this.#failures = 0
      return result
    } catch (error) {
      this.#failures++
      throw error
    } finally {
      heap.free(workspace)
    }
  }

  #start(): Piscina<PlacedTask, TaskResult> {
    const { Piscina: Pool } = packageFor<ThreadsPackage>(USER, 'piscina')
    const filename = ownFile(USER, './codecWorker.js', import.meta.url)
    const workerData: CodecThreadData = { memory: codecOfThread().memory }
    const threads = { minThreads: 0, maxThreads: this.most, idleTimeout: IDLE_TIMEOUT }
    const pool = new Pool<PlacedTask, TaskResult>({ filename, workerData, ...threads, atomics: 'disabled' })
    pool.on('error', report)
    return pool
  }
}

let made: CodecThreads | undefined

/**
 * The most threads where so many processors are free. One processor is shared with a thread where the system lets that one
 * go last, as Linux does: it works while the event loop waits, and is put aside at once for it, which no slice can be.
 */
export function mostThreads(processors: number, system: NodeJS.Platform): number {
  return Math.min(Math.max(processors - 1, system === 'linux' ? 1 : 0), MOST_THREADS)
}

/** The threads that do long work of this one, if they can be had. Where not, each does its own work, in slices. */
export function codecThreads(): CodecThreads | undefined {
  made ??= new CodecThreads(mostThreads(availableParallelism(), platform()))
  return made.most > 0 && made.usable ? made : undefined
}
