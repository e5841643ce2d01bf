// Loads any WebSocket echo server: opens the connections, keeps them busy for a while, and says what it saw.
import { once, setMaxListeners } from 'node:events'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { heapOfThread } from '../codec/codec.js'
import { bucketsOf } from './buckets.js'
import { DeflateMaterial, offerOf } from './deflateMaterial.js'
import { dial } from './dial.js'
import { LoadConnection, type LoadShared } from './loadConnection.js'
import type { LoadOptions } from './options.js'
import { encodeBatch, payloadOf } from './payload.js'
import { type LoadResult, latencyOf } from './result.js'
import { ClosedLoop, record, Schedule } from './strategies.js'

export type { Latency, LoadResult } from './result.js'
export { type LoadOptions, latencyOf }

const HANDSHAKES_AT_ONCE = 64
const DIAL_TIMEOUT = 10_000
/** The load begins when no greeting has come for the first number of milliseconds; after the second at the latest. */
const QUIET = 100
const LONGEST_SETTLING = 1000
/** Most unanswered messages of all connections together: a time is noted for each of them. */
const MOST_UNANSWERED = 2 ** 24
/** Timers are late by up to so many milliseconds. The load spins for so long, so that the server is not charged for it. */
const TIMER_ERROR = 2

/**
 * Runs a load. `measuring` is called when the warm-up is over, `measured` when the time is, before the connections end;
 * aborting `signal` ends the load early, with what was measured. Rejects with a ConnectError if a connection can't be opened.
 */
export async function load(
  options: LoadOptions,
  signal?: AbortSignal,
  measuring?: () => void,
  measured?: () => void,
): Promise<LoadResult> {
  const run = new Run(options)
  signal?.addEventListener('abort', run.stop, { once: true })
  if (signal?.aborted) run.stop()
  try {
    await run.open()
    return await run.measure(measuring, measured)
  } finally {
    signal?.removeEventListener('abort', run.stop)
    await run.close()
  }
}

class Run implements LoadShared {
  readonly heap = heapOfThread()
  readonly batch
  readonly deflate: DeflateMaterial | undefined
  readonly latency: RecordableHistogram = createHistogram()
  measuring = false
  messages = 0
  bytes = 0
  sent = 0
  greetings = 0
  heard = 0
  readonly #options: LoadOptions
  readonly #connections: LoadConnection[] = []
  /** Of each connection, if messages are sent at a fixed rate. */
  readonly #schedules: Schedule[] = []
  /** Aborts when the load is over, for whatever reason. */
  readonly #over = new AbortController()
  #error: string | undefined
  #negotiated: string | undefined

  constructor(options: LoadOptions) {
    this.#options = options
    const { kind, size, rate, pipeline, verify } = options
    const messages = rate > 0 ? 1 : pipeline
    if (kind === 'deflate') {
      this.deflate = new DeflateMaterial(this.heap, size, messages, verify, options.deflate)
      this.batch = this.deflate.batch
    } else this.batch = encodeBatch(this.heap, kind, payloadOf(kind, size), messages, verify)
  }

  readonly stop = (): void => this.#over.abort()

  /** Opens all connections, or gives up on all of them with the first that can't be opened. */
  async open(): Promise<void> {
    const { url, more = [], connections, kind, deflate, http2 = false, reach } = this.#options
    const addresses = [url, ...more]
    const offer = kind === 'deflate' ? offerOf(deflate) : undefined
    const { signal } = this.#over
    setMaxListeners(0, signal)
    let next = 0
    const opener = async (): Promise<void> => {
      while (next < connections && !signal.aborted) {
        const address = addresses[next++ % addresses.length] ?? url
        const dialled = await dial(address, offer, DIAL_TIMEOUT, signal, { ...reach, http2 })
        this.#negotiated ??= dialled.deflate?.answer
        this.#connections.push(new LoadConnection(this, dialled))
      }
    }
    let failure: unknown
    const openers = Array.from({ length: Math.min(connections, HANDSHAKES_AT_ONCE) }, async () => {
      try {
        await opener()
      } catch (error) {
        // Connections that were given up because the load is over are no failures.
        if (!signal.aborted) failure = error
        this.stop()
      }
    })
    await Promise.all(openers)
    if (failure !== undefined) throw failure
  }

  async measure(measuring: (() => void) | undefined, measured: (() => void) | undefined): Promise<LoadResult> {
    const { duration, warmup } = this.#options
    const { signal } = this.#over
    await this.#settle()
    if (signal.aborted) return this.#result(0)
    const over = once(signal, 'abort')
    let started = 0
    // A timer that is late must not make the measured time shorter, so the second one starts with the first one's end.
    let timer = setTimeout(() => {
      this.measuring = true
      started = performance.now()
      timer = setTimeout(this.stop, duration * 1000)
      measuring?.()
    }, warmup * 1000)
    if (this.#options.rate > 0) this.#keepSchedule()
    else for (const connection of this.#connections) new ClosedLoop(this, connection).start()
    await over
    const seconds = this.measuring ? (performance.now() - started) / 1000 : 0
    if (this.measuring) measured?.()
    clearTimeout(timer)
    if (this.measuring) this.#countUnanswered(started)
    return this.#result(seconds)
  }

  async close(): Promise<void> {
    this.measuring = false
    await Promise.all(this.#connections.map((connection) => connection.end()))
    for (const block of this.batch.blocks) this.heap.free(block)
  }

  failed(reason: string): void {
    if (!this.#over.signal.aborted) this.#error ??= reason
    this.stop()
  }

  /** Waits for greetings: many servers say something as soon as a client connects, and that is no answer. */
  async #settle(): Promise<void> {
    const { signal } = this.#over
    const end = performance.now() + LONGEST_SETTLING
    for (let heard = -1; heard !== this.heard && performance.now() < end && !signal.aborted; ) {
      heard = this.heard
      await sleep(QUIET, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Sends what is due, connection after connection, at a pace that no answer changes. */
  #keepSchedule(): void {
    const { signal } = this.#over
    const { rate, connections } = this.#options
    const interval = 1000 / rate
    const most = Math.ceil(MOST_UNANSWERED / connections)
    const schedules = this.#connections.map((connection) => new Schedule(this, connection, most))
    this.#schedules.push(...schedules)
    let due = performance.now()
    let turn = 0
    let timer: NodeJS.Timeout | undefined
    const send = (): void => {
      if (signal.aborted) return
      const now = performance.now()
      for (; due <= now; due += interval) schedules[turn++ % schedules.length]?.add(due)
      const wait = due - now - TIMER_ERROR
      if (wait > 0) timer = setTimeout(send, wait)
      else setImmediate(send)
    }
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    send()
  }

  /** A message that is still unanswered took at least until now. */
  #countUnanswered(started: number): void {
    const now = performance.now()
    for (const { unanswered } of this.#schedules) {
      for (const due of unanswered) if (due >= started) record(this.latency, now - due)
    }
  }

  #result(seconds: number): LoadResult {
    const { messages, bytes, sent, greetings, latency } = this
    const rate = seconds > 0 ? messages / seconds : 0
    return {
      messages,
      seconds,
      messagesPerSecond: rate,
      megabytesPerSecond: (rate * this.#options.size) / 1e6,
      receivedMegabytesPerSecond: seconds > 0 ? bytes / seconds / 1e6 : 0,
      sentMegabytesPerSecond: seconds > 0 ? sent / seconds / 1e6 : 0,
      negotiated: this.#negotiated,
      greetings,
      latency: latencyOf(latency),
      histogram: bucketsOf(latency),
      error: this.#error,
    }
  }
}
