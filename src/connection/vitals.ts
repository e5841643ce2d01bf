// The stopwatch of one connection: when its peer was last heard of, since when nothing has been read from it or by it,
// and what its silence calls for: a ping, or the end. Times in the ticks of Deadlines.
import { ProtocolViolation } from '../protocol/violation.js'
import type { Deadlines } from '../time/deadlines.js'
import { Reason, WAITS } from './reason.js'

/** While the peer waits for this server, it is pinged so often per pauseTimeout: only a write can show that it has gone. */
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
  /** Whether a write is unfinished, because the peer has not read what it has been sent. */
  readonly blocked: boolean
  /** How many writes the system has taken whole. Each shows that the peer reads, while later writes wait. */
  readonly completed: number
}

/** What the connection must do now; all but `nothing` and `ping` end it. */
export type VitalsVerdict = 'nothing' | 'ping' | 'idle' | 'unread' | 'starved' | 'lifetime'

export class Vitals {
  readonly #shared: VitalsShared
  readonly #opened: number
  /** When the peer was last heard of, or when it was last silent because of this server. */
  #seen: number
  /** When this server last sent a ping into the silence. */
  #pinged = 0
  /** Since when this server has not read from the peer, for reasons that count as unread; 0 while it reads. */
  #paused = 0
  /** Since when the peer has been waiting for this server; 0 while it is not. */
  #waited = 0
  /** Why nothing is read. */
  #reasons = 0
  /** How much of the output was taken at the last look: if that changes, the peer reads, and lives. */
  #taken = 0
  /** How many writes were completed at the last look, and the time of that look. */
  #completed = 0
  #looked = 0
  /** The first look at which the unfinished write stood still; 0 while no write does. */
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

  /** What the connection must do now. `taken` changes whenever the peer has read some of the output that waits. */
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
    // The output waits for a stream of this server to end: that is not the peer's fault, as long as the peer reads.
    if (this.#onlyOutput && (completed !== this.#completed || !blocked)) this.#paused = now
    this.#completed = completed
    if (!blocked) this.#stuck = 0
    else if (this.#stuck === 0) this.#stuck = now
    if (over(times.maxLifetime, this.#opened, now)) return 'lifetime'
    // This holds whatever the peer sends. Output that it does not read is memory, perhaps a region of the budget; below
    // the output limit, or where output is dropped, nothing else would end the peer.
    if (this.#stuck > 0 && over(times.pauseTimeout, this.#stuck, now)) return 'unread'
    if (this.#waited > 0) return this.#lookWhileWaiting(times, now)
    if (this.#onlyOutput && !blocked) return this.#ping(pingWhileWaiting(times), this.#pinged, now)
    if (this.#paused > 0) return over(times.pauseTimeout, this.#paused, now) ? 'unread' : 'nothing'
    if (over(times.idleTimeout, this.#seen, now)) return 'idle'
    return this.#ping(times.pingInterval, Math.max(this.#seen, this.#pinged), now)
  }

  /** The peer waits for this server: for memory only so long, and for anything else as long as the peer is still there. */
  #lookWhileWaiting(times: TimeLimits, now: number): VitalsVerdict {
    if ((this.#reasons & Reason.budget) !== 0 && over(times.pauseTimeout, this.#waited, now)) return 'starved'
    return this.#ping(pingWhileWaiting(times), Math.max(this.#waited, this.#pinged), now)
  }

  #ping(interval: number, since: number, now: number): VitalsVerdict {
    if (!over(interval, since, now)) return 'nothing'
    this.#pinged = now
    return 'ping'
  }

  /** Whether the output is the only reason not to read. */
  get #onlyOutput(): boolean {
    return this.#reasons === Reason.output
  }

  /** The tick at which to look again; 0 is never. */
  get next(): number {
    const { times, deadlines } = this.#shared
    // No event says that a write has begun to stand still, so it is looked for once per pauseTimeout.
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
  // The tick during which it began does not count.
  return limit === 0 ? Infinity : since + limit + 1
}

function over(limit: number, since: number, now: number): boolean {
  return now >= due(limit, since)
}
