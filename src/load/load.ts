// Loads any WebSocket echo server: opens the connections, keeps them busy for a while, and says what it saw.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { codecOfThread, heapOfThread } from '../codec/codec.js'
import { OPCODE_BINARY, OPCODE_TEXT } from '../codec/wasm.generated.js'
import { dial } from './dial.js'
import { EchoVerifier } from './echoVerifier.js'
import { LoadConnection, type LoadShared } from './loadConnection.js'
import { encodeBatch, type PayloadKind, payloadOf } from './payload.js'

export interface LoadOptions {
  readonly url: URL
  readonly connections: number
  /** Payload bytes of a message. */
  readonly size: number
  /** Messages of a connection in flight. */
  readonly pipeline: number
  /** Seconds that are measured, after `warmup` seconds that are not. */
  readonly duration: number
  readonly warmup: number
  readonly kind: PayloadKind
  /** Compare every byte of every answer. Not for `deflate`. */
  readonly verify: boolean
  /** Messages a second over all connections, sent on schedule whether or not answers came; 0 sends as fast as they come. */
  readonly rate: number
}

/** Latencies in microseconds: of a whole batch, or, at a fixed rate, of a message from when it was due. */
export interface Latency {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface LoadResult {
  /** Messages answered, and the seconds that took. */
  readonly messages: number
  readonly seconds: number
  readonly messagesPerSecond: number
  readonly megabytesPerSecond: number
  readonly latency: Latency
  /** Why the load ended before its time, if it did. */
  readonly error: string | undefined
}

const HANDSHAKES_AT_ONCE = 64
const DIAL_TIMEOUT = 10_000
/** How often messages at a fixed rate are sent, in milliseconds. */
const TICK = 1

/**
 * Runs a load. `measuring` is called when the warm-up is over; aborting `signal` ends the load early, with what was
 * measured. Rejects with a DialError if a connection can't be opened.
 */
export async function load(options: LoadOptions, signal?: AbortSignal, measuring?: () => void): Promise<LoadResult> {
  const run = new Run(options)
  try {
    await run.open()
    return await run.measure(signal, measuring)
  } finally {
    await run.close()
  }
}

class Run implements LoadShared {
  readonly codec = codecOfThread()
  readonly heap = heapOfThread()
  readonly batch
  readonly latency: RecordableHistogram = createHistogram()
  readonly scheduled: boolean
  measuring = false
  messages = 0
  readonly #options: LoadOptions
  readonly #payload: Buffer
  readonly #connections: LoadConnection[] = []
  #stop: () => void = () => undefined
  #error: string | undefined

  constructor(options: LoadOptions) {
    this.#options = options
    this.#payload = payloadOf(options.kind, options.size)
    this.batch = encodeBatch(
      this.codec,
      this.heap,
      options.kind,
      this.#payload,
      options.rate > 0 ? 1 : options.pipeline,
    )
    this.scheduled = options.rate > 0
  }

  async open(): Promise<void> {
    const { url, connections, kind } = this.#options
    let next = 0
    const opener = async (): Promise<void> => {
      while (next++ < connections) {
        const dialled = await dial(url, kind === 'deflate', DIAL_TIMEOUT)
        this.#connections.push(new LoadConnection(this, dialled, this.#verifier()))
      }
    }
    await Promise.all(Array.from({ length: Math.min(connections, HANDSHAKES_AT_ONCE) }, opener))
  }

  async measure(signal: AbortSignal | undefined, measuring: (() => void) | undefined): Promise<LoadResult> {
    const { duration, warmup } = this.#options
    const stopped = new Promise<void>((resolve) => {
      this.#stop = resolve
    })
    if (signal?.aborted || this.#error !== undefined) this.#stop()
    signal?.addEventListener('abort', this.#stop, { once: true })
    const schedule = this.scheduled ? this.#keepSchedule() : undefined
    if (!this.scheduled) for (const connection of this.#connections) connection.start()
    let started = performance.now()
    const warm = setTimeout(() => {
      this.measuring = true
      started = performance.now()
      measuring?.()
    }, warmup * 1000)
    const over = setTimeout(this.#stop, (warmup + duration) * 1000)
    await stopped
    const seconds = this.measuring ? (performance.now() - started) / 1000 : 0
    clearTimeout(warm)
    clearTimeout(over)
    clearInterval(schedule)
    this.#countUnanswered(started)
    return this.#result(seconds)
  }

  async close(): Promise<void> {
    this.measuring = false
    await Promise.all(this.#connections.map((connection) => connection.end()))
  }

  failed(reason: string): void {
    this.#error ??= reason
    this.#stop()
  }

  #verifier(): EchoVerifier | undefined {
    const { verify, kind } = this.#options
    const opcode = kind === 'binary' ? OPCODE_BINARY : OPCODE_TEXT
    return verify ? new EchoVerifier(this.codec, this.heap, opcode, this.#payload) : undefined
  }

  /** Sends what is due, connection after connection, at a pace that no answer changes. */
  #keepSchedule(): NodeJS.Timeout {
    const interval = 1000 / this.#options.rate
    let due = performance.now()
    let turn = 0
    return setInterval(() => {
      for (const now = performance.now(); due <= now; due += interval) {
        this.#connections[turn++ % this.#connections.length]?.schedule(due)
      }
    }, TICK)
  }

  /** A message that is still unanswered took at least until now. */
  #countUnanswered(started: number): void {
    const now = performance.now()
    for (const connection of this.#connections) {
      for (const due of connection.unanswered) {
        if (due >= started) this.latency.record(Math.max(1, Math.round((now - due) * 1e6)))
      }
    }
  }

  #result(seconds: number): LoadResult {
    const { messages, latency } = this
    const micros = (quantile: number): number => (latency.count === 0 ? 0 : latency.percentile(quantile) / 1000)
    const rate = seconds > 0 ? messages / seconds : 0
    return {
      messages,
      seconds,
      messagesPerSecond: rate,
      megabytesPerSecond: (rate * this.#options.size) / 1e6,
      latency: {
        p50: micros(50),
        p90: micros(90),
        p99: micros(99),
        p999: micros(99.9),
        max: latency.count === 0 ? 0 : latency.max / 1000,
      },
      error: this.#error,
    }
  }
}
