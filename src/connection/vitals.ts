// When a connection was last heard of, and what its silence calls for: a ping, or the end. Times in the ticks of Deadlines.

import { ProtocolViolation } from '../protocol/violation.js'

/** The limits of a connection's time; 0 is none. */
export interface Times {
  readonly pingInterval: number
  readonly idleTimeout: number
  readonly pauseTimeout: number
  readonly maxLifetime: number
}

/** What is called for now. */
export type Verdict = 'nothing' | 'ping' | 'idle' | 'unread' | 'lifetime'

export class Vitals {
  /** When bytes last came. */
  seen: number
  readonly #opened: number
  /** When the silence was last broken by a ping of ours. */
  #pinged = 0
  /** Since when nothing has been read from the peer, by our own will; 0 while we read. */
  #paused = 0
  /** What had been taken of our output when last looked at: if that changes, the peer reads, and lives. */
  #taken = 0

  constructor(now: number) {
    this.seen = this.#opened = now
  }

  pause(now: number): void {
    if (this.#paused === 0) this.#paused = now
  }

  resume(now: number): void {
    this.#paused = 0
    this.seen = now
  }

  /** What is called for; `taken` changes while the peer reads what had to wait. */
  look(now: number, taken: number, times: Times): Verdict {
    if (taken !== this.#taken) {
      this.#taken = taken
      this.seen = now
      if (this.#paused > 0) this.#paused = now
    }
    if (over(times.maxLifetime, this.#opened, now)) return 'lifetime'
    if (this.#paused > 0) return over(times.pauseTimeout, this.#paused, now) ? 'unread' : 'nothing'
    if (over(times.idleTimeout, this.seen, now)) return 'idle'
    if (!over(times.pingInterval, Math.max(this.seen, this.#pinged), now)) return 'nothing'
    this.#pinged = now
    return 'ping'
  }

  /** When to look again; 0 is never. */
  next(times: Times): number {
    const dues = [due(times.maxLifetime, this.#opened)]
    if (this.#paused > 0) dues.push(due(times.pauseTimeout, this.#paused))
    else {
      dues.push(due(times.idleTimeout, this.seen), due(times.pingInterval, Math.max(this.seen, this.#pinged)))
    }
    const first = Math.min(...dues)
    return first === Infinity ? 0 : first
  }
}

/** Why a connection ends that has been silent, or unread, for too long; the limits in milliseconds. */
export function silence(verdict: 'idle' | 'unread', { idleTimeout, pauseTimeout }: Times): ProtocolViolation {
  return verdict === 'idle'
    ? new ProtocolViolation('IDLE', `idleTimeout is ${idleTimeout} ms`)
    : new ProtocolViolation('UNREAD', `pauseTimeout is ${pauseTimeout} ms`)
}

function due(limit: number, since: number): number {
  // It happened during a tick, which does not count.
  return limit === 0 ? Infinity : since + limit + 1
}

function over(limit: number, since: number, now: number): boolean {
  return now >= due(limit, since)
}
