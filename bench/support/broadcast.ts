// The load of the broadcast rows: one connection publishes a batch in one write, and the next when every connection,
// itself included, has every message of it. src/load knows echoes only, where each connection waits for its own.
import { setTimeout as wait } from 'node:timers/promises'
import { heapOfThread } from '../../src/codec/codec.js'
import type { LoadOptions } from '../../src/load/load.js'
import { encodeBatch, payloadOf } from '../../src/load/payload.js'
import { dialAll } from './dialAll.js'
import { Member, type Publication } from './member.js'

/** As of a load. `pipeline` is the messages of a batch; `verify` compares every byte of every delivery. */
export interface BroadcastOptions
  extends Pick<LoadOptions, 'url' | 'connections' | 'size' | 'pipeline' | 'duration' | 'warmup' | 'verify'> {
  /** How long a batch may take to reach everyone, in milliseconds. */
  readonly patience?: number
}

/** Deliveries, each of one message to one connection. */
export interface BroadcastResult {
  readonly messages: number
  readonly messagesPerSecond: number
}

const PATIENCE = 10_000
/** Whoever reads the server's CPU time at the end has so many milliseconds in which the server has nothing to do. */
const QUIET = 10

/**
 * Runs a broadcast. `measuring` is called when the warm-up is over, `measured` when the last batch has reached everyone,
 * before the connections end. Rejects if a connection fails, or does not get exactly what was published.
 */
export async function broadcast(
  options: BroadcastOptions,
  measuring: () => void = () => undefined,
  measured: () => void = () => undefined,
): Promise<BroadcastResult> {
  const run = new Run(options)
  try {
    await run.open()
    await run.publishFor(options.warmup)
    measuring()
    const started = performance.now()
    const messages = await run.publishFor(options.duration)
    const seconds = (performance.now() - started) / 1000
    measured()
    await wait(QUIET)
    run.check()
    return { messages, messagesPerSecond: messages / seconds }
  } finally {
    await run.close()
  }
}

class Run implements Publication {
  readonly heap = heapOfThread()
  readonly batch
  published = 0
  readonly #options: BroadcastOptions
  readonly #members: Member[] = []
  /** What the current batch still waits for: its deliveries, and its write. */
  #due = 0
  #error: Error | undefined
  #settle: () => void = () => undefined

  constructor(options: BroadcastOptions) {
    this.#options = options
    const { size, pipeline, verify } = options
    this.batch = encodeBatch(this.heap, 'binary', payloadOf('binary', size), pipeline, verify)
  }

  async open(): Promise<void> {
    const { url, connections } = this.#options
    await dialAll(url, connections, (dialled) => {
      this.#members.push(new Member(this, dialled))
    })
  }

  /** Publishes batch after batch, and ends with a whole one. Resolves with how many deliveries that made. */
  async publishFor(seconds: number): Promise<number> {
    const end = performance.now() + seconds * 1000
    let deliveries = 0
    do deliveries += await this.#publish()
    while (performance.now() < end)
    return deliveries
  }

  /** Throws what has gone wrong so far. */
  check(): void {
    if (this.#error !== undefined) throw this.#error
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.end()))
    for (const block of this.batch.blocks) this.heap.free(block)
  }

  arrived(count: number): void {
    this.#due -= count
    if (this.#due === 0) this.#settle()
  }

  failed(reason: string): void {
    this.#error ??= new Error(reason)
    this.#settle()
  }

  async #publish(): Promise<number> {
    this.check()
    const deliveries = this.batch.messages * this.#members.length
    this.published += this.batch.messages
    this.#due = deliveries + 1
    const { patience = PATIENCE } = this.#options
    const timer = setTimeout(() => this.failed(`${this.#due} of ${deliveries} deliveries did not come`), patience)
    await new Promise<void>((resolve) => {
      this.#settle = resolve
      this.#members[0]?.publish()
    })
    clearTimeout(timer)
    this.check()
    return deliveries
  }
}
