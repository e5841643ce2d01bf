// The loads that src/load does not have: publications to every connection, JSON documents that a server answers in a word,
// and one message from every connection at once. What is measured begins and ends with an answer.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { heapOfThread } from '../../src/codec/codec.js'
import type { Answers } from '../../src/codec/counter.js'
import { type LoadOptions, type LoadResult, latencyOf } from '../../src/load/load.js'
import { LoadConnection, type LoadShared, type Strategy } from '../../src/load/loadConnection.js'
import { ANY, encodeBatch, type PayloadKind, payloadOf } from '../../src/load/payload.js'
import { ClosedLoop, Schedule } from '../../src/load/strategies.js'
import { jsonOf } from '../codec/material.js'
import { dialAll } from './dialAll.js'

type Options = Pick<LoadOptions, 'url' | 'connections' | 'size' | 'duration' | 'warmup'>
type Result = Pick<LoadResult, 'messages' | 'messagesPerSecond' | 'latency'>

/** As of a load. `pipeline` is the messages of a batch; `verify` compares every byte of every delivery. */
export interface BroadcastOptions extends Options, Pick<LoadOptions, 'pipeline' | 'verify'> {
  /** How long a batch may take to reach everyone, in milliseconds. */
  readonly patience?: number
}

/** How long answers may take, in milliseconds. */
const PATIENCE = 60_000
const BROADCAST_PATIENCE = 10_000
/** Whoever reads the server's CPU time at the end has so many milliseconds in which the server has nothing to do. */
const QUIET = 10

const nothing = (): void => undefined

/**
 * One connection publishes a batch in one write, and the next when every connection, itself included, has every message of
 * it. The messages of the result are deliveries, each of one message to one connection. `measuring` is called when the
 * warm-up is over, `measured` when the last batch has reached everyone, before the connections end. Rejects if a
 * connection fails, or does not get exactly what was published.
 */
export async function broadcast(options: BroadcastOptions, measuring = nothing, measured = nothing) {
  const { size, pipeline, verify, patience = BROADCAST_PATIENCE } = options
  const run = new Run('binary', payloadOf('binary', size), pipeline, verify, 'deliveries')
  return run.over(options, undefined, async () => {
    const members = run.connections.map((connection) => new Member(run, connection))
    const publishFor = async (seconds: number): Promise<void> => {
      const end = performance.now() + seconds * 1000
      do {
        const wanted = run.messages + pipeline * members.length
        run.published += pipeline
        members[0]?.publish()
        await run.answers(wanted, patience)
      } while (performance.now() < end)
    }
    await publishFor(options.warmup)
    const started = run.reset()
    measuring()
    await publishFor(options.duration)
    const { messages, messagesPerSecond } = run.result(started)
    measured()
    await wait(QUIET)
    run.check()
    return { messages, messagesPerSecond } // the time of a batch is nobody's latency
  })
}

/** Each connection sends a document of `size` bytes, and the next one when it has its answer. */
export async function documents(options: Options, measuring = nothing, measured = nothing): Promise<Result> {
  const run = new Run('text', jsonOf(options.size))
  return run.over(options, ANY, async () => {
    for (const connection of run.connections) new ClosedLoop(run, connection).start()
    await wait(options.warmup * 1000)
    await run.answers(1)
    const started = run.reset()
    measuring()
    await wait(options.duration * 1000)
    await run.answers(run.messages + 1)
    const result = run.result(started)
    measured()
    return result
  })
}

/** Every connection sends one binary message of `size` bytes, all at once. Rejects if one of them is not answered. */
export async function volley(options: Options, measuring = nothing, measured = nothing): Promise<Result> {
  const run = new Run('binary', payloadOf('binary', options.size))
  return run.over(options, ANY, async () => {
    const started = run.reset()
    measuring()
    for (const connection of run.connections) new Schedule(run, connection, 1).add(started)
    await run.answers(options.connections)
    const result = run.result(started)
    measured()
    return result
  })
}

/** Connections that are opened, and waited for until they have so many answers. */
class Run implements LoadShared {
  readonly heap = heapOfThread()
  readonly batch
  readonly latency: RecordableHistogram = createHistogram()
  /** All that is answered goes through `messages`, which sorts it out. */
  readonly measuring = true
  readonly connections: LoadConnection[] = []
  bytes = 0
  sent = 0
  greetings = 0
  heard = 0
  /** Messages of a broadcast so far: no connection can have more. */
  published = 0
  readonly #what: string
  #messages = 0
  #wanted = Number.POSITIVE_INFINITY
  #settle: () => void = nothing
  #error: Error | undefined

  constructor(kind: PayloadKind, payload: Buffer, messages = 1, verify = false, what = 'answers') {
    this.batch = encodeBatch(this.heap, kind, payload, messages, verify)
    this.#what = what
  }

  /** Opens the connections, does the work, and ends them. */
  async over<Found>({ url, connections }: Options, answers: Answers | undefined, work: () => Promise<Found>) {
    try {
      await dialAll(url, connections, (dialled) => {
        this.connections.push(new LoadConnection(this, dialled, answers))
      })
      return await work()
    } finally {
      await Promise.all(this.connections.map((connection) => connection.end()))
      for (const block of this.batch.blocks) this.heap.free(block)
    }
  }

  get messages(): number {
    return this.#messages
  }

  set messages(messages: number) {
    this.#messages = messages
    if (messages >= this.#wanted) this.#settle()
  }

  /** Forgets what was answered so far; returns the time. */
  reset(): number {
    this.#messages = 0
    this.latency.reset()
    return performance.now()
  }

  /** Resolves when so many messages are answered. */
  async answers(wanted: number, patience = PATIENCE): Promise<void> {
    this.check()
    const missing = wanted - this.#messages
    if (missing <= 0) return
    const late = (): void => this.failed(`${wanted - this.#messages} of ${missing} ${this.#what} did not come`)
    const timer = setTimeout(late, patience)
    await new Promise<void>((resolve) => {
      this.#wanted = wanted
      this.#settle = resolve
    })
    clearTimeout(timer)
    this.#wanted = Number.POSITIVE_INFINITY
    this.check()
  }

  /** Throws what has gone wrong so far. */
  check(): void {
    if (this.#error !== undefined) throw this.#error
  }

  failed(reason: string): void {
    this.#error ??= new Error(reason)
    this.#settle()
  }

  result(started: number): Result {
    const seconds = (performance.now() - started) / 1000
    const { latency, messages } = this
    return { messages, messagesPerSecond: messages / seconds, latency: latencyOf(latency) }
  }
}

/** A connection of a broadcast: gets what is published, and may be the one that publishes. */
class Member implements Strategy {
  readonly #run: Run
  readonly #connection: LoadConnection
  #delivered = 0
  /** It is to publish, and has not yet. */
  #owes = false

  constructor(run: Run, connection: LoadConnection) {
    this.#run = run
    this.#connection = connection
    connection.begin(this)
  }

  publish(): void {
    this.#owes = true
    this.writable()
  }

  // As nobody has more than was published, everybody has everything when the deliveries are as many as they must be.
  answered(messages: number): void {
    this.#delivered += messages
    if (this.#delivered > this.#run.published) this.#connection.failed('the server delivered more than was published')
    else this.#run.messages += messages
  }

  writable(): void {
    if (!this.#owes || !this.#connection.writable) return
    this.#owes = false
    this.#connection.send()
  }
}
