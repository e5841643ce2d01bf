// Loads any WebSocket echo server: opens the connections, keeps them busy for a while, and says what it saw.
import { once, setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { heapOfThread } from '../codec/codec.js'
import { bucketsOf } from './buckets.js'
import { DeflateMaterial, offerOf } from './deflateMaterial.js'
import { dial } from './dial.js'
import { disorderIn, hasRoomFor, problemOf, unanswered } from './disorder.js'
import { Generator } from './generator.js'
import { Latencies } from './latencies.js'
import { LoadConnection, type LoadShared } from './loadConnection.js'
import type { LoadOptions } from './options.js'
import { encodeBatch, payloadOf } from './payload.js'
import { type LoadResult, latencyOf } from './result.js'
import { SequenceMaterial } from './sequenceMaterial.js'
import { ClosedLoop, record, Schedule } from './strategies.js'
import { type Interval, Timeline } from './timeline.js'

export type { Latency, LoadResult } from './result.js'
export { type LoadOptions, latencyOf }

const HANDSHAKES_AT_ONCE = 64
const DIAL_TIMEOUT = 10_000
/** The load begins when no greeting has come for the first number of milliseconds; after the second at the latest. */
const QUIET = 100
const LONGEST_SETTLING = 1000
/** How long the last answers may take where each message is accounted for, and how often they are looked for; in milliseconds. */
const GRACE = 1000
const POLL = 5
/** Most unanswered messages of all connections together: a time is noted for each of them. */
const MOST_UNANSWERED = 2 ** 24
/** Timers are late by up to so many milliseconds. The load spins for so long, so that the server is not charged for it. */
const TIMER_ERROR = 2

/** What is told of a load while it runs. */
export interface LoadWatch {
  /** An interval is over. */
  interval?(interval: Interval): void
}

/**
 * Runs a load. `measuring` is called when the warm-up is over, `measured` when the time is, before the connections end;
 * aborting `signal` ends the load early, with what was measured. Rejects with a ConnectError if a connection can't be opened.
 */
export async function load(
  options: LoadOptions,
  signal?: AbortSignal,
  measuring?: () => void,
  measured?: () => void,
  watch: LoadWatch = {},
): Promise<LoadResult> {
  const run = new Run(options, watch)
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
  readonly sequences: SequenceMaterial | undefined
  readonly latency = new Latencies()
  stopped = false
  measuring = false
  messages = 0
  bytes = 0
  sent = 0
  greetings = 0
  heard = 0
  readonly #options: LoadOptions
  readonly #timeline: Timeline
  readonly #generator = new Generator()
  readonly #connecting = new Latencies()
  readonly #connections: LoadConnection[] = []
  /** Of each connection, if messages are sent at a fixed rate. */
  readonly #schedules: Schedule[] = []
  /** Aborts when the load is over, for whatever reason. */
  readonly #over = new AbortController()
  #error: string | undefined
  #negotiated: string | undefined

  constructor(options: LoadOptions, { interval }: LoadWatch) {
    this.#options = options
    this.#timeline = new Timeline(this, interval)
    const { kind, size, rate, pipeline, verify } = options
    const messages = rate > 0 ? 1 : pipeline
    if (kind === 'deflate') {
      this.deflate = new DeflateMaterial(this.heap, size, messages, verify, options.deflate)
      this.batch = this.deflate.batch
    } else if (hasRoomFor(options)) {
      this.sequences = new SequenceMaterial(this.heap, kind, size, messages, verify)
      this.batch = this.sequences.batch
    } else this.batch = encodeBatch(this.heap, kind, payloadOf(kind, size), messages, verify)
  }

  get errors(): number {
    const { lost, doubled, reordered } = disorderIn(this.#connections, false)
    return lost + doubled + reordered
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
        const number = next++
        const address = addresses[number % addresses.length] ?? url
        const began = performance.now()
        const dialled = await dial(address, offer, DIAL_TIMEOUT, signal, { ...reach, http2 })
        this.#negotiated ??= dialled.deflate?.answer
        record(this.#connecting, performance.now() - began)
        this.#connections.push(new LoadConnection(this, dialled, undefined, number))
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
      this.#timeline.begin(duration)
      this.#generator.begin()
      timer = setTimeout(this.stop, duration * 1000)
      measuring?.()
    }, warmup * 1000)
    if (this.#options.rate > 0) this.#keepSchedule()
    else for (const connection of this.#connections) new ClosedLoop(this, connection).start()
    await over
    const seconds = this.measuring ? (performance.now() - started) / 1000 : 0
    if (this.measuring) {
      this.#timeline.end()
      measured?.()
    }
    clearTimeout(timer)
    if (this.measuring) this.#countUnanswered(started)
    const result = this.#result(seconds)
    return this.#drained(result)
  }

  /** Waits for answers that are on their way: those that do not come are lost. */
  async #drained(result: LoadResult): Promise<LoadResult> {
    this.measuring = false
    this.stopped = true
    if (this.sequences === undefined) return result
    const end = performance.now() + GRACE
    while (result.error === undefined && unanswered(this.#connections) > 0 && performance.now() < end) await sleep(POLL)
    const disorder = disorderIn(this.#connections, result.error === undefined)
    return { ...result, disorder, error: result.error ?? (result.messages > 0 ? problemOf(disorder) : undefined) }
  }

  async close(): Promise<void> {
    this.measuring = false
    await Promise.all(this.#connections.map((connection) => connection.end()))
    this.sequences?.free()
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
    const { rate, connections, shares = false } = this.#options
    const early = shares ? 0 : TIMER_ERROR
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
      if (due <= now) this.#generator.sentLate(now - due)
      for (; due <= now; due += interval) schedules[turn++ % schedules.length]?.add(shares ? now : due)
      const wait = due - now - early
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
    const { rate: asked } = this.#options
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
      disorder: undefined,
      latencies: latency,
      connecting: this.#connecting,
      intervals: this.#timeline.intervals,
      generator: this.#generator.end(asked),
      error: this.#error,
    }
  }
}
