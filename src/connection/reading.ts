// Whether anything is read from one peer, and why not; when it was last heard of, and what its silence calls for: a
// ping, or the end. Times in the ticks of Deadlines.
import { runOutside } from '../internals/context.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Transport } from '../transport/transport.js'
import type { Deadlines } from './deadlines.js'

/** Why nothing is read, as bits; reading goes on when none is left. */
export const Reason = {
  output: 1,
  budget: 2,
  handlers: 4,
  application: 8,
  loop: 16,
  stream: 32,
  pool: 64,
  slice: 128,
} as const

/** These reasons are ours, not the peer's: time spent on them counts neither as idle nor as unread. */
const WAITS = Reason.budget | Reason.pool | Reason.slice

/** While the peer waits on us, it is pinged this often in each pauseTimeout: to write is the only way to learn that it has gone. */
const PINGS_WHILE_WAITING = 3

/** Whoever can stop the reading for a reason of its own. */
export interface Stoppable {
  pause(reason: number): void
  resume(reason: number): void
}

/** The connection that is read from. */
export interface Reader {
  /** Nothing will be delivered any more. */
  readonly done: boolean
  /** Reading has stopped, or has a reason more to be stopped. */
  readingStops(): void
  /** No reason is left: first what is parked must be handed out, which may stop it again. */
  deliverParked(): void
  /** Reading goes on. */
  readingStarts(): void
}

/** The limits of a connection's time; 0 is none. */
export interface Times {
  readonly pingInterval: number
  readonly idleTimeout: number
  readonly pauseTimeout: number
  readonly maxLifetime: number
}

/** What is on its way to the peer. */
export interface Output {
  /** Whether a write stands: the peer has not read what it has been sent. */
  readonly blocked: boolean
  /** Writes that the system has taken whole: while others wait behind them, that is the peer's doing. */
  readonly completed: number
}

/** What is called for now. */
export type Verdict = 'nothing' | 'ping' | 'idle' | 'unread' | 'starved' | 'lifetime'

export class Reading implements Stoppable {
  /** When bytes last came. */
  seen: number
  readonly #transport: Transport
  readonly #deadlines: Deadlines
  readonly #reader: Reader
  readonly #opened: number
  #reasons = 0
  #resuming = false
  /** When the silence was last broken by a ping of ours. */
  #pinged = 0
  /** Since when nothing has been read from the peer, by our own will; 0 while we read. */
  #paused = 0
  /** Since when the peer waits on us; 0 while it does not. */
  #waited = 0
  /** What had been taken of our output when last looked at: if that changes, the peer reads, and lives. */
  #taken = 0
  /** The writes that were completed when last looked at, and when that was. */
  #completed = 0
  #looked = 0
  /** Since when a write has stood still, as far as was seen; 0 while none does. */
  #stuck = 0

  constructor(transport: Transport, deadlines: Deadlines, reader: Reader) {
    this.#transport = transport
    this.#deadlines = deadlines
    this.#reader = reader
    this.seen = this.#opened = deadlines.now
  }

  get stopped(): boolean {
    return this.#reasons !== 0
  }

  pause(reason: number): void {
    if (this.#reader.done) return
    if (this.#reasons === 0) this.#transport.pause()
    this.#reasons |= reason
    if ((reason & WAITS) !== 0) this.#waited ||= this.#deadlines.now
    else this.#paused ||= this.#deadlines.now
    this.#reader.readingStops()
  }

  /** Takes back a reason to pause. Reading goes on in a turn of its own: this may be called from anywhere. */
  resume(reason: number): void {
    if (!this.#takeBack(reason) || this.#resuming) return
    this.#resuming = true
    setImmediate(() => runOutside(() => this.#goOn()))
  }

  /** The same, and goes on at once: this is a turn of its own already. */
  resumeNow(reason: number): void {
    if (this.#takeBack(reason) && !this.#resuming) this.#goOn()
  }

  /** Whether that was the last reason. */
  #takeBack(reason: number): boolean {
    if ((this.#reasons & reason) === 0) return false
    this.#reasons &= ~reason
    if ((this.#reasons & WAITS) === 0) this.#waited = 0
    if ((this.#reasons & ~WAITS) === 0) {
      this.#paused = 0
      this.seen = this.#deadlines.now
    }
    return this.#reasons === 0
  }

  /** Reads on whatever the reasons were: nothing will be delivered any more, but the peer's end must be seen. */
  drain(): void {
    if (this.#reasons === 0) return
    this.#reasons = this.#waited = 0
    this.#transport.resume()
  }

  /** What is called for; `taken` changes while the peer reads what had to wait, which is there while output is blocked. */
  look({ blocked, completed }: Output, taken: number, times: Times): Verdict {
    const { now } = this.#deadlines
    this.#looked = now
    if ((this.#reasons & WAITS) !== 0) this.seen = now // the silence is ours
    if (taken !== this.#taken) {
      this.#taken = taken
      this.seen = now
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
    if (this.#waited > 0) return this.#lookWhileWaiting(times)
    if (this.#onlyOutput && !blocked) return this.#ping(this.#waitingPing(times), this.#pinged)
    if (this.#paused > 0) return over(times.pauseTimeout, this.#paused, now) ? 'unread' : 'nothing'
    if (over(times.idleTimeout, this.seen, now)) return 'idle'
    return this.#ping(times.pingInterval, Math.max(this.seen, this.#pinged))
  }

  /** The peer waits on us: for memory not for ever, and for anything else as long as it is still there. */
  #lookWhileWaiting(times: Times): Verdict {
    const { now } = this.#deadlines
    if ((this.#reasons & Reason.budget) !== 0 && over(times.pauseTimeout, this.#waited, now)) return 'starved'
    return this.#ping(this.#waitingPing(times), Math.max(this.#waited, this.#pinged))
  }

  #ping(interval: number, since: number): Verdict {
    const { now } = this.#deadlines
    if (!over(interval, since, now)) return 'nothing'
    this.#pinged = now
    return 'ping'
  }

  /** Whether only the output keeps us from reading. */
  get #onlyOutput(): boolean {
    return this.#reasons === Reason.output
  }

  #waitingPing({ pauseTimeout }: Times): number {
    return Math.ceil(pauseTimeout / PINGS_WHILE_WAITING)
  }

  /** When to look again; 0 is never. */
  next(times: Times): number {
    // A write that begins to stand still tells nobody: it is looked for as often as it may take.
    const since = this.#stuck > 0 ? this.#stuck : this.#deadlines.now
    const dues = [due(times.maxLifetime, this.#opened), due(times.pauseTimeout, since)]
    if (this.#waited > 0) dues.push(due(this.#waitingPing(times), Math.max(this.#waited, this.#pinged)))
    else if (this.#paused > 0) {
      dues.push(due(times.pauseTimeout, this.#paused))
      if (this.#onlyOutput) dues.push(due(this.#waitingPing(times), Math.max(this.#paused, this.#looked)))
    } else {
      dues.push(due(times.idleTimeout, this.seen), due(times.pingInterval, Math.max(this.seen, this.#pinged)))
    }
    const first = Math.min(...dues)
    return first === Infinity ? 0 : first
  }

  #goOn(): void {
    this.#resuming = false
    if (this.#reasons !== 0) return
    if (this.#reader.done) return this.#transport.resume() // to see the peer's end
    this.#reader.deliverParked()
    if (this.#reasons !== 0) return
    // Also where that was the last: the peer's end must be seen.
    if (!this.#reader.done) this.#reader.readingStarts()
    this.#transport.resume()
  }
}

/** Why a connection ends that has been silent, unread, or without memory for too long; the limits in milliseconds. */
export function silence(
  verdict: 'idle' | 'unread' | 'starved',
  { idleTimeout, pauseTimeout }: Times,
): ProtocolViolation {
  if (verdict === 'idle') return new ProtocolViolation('IDLE', `idleTimeout is ${idleTimeout} ms`)
  return new ProtocolViolation(verdict === 'unread' ? 'UNREAD' : 'MEMORY_SPENT', `pauseTimeout is ${pauseTimeout} ms`)
}

function due(limit: number, since: number): number {
  // It happened during a tick, which does not count.
  return limit === 0 ? Infinity : since + limit + 1
}

function over(limit: number, since: number, now: number): boolean {
  return now >= due(limit, since)
}
