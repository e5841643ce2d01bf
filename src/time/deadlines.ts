// One coarse timer for everything that must not take for ever: handshakes, closing handshakes, silence, pauses.
// A wheel of ticks: setting a deadline costs the same however many there are. The timer runs only while something has
// a deadline, and never keeps the process alive.
import { runOutside } from '../internals/context.js'
import { MOST_AT_ONCE } from './awakeClock.js'
import { Queue } from './queue.js'

/** Something that must not take for ever. */
export interface Expiring {
  /** The wheel's own: the tick at which it expires, 0 without a deadline. */
  due: number
  /** The wheel's own: its place in the row of those that expire at the same tick. */
  place: number
  /** It has taken too long. */
  expired(): void
}

/** What the wheel's own members are in the beginning. */
export const noDeadline: Readonly<Pick<Expiring, 'due' | 'place'>> = { due: 0, place: 0 }

/** How coarse the timer is, in milliseconds. */
export const TICK = 100

/** Most ticks that one call of the timer counts: time in which this process stood still is nobody's fault. */
const MOST_TICKS = MOST_AT_ONCE / TICK

/** A time in milliseconds as ticks, never less than it says; 0, which is no limit, stays 0. */
export function ticksOf(milliseconds: number): number {
  return Math.ceil(milliseconds / TICK)
}

/** Milliseconds for those that expire at once, before others have a turn: a hundred thousand may have come at once. */
const SHARE = 4

export class Deadlines {
  /** Ticks so far: a clock that costs nothing to read. It stands still while nothing has a deadline. */
  now = 1
  /**
   * Rows in no order, by their ticks. A member knows its place, so none is searched for, and a row that members enter and
   * leave all the time is not copied and thrown away, as the table of a Set is.
   */
  readonly #wheel = new Map<number, Expiring[]>()
  /** Ticks whose deadlines have expired, though not all of these have been told yet. */
  readonly #over = new Queue<number>()
  #telling = false
  readonly #watch: (now: number) => boolean
  #timer: NodeJS.Timeout | undefined
  #last = 0

  /** `watch` runs at each tick with the time, and says whether the ticks must go on although nothing is due. */
  constructor(watch: (now: number) => boolean) {
    this.#watch = watch
  }

  /** `key` expires in `after` milliseconds, unless it gets another deadline before, or none. 0 is never. */
  set(key: Expiring, after: number): void {
    this.setTick(key, this.tickAfter(after))
  }

  /** The tick at which something expires that may take `after` milliseconds from now on; 0, for 0, is never. */
  tickAfter(after: number): number {
    return after === 0 ? 0 : this.now + ticksOf(after) + 1
  }

  /** `key` expires at the tick `due`; 0 is never. */
  setTick(key: Expiring, due: number): void {
    this.clear(key)
    if (due === 0) return
    key.due = Math.max(due, this.now + 1)
    const row = this.#wheel.get(key.due)
    if (row === undefined) this.#wheel.set(key.due, [key])
    else row.push(key)
    key.place = row === undefined ? 0 : row.length - 1
    this.start()
  }

  /** `key` expires no later than at the tick `due`; 0 changes nothing. */
  hasten(key: Expiring, due: number): void {
    if (due !== 0 && (key.due === 0 || due < key.due)) this.setTick(key, due)
  }

  clear(key: Expiring): void {
    if (key.due === 0) return
    const row = this.#wheel.get(key.due)
    const last = row?.pop()
    if (row?.length === 0) this.#wheel.delete(key.due)
    else if (row !== undefined && last !== undefined && last !== key) {
      row[key.place] = last
      last.place = key.place
    }
    key.due = 0
  }

  /** Makes sure that the ticks run. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#last = performance.now()
    this.#timer = setInterval(() => runOutside(() => this.#advance()), TICK).unref()
  }

  #advance(): void {
    const time = performance.now()
    const ticks = Math.min(Math.max(Math.floor((time - this.#last) / TICK), 1), MOST_TICKS)
    this.#last = time
    for (let tick = 0; tick < ticks; tick++) this.#tick()
    this.#tell()
    if (this.#watch(time) || this.#wheel.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    this.now++
    if (this.#wheel.has(this.now)) this.#over.push(this.now)
  }

  /** Tells those that have expired, as many as fit into a share of time; the others in turns of their own. */
  #tell(): void {
    if (this.#telling) return
    const until = performance.now() + SHARE
    for (let tick = this.#over.first; tick !== undefined; tick = this.#over.first) {
      const row = this.#wheel.get(tick) ?? []
      for (let key = row[0]; key !== undefined; key = row[0]) {
        if (performance.now() > until) return this.#tellLater()
        this.#tellOne(key)
      }
      this.#over.shift()
    }
  }

  /** Each on its own, so that none sees the async context that another enters. */
  #tellOne(key: Expiring): void {
    this.clear(key)
    runOutside(() => key.expired())
  }

  #tellLater(): void {
    this.#telling = true
    setImmediate(() => {
      this.#telling = false
      this.#tell()
    })
  }
}
