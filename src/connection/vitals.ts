// The stopwatch of one connection: when its peer was last heard of, since when nothing has been read from it or by it,
// and what its silence calls for: a ping, or the end. Times in the ticks of Deadlines.
import { ProtocolViolation } from '../protocol/violation.js'
import type { Deadlines } from '../time/deadlines.js'
import { Reason, WAITS } from './reason.js'

/** While the peer waits on us, it is pinged this often in each pauseTimeout: to write is the only way to learn that it has gone. */
const PINGS_WHILE_WAITING = 3

/** The limits of a connection's time; 0 is none. */
export interface TimeLimits {
  readonly pingInterval: number
  readonly idleTimeout: number
  readonly pauseTimeout: number
  readonly maxLifetime: number
}

/** What all connections of a route share, as far as their vitals need it; the times in ticks. */
export interface VitalsShared {
  readonly deadlines: Deadlines
  readonly times: TimeLimits
}

/** What is on its way to the peer. */
export interface Output {
  /** Whether a write stands: the peer has not read what it has been sent. */
  readonly blocked: boolean
  /** Writes that the system has taken whole: while others wait behind them, that is the peer's doing. */
  readonly completed: number
}

/** What is called for now. */
export type VitalsVerdict = 'nothing' | 'ping' | 'idle' | 'unread' | 'starved' | 'lifetime'

export class Vitals {
  readonly #shared: VitalsShared
  readonly #opened: number
  /** When the peer was last heard of, or its silence was ours. */
  #seen: number
  /** When the silence was last broken by a ping of ours. */
  #pinged = 0
  /** Since when nothing has been read from the peer, by our own will; 0 while we read. */
  #paused = 0
  /** Since when the peer waits on us; 0 while it does not. */
  #waited = 0
  /** Why nothing is read. */
  #reasons = 0
  /** What had been taken of our output when last looked at: if that changes, the peer reads, and lives. */
  #taken = 0
  /** The writes that were completed when last looked at, and when that was. */
  #completed = 0
  #looked = 0
  /** Since when a write has stood still, as far as was seen; 0 while none does. */
  #stuck = 0

  constructor(shared: VitalsShared) {
    this.#shared = shared
    this.#seen = this.#opened = shared.deadlines.now
  }

  /** Bytes have come. */
  heard(): void {
    this.#seen = this.#shared.deadlines.now
  }

  /** Nothing is read for these reasons from now on; 0 is none. */
  noteReasons(reasons: number): void {
    const { now } = this.#shared.deadlines
    const fewer = (reasons & ~this.#reasons) === 0
    this.#reasons = reasons
    if ((reasons & WAITS) === 0) this.#waited = 0
    else this.#waited ||= now
    if ((reasons & ~WAITS) !== 0) this.#paused ||= now
    else if (fewer) {
      this.#paused = 0
      this.#seen = now
    }
  }

  /** What is called for; `taken` changes while the peer reads what had to wait, which is there while output is blocked. */
  look({ blocked, completed }: Output, taken: number): VitalsVerdict {
    const { times, deadlines } = this.#shared
    const { now } = deadlines
    this.#looked = now
    if (this.#waited > 0) this.#seen = now // the silence is ours
    if (taken !== this.#taken) {
      this.#taken = taken
      this.#seen = now
      this.#stuck = 0
      if (this.#paused > 0) this.#paused = now
    }
    // What waits does so behind a stream of ours: that it takes long is not the peer's fault, as long as it reads.
    if (this.#onlyOutput && (completed !== this.#completed || !blocked)) this.#paused = now
    this.#completed = completed
    if (!blocked) this.#stuck = 0
    else if (this.#stuck === 0) this.#stuck = now
    if (over(times.maxLifetime, this.#opened, now)) return 'lifetime'
    // Whatever it sends: what it does not read is memory, a region of the budget perhaps, and below the output limit, or
    // where output is dropped, nothing else would end it.
    if (this.#stuck > 0 && over(times.pauseTimeout, this.#stuck, now)) return 'unread'
    if (this.#waited > 0) return this.#lookWhileWaiting(times, now)
    if (this.#onlyOutput && !blocked) return this.#ping(pingWhileWaiting(times), this.#pinged, now)
    if (this.#paused > 0) return over(times.pauseTimeout, this.#paused, now) ? 'unread' : 'nothing'
    if (over(times.idleTimeout, this.#seen, now)) return 'idle'
    return this.#ping(times.pingInterval, Math.max(this.#seen, this.#pinged), now)
  }

  /** The peer waits on us: for memory not for ever, and for anything else as long as it is still there. */
  #lookWhileWaiting(times: TimeLimits, now: number): VitalsVerdict {
    if ((this.#reasons & Reason.budget) !== 0 && over(times.pauseTimeout, this.#waited, now)) return 'starved'
    return this.#ping(pingWhileWaiting(times), Math.max(this.#waited, this.#pinged), now)
  }

  #ping(interval: number, since: number, now: number): VitalsVerdict {
    if (!over(interval, since, now)) return 'nothing'
    this.#pinged = now
    return 'ping'
  }

  /** Whether only the output keeps us from reading. */
  get #onlyOutput(): boolean {
    return this.#reasons === Reason.output
  }

  /** The tick at which to look again; 0 is never. */
  get next(): number {
    const { times, deadlines } = this.#shared
    // A write that begins to stand still tells nobody: it is looked for as often as it may take.
    const since = this.#stuck > 0 ? this.#stuck : deadlines.now
    const dues = [due(times.maxLifetime, this.#opened), due(times.pauseTimeout, since)]
    if (this.#waited > 0) dues.push(due(pingWhileWaiting(times), Math.max(this.#waited, this.#pinged)))
    else if (this.#paused > 0) {
      dues.push(due(times.pauseTimeout, this.#paused))
      if (this.#onlyOutput) dues.push(due(pingWhileWaiting(times), Math.max(this.#paused, this.#looked)))
    } else {
      dues.push(due(times.idleTimeout, this.#seen), due(times.pingInterval, Math.max(this.#seen, this.#pinged)))
    }
    const first = Math.min(...dues)
    return first === Infinity ? 0 : first
  }
}

/** Why a connection ends that has been silent, unread, or without memory for too long; the limits in milliseconds. */
export function silence(
  verdict: 'idle' | 'unread' | 'starved',
  { idleTimeout, pauseTimeout }: TimeLimits,
): ProtocolViolation {
  if (verdict === 'idle') return new ProtocolViolation('IDLE', `idleTimeout is ${idleTimeout} ms`)
  return new ProtocolViolation(verdict === 'unread' ? 'UNREAD' : 'MEMORY_SPENT', `pauseTimeout is ${pauseTimeout} ms`)
}

function pingWhileWaiting({ pauseTimeout }: TimeLimits): number {
  return Math.ceil(pauseTimeout / PINGS_WHILE_WAITING)
}

function due(limit: number, since: number): number {
  // It happened during a tick, which does not count.
  return limit === 0 ? Infinity : since + limit + 1
}

function over(limit: number, since: number, now: number): boolean {
  return now >= due(limit, since)
}
