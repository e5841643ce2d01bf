// The loads that src/load does not have: JSON documents, which a server parses and answers in a word, and one message
// from every connection at once.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { heapOfThread } from '../../src/codec/codec.js'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import { LoadConnection, type LoadShared } from '../../src/load/loadConnection.js'
import { ANY, encodeBatch, payloadOf } from '../../src/load/payload.js'
import { jsonOf } from '../codec/material.js'
import { dialAll } from './dialAll.js'

type Options = Pick<LoadOptions, 'url' | 'connections' | 'size' | 'duration' | 'warmup'>
type Result = Pick<LoadResult, 'messages' | 'messagesPerSecond' | 'latency'>

/** How long the answers may take after their time is over, in milliseconds. */
const PATIENCE = 60_000

/**
 * Each connection sends a document of `size` bytes, and the next one when it has its answer. What is measured begins and
 * ends with an answer, so that no part of a message counts. Rejects if a connection fails.
 */
export async function documents(options: Options, measuring?: () => void, measured?: () => void): Promise<Result> {
  const load = new LargeLoad('text', jsonOf(options.size), false)
  try {
    await load.open(options)
    load.start()
    await wait(options.warmup * 1000)
    await load.answers(1)
    const started = load.reset()
    measuring?.()
    await wait(options.duration * 1000)
    await load.answers(load.messages + 1)
    return load.result(started, measured)
  } finally {
    await load.close()
  }
}

/** Every connection sends one binary message of `size` bytes, all at once. Rejects if one of them is not answered. */
export async function volley(options: Options, measuring?: () => void, measured?: () => void): Promise<Result> {
  const load = new LargeLoad('binary', payloadOf('binary', options.size), true)
  try {
    await load.open(options)
    const started = load.reset()
    measuring?.()
    load.start()
    await load.answers(options.connections)
    return load.result(started, measured)
  } finally {
    await load.close()
  }
}

class LargeLoad implements LoadShared {
  readonly heap = heapOfThread()
  readonly batch
  readonly latency: RecordableHistogram = createHistogram()
  readonly scheduled: boolean
  /** All that is answered goes through `messages`, which sorts it out. */
  readonly measuring = true
  readonly mostUnanswered = 1
  bytes = 0
  greetings = 0
  heard = 0
  readonly #connections: LoadConnection[] = []
  #messages = 0
  #wanted = Number.POSITIVE_INFINITY
  #settle: (error?: Error) => void = () => undefined
  #error: Error | undefined

  /** `once`: a connection sends one message and no more. */
  constructor(kind: 'text' | 'binary', payload: Buffer, once: boolean) {
    this.batch = encodeBatch(this.heap, kind, payload, 1)
    this.scheduled = once
  }

  get messages(): number {
    return this.#messages
  }

  set messages(messages: number) {
    this.#messages = messages
    if (messages >= this.#wanted) this.#settle()
  }

  async open({ url, connections }: Options): Promise<void> {
    await dialAll(url, connections, (dialled) => {
      this.#connections.push(new LoadConnection(this, dialled, ANY))
    })
  }

  start(): void {
    const now = performance.now()
    for (const connection of this.#connections) this.scheduled ? connection.schedule(now) : connection.start()
  }

  /** Forgets what was answered so far; returns the time. */
  reset(): number {
    this.#messages = 0
    this.latency.reset()
    return performance.now()
  }

  /** Resolves when so many messages are answered. */
  async answers(wanted: number): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    if (this.#messages >= wanted) return
    const timer = setTimeout(() => this.failed(`${this.#messages} of ${wanted} answers came`), PATIENCE)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wanted = wanted
        this.#settle = (error) => (error === undefined ? resolve() : reject(error))
      })
    } finally {
      clearTimeout(timer)
      this.#wanted = Number.POSITIVE_INFINITY
    }
  }

  failed(reason: string): void {
    this.#error ??= new Error(reason)
    this.#settle(this.#error)
  }

  result(started: number, measured: (() => void) | undefined): Result {
    const seconds = (performance.now() - started) / 1000
    measured?.()
    const { latency, messages } = this
    const micros = (percentile: number): number => (latency.count === 0 ? 0 : latency.percentile(percentile) / 1000)
    const max = latency.count === 0 ? 0 : latency.max / 1000
    const latencies = { p50: micros(50), p90: micros(90), p99: micros(99), p999: micros(99.9), max }
    return { messages, messagesPerSecond: messages / seconds, latency: latencies }
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.end()))
    for (const block of this.batch.blocks) this.heap.free(block)
  }
}
