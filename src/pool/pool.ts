// The pool of threads in which the application's module handles large messages, off the event loop.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Piscina } from 'piscina'
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { largeQuantities } from '../checks/quantities.js'
import { largeOptions } from '../checks/tables.js'
import { codecOfThread } from '../codec/codec.js'
import { ownFile, packageFor } from '../internals/packages.js'
import { report } from '../internals/report.js'
import { Counts } from '../metrics/counts.js'
import { InvalidJson } from '../protocol/invalidJson.js'
import { AtMost } from './atMost.js'
import type { Failure, LargeResult, Outcome, Task, ThreadData } from './task.js'
import { runIn, type ThreadsPackage } from './threads.js'

/** How large messages are handed to a module of yours. Times are in milliseconds. */
export interface LargeOptions {
  /**
   * The module whose default export is a `LargeHandler`: `new URL('./large.js', import.meta.url)`, or an absolute path.
   * Every thread of the pool loads it.
   */
  readonly module: URL | string
  /** A message with at least this many payload bytes is large. At least 32,769. Default: 65,536. */
  readonly threshold?: number
  /** The largest number of threads. At least 1. Default: the processors that this process may use. */
  readonly threads?: number
  /**
   * How many messages of all connections may wait for a thread. If a connection adds one more, the server stops reading
   * from it until that message is done; no message fails because of this. Default: 256.
   */
  readonly queue?: number
  /**
   * How long a message may take from the moment a thread takes it, including the start of the thread and the loading of
   * the module. After that, the thread is ended, and the connection is closed with 1011. 0 means "no limit". Default:
   * 30,000.
   */
  readonly timeout?: number
  /** How long a thread without work is kept. Default: 10,000. */
  readonly idleTimeout?: number
  /** Whether later messages of a connection wait until its large message is done. Default: true. */
  readonly ordered?: boolean
  /**
   * The option `atomics` of piscina: how waiting threads are woken. Default: `'disabled'`, so that waiting threads use
   * no CPU.
   */
  readonly atomics?: 'async' | 'sync' | 'disabled'
}

const { threshold: THRESHOLD, queue: QUEUE, timeout: TIMEOUT, idleTimeout: IDLE_TIMEOUT } = largeQuantities

export class Pool {
  /** Payload bytes from which a message is large. */
  readonly threshold: number
  readonly ordered: boolean
  readonly #options: LargeOptions
  readonly #module: string
  readonly #counts: Counts
  /** The class of the pool of threads, and the file that each thread runs. */
  readonly #piscina: ThreadsPackage['Piscina']
  readonly #worker: string
  #threads: Piscina<Task, Outcome> | undefined
  /** Tasks wait for a thread here and not in piscina, so that a message's time begins when it gets one. */
  readonly #turns: AtMost

  /** Throws a RangeError or an Error for options that can't be right; no thread is started. */
  constructor(options: LargeOptions, counts: Counts = new Counts()) {
    checkOptions(options, largeOptions)
    const { module, threshold = THRESHOLD.byDefault, threads = availableParallelism(), ordered = true } = options
    if (module === undefined)
      throw callerError('ERR_OPTION_MISSING', "large needs a module: new URL('./large.js', import.meta.url)")
    const url = typeof module === 'string' ? pathToFileURL(module) : new URL(module) // the URL may be of another realm
    if (url.protocol === 'file:' && !existsSync(url))
      throw callerError('ERR_LARGE_MODULE_MISSING', `large.module does not exist: ${fileURLToPath(url)}`)
    this.#piscina = packageFor<ThreadsPackage>('the option large', 'piscina').Piscina
    this.#worker = ownFile('the option large', './worker.js', import.meta.url)
    this.#options = options
    this.#counts = counts
    this.#module = url.href
    this.#turns = new AtMost(threads)
    this.threshold = threshold
    this.ordered = ordered
  }

  /** Whether as many messages wait for a thread as may. */
  get full(): boolean {
    const { queue = QUEUE.byDefault } = this.#options
    return this.#turns.isFull(queue)
  }

  /** Loads the module in a thread; rejects with what it throws. */
  async check(): Promise<void> {
    await this.#inThread({ pointer: 0, length: -1, isText: false, data: undefined }, this)
  }

  /**
   * Runs the module on a payload, which must stay where it is until this settles. A thread that is ended may read it, and
   * write, to its last moment: this settles after that. Rejects with an InvalidJson if the message, which is from
   * `source`, should be JSON and is not.
   */
  run(task: Task, source: object): Promise<LargeResult> {
    const counts = this.#counts
    const asked = performance.now()
    counts.add('poolQueue')
    return this.#turns.run(async () => {
      const began = performance.now()
      counts.add('poolQueue', -1)
      counts.add('poolRunning')
      counts.observe('poolWait', (began - asked) / 1000)
      try {
        return await this.#inThread(task, source, this.#options.timeout)
      } finally {
        counts.add('poolRunning', -1)
        counts.add('poolMessages')
        counts.add('poolBusy', (performance.now() - began) / 1000)
      }
    })
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    const threads = this.#threads
    this.#threads = undefined
    await threads?.destroy()
  }

  async #inThread(task: Task, source: object, timeout: number = TIMEOUT.byDefault): Promise<LargeResult> {
    this.#threads ??= this.#start()
    const threads = this.#threads
    const controller = new AbortController()
    const answer = runIn(threads, task, { signal: controller.signal })
    const timer = timeout === 0 ? undefined : setTimeout(() => controller.abort(), timeout)
    try {
      const outcome = await answer
      if ('failure' in outcome) throw errorOf(outcome.failure, source)
      return outcome
    } catch (error) {
      throw controller.signal.aborted
        ? callerError('ERR_LARGE_TIMEOUT', `a large message took longer than large.timeout, ${timeout} ms`)
        : error
    } finally {
      clearTimeout(timer)
    }
  }

  #start(): Piscina<Task, Outcome> {
    const { idleTimeout = IDLE_TIMEOUT.byDefault, atomics = 'disabled' } = this.#options
    const workerData: ThreadData = { memory: codecOfThread().memory, module: this.#module }
    const threads = { minThreads: 0, maxThreads: this.#turns.most, idleTimeout, atomics }
    const pool = new this.#piscina<Task, Outcome>({ filename: this.#worker, workerData, ...threads })
    // This is an error of a thread between two messages, in a timer of the module's, for instance. The thread is replaced.
    pool.on('error', report)
    return pool
  }
}

/** The error that a thread has reported about a message from `source`, with the stack that it had in the thread. */
function errorOf({ code, message, stack, fromMessage }: Failure, source: object): Error {
  const error = fromMessage ? new InvalidJson(message, source) : callerError(code, message)
  if (stack !== undefined) error.stack = stack
  return error
}
