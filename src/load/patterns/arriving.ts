// Connections that open at a rate, whatever the server answers: what holding them idle and closing them again have in common.
import { heapOfThread } from '../../codec/codec.js'
import { type LoadWatch, Measurement } from '../course.js'
import { offerOf } from '../deflateMaterial.js'
import { type ClientSocket, dial } from '../dial.js'
import { LoadConnection, type LoadShared } from '../loadConnection.js'
import { type Material, materialOf } from '../material.js'
import type { LoadOptions } from '../options.js'
import { arrival, keepPace } from '../pace.js'
import { ANY } from '../payload.js'
import { isRefusal, Refusals, refusalOf } from './refusals.js'

const DIAL_TIMEOUT = 10_000
/** So many handshakes may be under way: more of them are more than any server means to answer. */
const MOST_UNDER_WAY = 16_384

/** How they open. */
interface Arrivals {
  readonly rate: number
  readonly ramp?: number
}

export abstract class Arriving extends Measurement implements LoadShared {
  readonly heap = heapOfThread()
  readonly batch: LoadShared['batch']
  readonly deflate: Material['deflate']
  protected readonly refusals = new Refusals()
  readonly options: LoadOptions
  readonly #arrivals: Arrivals
  #underWay = 0
  #failure: unknown

  constructor(options: LoadOptions, arrivals: Arrivals, watch: LoadWatch) {
    super(options, watch)
    this.options = options
    const { batch, deflate } = materialOf(this.heap, { ...options, pipeline: 1, sequence: false })
    this.batch = batch
    this.deflate = deflate
    this.#arrivals = arrivals
  }

  override get errors(): number {
    return this.refusals.total
  }

  /** Opens one connection, to see whether anybody is there. A server that refuses it by a status is. */
  async open(): Promise<void> {
    try {
      await new LoadConnection(this, await this.#dial(0), ANY).end()
    } catch (error) {
      if (!this.signal.aborted && !isRefusal(error)) throw error
    }
  }

  /** What ended the load that is no server's fault. */
  protected throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** The load can't go on. */
  protected giveUp(reason: string): void {
    super.failed(reason)
  }

  /** Calls `act` when a connection is due: the first so many of them, or until the load is over. */
  protected arrive(most: number, act: (due: number, n: number) => void): void {
    const { rate, ramp } = this.#arrivals
    let next = 0
    const dueAt = (n: number): number => (n < most ? arrival(n, rate, ramp) : Infinity)
    const late = (milliseconds: number): void => this.generator.sentLate(milliseconds)
    keepPace({ dueAt, act: (due) => act(due, next++), late }, this.signal)
  }

  /** Opens the n-th connection. Undefined if it was refused, or the load is over. */
  protected async reach(n: number): Promise<ClientSocket | undefined> {
    if (++this.#underWay > MOST_UNDER_WAY) this.giveUp('the server leaves more handshakes unanswered than can be noted')
    const began = performance.now()
    try {
      const dialled = await this.#dial(n)
      if (this.measuring) this.connecting.record((performance.now() - began) * 1e6)
      return dialled
    } catch (error) {
      this.#refused(error)
      return undefined
    } finally {
      this.#underWay--
    }
  }

  #dial(n: number): Promise<ClientSocket> {
    const { url, more = [], kind, deflate, http2 = false, reach } = this.options
    const addresses = [url, ...more]
    const offer = kind === 'deflate' ? offerOf(deflate) : undefined
    return dial(addresses[n % addresses.length] ?? url, offer, DIAL_TIMEOUT, this.signal, { ...reach, http2 })
  }

  #refused(error: unknown): void {
    if (this.signal.aborted) return
    try {
      this.refusals.add(refusalOf(error))
    } catch {
      this.#failure = error
      this.stop()
    }
  }
}
