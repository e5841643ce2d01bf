// Connections open at a rate until there are as many as were asked for, and are then held idle: what handshakes take, which are
// refused, and which connections the server does not keep.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Course, LoadWatch, Moments } from '../course.js'
import { LoadConnection } from '../loadConnection.js'
import type { LoadOptions } from '../options.js'
import type { Pattern } from '../pattern.js'
import { ANY } from '../payload.js'
import type { LoadResult } from '../result.js'
import { record } from '../strategies.js'
import { Arriving } from './arriving.js'
import { Refusals } from './refusals.js'

type Connecting = Extract<Pattern, { name: 'connect' }>

export class ConnectCourse extends Arriving implements Course {
  readonly #connections: LoadConnection[] = []
  readonly #ended = new Refusals()
  readonly #rate: number
  readonly #ramp: number
  /** Handshakes whose outcome is known. */
  #known = 0
  #allKnown: () => void = () => undefined
  #closing = false

  constructor(options: LoadOptions, pattern: Connecting, watch: LoadWatch) {
    super(options, pattern, watch)
    this.#rate = pattern.rate
    this.#ramp = pattern.ramp ?? 0
  }

  override get errors(): number {
    return this.refusals.total + this.#ended.total
  }

  /** One connection that ends does not end the load. */
  override failed(reason: string): void {
    if (!this.#closing) this.#ended.add(reason)
  }

  async measure({ measuring, measured }: Moments): Promise<LoadResult> {
    if (this.signal.aborted) return this.result(0, {})
    const { connections, duration } = this.options
    this.begin(this.#ramp / 2 + connections / this.#rate, measuring)
    const known = new Promise<void>((resolve) => {
      this.#allKnown = resolve
      this.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.arrive(connections, (due, n) => void this.#open(due, n))
    await known
    const seconds = this.end(measured)
    const result = this.result(seconds, {})
    if (this.messages > 0) await sleep(duration * 1000, undefined, { signal: this.signal }).catch(() => undefined)
    this.throwIfFailed()
    return { ...result, counts: this.#counts(), ...this.#refused(), error: this.error ?? this.#problem() }
  }

  async close(): Promise<void> {
    this.#closing = true
    this.measuring = false
    await Promise.all(this.#connections.map((connection) => connection.end()))
    for (const block of this.batch.blocks) this.heap.free(block)
  }

  async #open(due: number, n: number): Promise<void> {
    const dialled = await this.reach(n)
    this.#known++
    if (dialled !== undefined) {
      this.messages++
      record(this.latency, performance.now() - due)
      this.#connections.push(new LoadConnection(this, dialled, ANY, n))
    }
    if (this.#known === this.options.connections) this.#allKnown()
  }

  #counts(): Record<'opened' | 'refused' | 'ended' | 'held', number> {
    const [opened, refused, ended] = [this.messages, this.refusals.total, this.#ended.total]
    return { opened, refused, ended, held: opened - ended }
  }

  #refused(): Pick<LoadResult, 'refusals'> {
    const all = { ...this.refusals.byReason, ...this.#ended.byReason }
    return Object.keys(all).length === 0 ? {} : { refusals: all }
  }

  #problem(): string | undefined {
    const { connections } = this.options
    const ended = this.#ended.problemOf(this.messages)
    return this.refusals.problemOf(connections) ?? ended
  }
}
