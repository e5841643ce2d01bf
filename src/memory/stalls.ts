// Payloads that arrive, and whose senders must not stop. While somebody waits for memory, all who hold regions must fill
// them, and of those who don't, the largest go first.
import { runOutside } from '../internals/context.js'
import { AwakeClock } from '../time/awakeClock.js'
import { inTurns } from '../time/inTurns.js'
import type { UnfinishedPayload, WatchedPayload } from './holder.js'
import { Roster } from './roster.js'

/** The memory that payloads arrive in. */
export interface Room {
  /** Payloads that are arriving in regions. */
  readonly unfinished: Roster<UnfinishedPayload>
  /** Bytes that somebody waits for; 0 if nobody does. */
  readonly wanted: number
  /** Whether what is kept besides regions takes room from them. */
  readonly keptIsFull: boolean
  waits(payload: UnfinishedPayload): boolean
  /** Memory may have become free. */
  wake(): void
  /** `bytes` are wanted, and nobody is slow. */
  free(bytes: number): void
}

/** While somebody waits for memory, a region must grow this often, in milliseconds: by a page each time, so by 64 KiB/s. */
const PATIENCE = 1000

/** The same for a payload whose connection is not read from: something else may delay it, but not for long. */
const PAUSED_PATIENCE = 5000

export class Stalls {
  /** Time in which payloads can have arrived: while this process stands still, none can. */
  readonly clock = new AwakeClock()
  /** Is told of each payload that begins to arrive in a region. */
  readonly began: () => void
  readonly #room: Room
  /** Payloads that are handed out as they arrive. */
  readonly #flows = new Roster<WatchedPayload>()
  /** The time of the last look, by the clock. */
  #now = 0
  /** Whether those that are watched are being looked at, in turns. */
  #looking = false
  /** Since when somebody waits for memory; Infinity while nobody does. */
  #pressedSince = Infinity

  /** `began` is called when a payload begins to arrive: `check` must be called from time to time from then on. */
  constructor(room: Room, began: () => void) {
    this.#room = room
    this.began = began
  }

  /** How many payloads are arriving. */
  get watched(): number {
    return this.#flows.size + this.#room.unfinished.size
  }

  /** A payload begins to arrive that is in no region. */
  watch(payload: WatchedPayload): void {
    this.#flows.add(payload)
    this.began()
  }

  unwatch(payload: WatchedPayload): void {
    this.#flows.delete(payload)
  }

  /** Tells those whose payload has not moved for too long; it is `time`, in milliseconds of `performance.now()`. */
  check(time: number): void {
    this.#now = this.clock.advance(time)
    if (this.#room.wanted === 0) this.#pressedSince = Infinity
    else this.#pressedSince = Math.min(this.#pressedSince, this.#now)
    if (this.#looking) return
    this.#looking = true
    inTurns(
      [...this.#flows, ...this.#room.unfinished],
      (payload) => this.#look(payload),
      () => this.#press(),
    )
  }

  #look(payload: WatchedPayload): void {
    const { lastArrival, timeout, claimant } = payload
    if (timeout === 0 || lastArrival === Infinity || payload.standing === undefined) return // it may have ended meanwhile
    if (this.#now - lastArrival > timeout) runOutside(() => claimant.payloadStalled(`payloadTimeout is ${timeout} ms`))
  }

  #press(): void {
    let { wanted } = this.#room
    this.#looking = wanted > 0
    if (!this.#looking) return
    this.#room.wake() // a payload that was promised room may not have taken it: then the next one gets it
    const idle = [...this.#room.unfinished].filter((payload) => this.#isSlow(payload))
    inTurns(
      idle.sort((one, other) => other.size - one.size),
      (payload) => {
        // The payload may have moved on since the look began.
        if (wanted <= 0 || !this.#room.unfinished.has(payload) || !this.#isSlow(payload)) return
        wanted -= payload.size
        runOutside(() => payload.claimant.payloadStalled('others need the memory'))
      },
      () => this.#free(wanted),
    )
  }

  #free(wanted: number): void {
    this.#looking = false
    const patience = this.#room.keptIsFull ? PATIENCE : PAUSED_PATIENCE
    if (this.#now - this.#pressedSince > patience) this.#room.free(wanted)
  }

  #isSlow(payload: UnfinishedPayload): boolean {
    if (payload.timeout === 0 || this.#room.waits(payload)) return false
    const patience = payload.lastArrival === Infinity ? PAUSED_PATIENCE : PATIENCE
    return this.#now - Math.max(payload.lastGrowth, this.#pressedSince) > Math.min(payload.timeout, patience)
  }
}
