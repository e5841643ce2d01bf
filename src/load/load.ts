// Loads any WebSocket server: opens the connections, keeps them busy for a while, and says what it saw.
import { setTimeout as sleep } from 'node:timers/promises'
import { heapOfThread } from '../codec/codec.js'
import type { Course, LoadWatch, Moments } from './course.js'
import { Measurement } from './course.js'
import { offerOf } from './deflateMaterial.js'
import { dial } from './dial.js'
import { disorderOf } from './disorder.js'
import type { LoadConnection, LoadShared } from './loadConnection.js'
import type { LoadOptions } from './options.js'
import { keepPace } from './pace.js'
import { ChurnCourse } from './patterns/churnCourse.js'
import { ConnectCourse } from './patterns/connectCourse.js'
import { EchoTalk } from './patterns/echoTalk.js'
import { FanOutTalk } from './patterns/fanOutTalk.js'
import { MatchTalk } from './patterns/matchTalk.js'
import { ScriptCourse } from './patterns/scriptCourse.js'
import { type LoadResult, latencyOf } from './result.js'
import { record } from './strategies.js'
import type { Scheduled, Talk } from './talk.js'

export type { Latency, LoadResult } from './result.js'
export { type LoadOptions, type LoadWatch, latencyOf }

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
  const course = courseOf(options, watch)
  signal?.addEventListener('abort', course.stop, { once: true })
  if (signal?.aborted) course.stop()
  try {
    await course.open()
    await watch.opened?.()
    return await course.measure({ measuring, measured })
  } finally {
    signal?.removeEventListener('abort', course.stop)
    await course.close()
  }
}

function courseOf(options: LoadOptions, watch: LoadWatch): Course {
  const { pattern } = options
  if (pattern?.name === 'connect') return new ConnectCourse(options, pattern, watch)
  if (pattern?.name === 'churn') return new ChurnCourse(options, pattern, watch)
  if (pattern?.name === 'script') return new ScriptCourse(options, pattern, watch)
  return new Run(options, watch)
}

function talkOf(shared: LoadShared, options: LoadOptions, others: LoadWatch['others']): Talk {
  const { pattern } = options
  if (pattern?.name === 'fanout') return new FanOutTalk(shared, options, pattern, others)
  if (pattern?.name === 'match') return new MatchTalk(shared, options, pattern)
  return new EchoTalk(shared, options)
}

/** A load over connections that stay open. */
class Run extends Measurement implements LoadShared, Course {
  readonly heap = heapOfThread()
  readonly #options: LoadOptions
  readonly #talk: Talk
  readonly #connections: LoadConnection[] = []
  /** Who sends, if messages are sent at a fixed rate. */
  #schedules: readonly Scheduled[] = []
  #negotiated: string | undefined

  constructor(options: LoadOptions, watch: LoadWatch) {
    super(options, watch)
    this.#options = options
    this.#talk = talkOf(this, options, watch.others)
  }

  get batch(): LoadShared['batch'] {
    return this.#talk.material.batch
  }

  get deflate(): LoadShared['deflate'] {
    return this.#talk.material.deflate
  }

  get sequences(): LoadShared['sequences'] {
    return this.#talk.material.sequences
  }

  override get errors(): number {
    const { lost, doubled, reordered } = this.#talk.disorder(false)
    return lost + doubled + reordered
  }

  /** Opens all connections, or gives up on all of them with the first that can't be opened. */
  async open(): Promise<void> {
    const {
      url,
      more = [],
      connections: asked,
      firstConnection = 0,
      kind,
      deflate,
      http2 = false,
      reach,
    } = this.#options
    const addresses = [url, ...more].map((address) => this.#talk.addressOf(address))
    const offer = kind === 'deflate' ? offerOf(deflate) : undefined
    const connections = asked + this.#talk.extra
    const { signal } = this
    let next = 0
    const opener = async (): Promise<void> => {
      while (next < connections && !signal.aborted) {
        const number = firstConnection + next++
        const address = addresses[number % addresses.length] ?? url
        const began = performance.now()
        const dialled = await dial(address, offer, DIAL_TIMEOUT, signal, { ...reach, http2 })
        this.#negotiated ??= dialled.deflate?.answer
        record(this.connecting, performance.now() - began)
        this.#connections.push(this.#talk.joined(dialled, number))
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

  async measure(moments: Moments): Promise<LoadResult> {
    await this.#settle()
    await this.#talk.ready?.()
    const loop = (): void => (this.#options.rate > 0 ? this.#keepSchedule() : this.#talk.begin())
    const seconds = await this.timed(loop, moments)
    const ended = performance.now()
    const wasMeasuring = this.measuring
    this.measuring = false
    this.stopped = true
    const { times, problem: error } = (await this.#talk.over?.()) ?? { times: [] }
    if (wasMeasuring) this.#countUnanswered(ended, times)
    const result = this.result(seconds, { negotiated: this.#negotiated, counts: this.#talk.counts, error })
    return this.#drained(result)
  }

  /** Waits for answers that are on their way: those that do not come are lost. */
  async #drained(result: LoadResult): Promise<LoadResult> {
    const talk = this.#talk
    if (talk.outstanding === undefined) return result
    const end = performance.now() + GRACE
    while (result.error === undefined && (talk.outstanding ?? 0) > 0 && performance.now() < end) await sleep(POLL)
    const disorder = talk.disorder(result.error === undefined)
    const { disorderlyReceivers } = talk
    const told = { ...result, disorder, ...(disorderlyReceivers !== undefined && { disorderlyReceivers }) }
    return { ...told, error: result.error ?? (result.messages > 0 ? disorderOf(told, this.#options) : undefined) }
  }

  async close(): Promise<void> {
    this.measuring = false
    await Promise.all(this.#connections.map((connection) => connection.end()))
    this.#talk.free()
    for (const block of this.batch.blocks) this.heap.free(block)
  }

  /** Waits for greetings: many servers say something as soon as a client connects, and that is no answer. */
  async #settle(): Promise<void> {
    const { signal } = this
    const end = performance.now() + LONGEST_SETTLING
    for (let heard = -1; heard !== this.heard && performance.now() < end && !signal.aborted; ) {
      heard = this.heard
      await sleep(QUIET, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Sends what is due, connection after connection, at a pace that no answer changes. */
  #keepSchedule(): void {
    const { rate, connections, shares = false } = this.#options
    const schedules = this.#talk.schedules(Math.ceil(MOST_UNANSWERED / connections))
    this.#schedules = schedules
    if (schedules.length === 0) return
    let turn = 0
    const act = (due: number, now: number): void => schedules[turn++ % schedules.length]?.add(shares ? now : due)
    const late = (milliseconds: number): void => this.generator.sentLate(milliseconds)
    keepPace({ dueAt: (n) => (n * 1000) / rate, act, late }, this.signal, shares)
  }

  /** A message that is still unanswered took at least until now. */
  #countUnanswered(now: number, others: readonly number[]): void {
    for (const times of [...this.#schedules.map(({ unanswered }) => unanswered), others]) {
      // The clock of another process may go on for longer: what was due after the end here has not waited for anything.
      for (const due of times) if (due >= this.started && due < now) record(this.latency, now - due)
    }
  }
}
