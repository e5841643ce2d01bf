// The pool of threads in which the application's module handles large messages, off the event loop.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import { codecOfThread } from '../codec/codec.js'
import type { Answer, Task, ThreadData } from './task.js'

/** How large messages are handed to a module of the application's. Times in milliseconds. */
export interface LargeOptions {
  /**
   * The module whose default export is a `LargeHandler`: `new URL('./large.js', import.meta.url)`, or an absolute path.
   * It is loaded in every thread of the pool.
   */
  readonly module: URL | string
  /** Payload bytes from which a message is large. At least 32,769. Default 65,536, where the 64-bit tier begins. */
  readonly threshold?: number
  /** Most threads. Default: the processors that this process may use. */
  readonly threads?: number
  /** Time that a message may take; then its thread is ended, and its connection with 1011. 0 is none. Default 30,000. */
  readonly timeout?: number
  /** Time after which a thread without work ends. Default 10,000. */
  readonly idleTimeout?: number
  /** Whether the next messages of a connection wait until its large one is done. Default true. */
  readonly ordered?: boolean
  /** How threads wait for work, as piscina says it. Default `'disabled'`: in no way that takes a core. */
  readonly atomics?: 'async' | 'sync' | 'disabled'
}

export const DEFAULT_THRESHOLD = 65_536

/** Shorter messages may lie in the inbox, which the next read overwrites. */
const LEAST_THRESHOLD = 32_769

export class Pool {
  /** Payload bytes from which a message is large. */
  readonly threshold: number
  readonly ordered: boolean
  readonly #options: LargeOptions
  readonly #module: string
  #threads: Piscina<Task, Answer> | undefined

  /** Throws a RangeError or an Error for options that can't be right; no thread is started. */
  constructor(options: LargeOptions) {
    const { module, threshold = DEFAULT_THRESHOLD, ordered = true } = options
    const url = module instanceof URL ? module : pathToFileURL(module)
    if (url.protocol === 'file:' && !existsSync(url))
      throw new Error(`large.module does not exist: ${fileURLToPath(url)}`)
    if (!Number.isSafeInteger(threshold) || threshold < LEAST_THRESHOLD) {
      throw new RangeError(`large.threshold must be a whole number from ${LEAST_THRESHOLD}, not ${String(threshold)}`)
    }
    this.#options = options
    this.#module = url.href
    this.threshold = threshold
    this.ordered = ordered
  }

  /** Loads the module in a thread; rejects with what it throws. */
  async check(): Promise<void> {
    await this.#run({ pointer: 0, length: -1, isText: false, data: undefined }, undefined)
  }

  /** Runs the module on a payload, which must stay where it is until this settles. */
  async run(task: Task): Promise<Answer> {
    const { timeout = 30_000 } = this.#options
    if (timeout === 0) return this.#run(task, undefined)
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), timeout)
    try {
      return await this.#run(task, controller.signal)
    } catch (error) {
      throw controller.signal.aborted
        ? new Error(`a large message took longer than large.timeout, ${timeout} ms`)
        : error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    const threads = this.#threads
    this.#threads = undefined
    await threads?.destroy()
  }

  #run(task: Task, signal: AbortSignal | undefined): Promise<Answer> {
    this.#threads ??= this.#start()
    return this.#threads.run(task, { signal: signal ?? null })
  }

  #start(): Piscina<Task, Answer> {
    const { threads = availableParallelism(), idleTimeout = 10_000, atomics = 'disabled' } = this.#options
    const workerData: ThreadData = { memory: codecOfThread().memory, module: this.#module }
    const filename = new URL('./worker.js', import.meta.url).href
    return new Piscina({ filename, workerData, minThreads: 0, maxThreads: threads, idleTimeout, atomics })
  }
}
