// The stopwatch of one connection: when its peer was last heard of, since when nothing has been read from it or by it,
// and what its silence calls for: a ping, or the end. Times in the ticks of Deadlines.
import { ProtocolViolation } from '../protocol/violation.js'
import type { Deadlines } from '../time/deadlines.js'
import type { Transport } from '../transport/transport.js'
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
export interface VitalsContext {
  readonly deadlines: Deadlines
  readonly times: TimeLimits
}

/** What is on its way to the peer. */
export interface Output {
  /** Whether a write is unfinished, because the peer has not read what it has been sent. */
  readonly blocked: boolean
  /** Bytes of the writes that the system has taken whole. Each shows that the peer reads, while later writes wait. */
  readonly completed: number
  /** What has been taken of the unfinished writes: it changes while the peer reads; `unsent` bytes of the one under way have not. */
  taken(unsent: number): number
}

/** The output of a connection that has no sending half, because it has sent nothing. */
const SILENT: Output = { blocked: false, completed: 0, taken: () => 0 }

/** What the connection must do now; all but `nothing` and `ping` end it. */
export type VitalsVerdict = 'nothing' | 'ping' | 'idle' | 'unread' | 'starved' | 'lifetime'

/** What is remembered of a peer from which nothing is read, or by which. Few connections ever have such times. */
interface Standstill {
  /** Since when this server has not read from the peer, for reasons that count as unread; 0 while it reads. */
  paused: number
  /** Since when the peer has been waiting for this server; 0 while it is not. */
  waited: number
  /** Why nothing is read. */
  reasons: number
  /** How much of the output was taken at the last look: if that changes, the peer reads, and lives. */
  taken: number
  /** The time of the last look. */
  looked: number
  /** The first look at which the unfinished write stood still; 0 while no write does. */
  stuck: number
}

/** No times of this kind so far. */
const NONE: Readonly<Standstill> = { paused: 0, waited: 0, reasons: 0, taken: 0, looked: 0, stuck: 0 }

export class Vitals {
  readonly #shared: VitalsContext
  readonly #opened: number
  /** When the peer was last heard of, or when it was last silent because of this server. */
  #seen: number
  /** When this server last sent a ping into the silence. */
  #pinged = 0
  /** Bytes of the writes that were completed at the last look. */
  #completed = 0
  #standstill: Standstill | undefined

  constructor(shared: VitalsContext) {
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
    this.#standstill ??= { ...NONE }
    const at = this.#standstill
    const fewer = (reasons & ~at.reasons) === 0
    at.reasons = reasons
    if ((reasons & WAITS) === 0) at.waited = 0
    else at.waited ||= now
    if ((reasons & ~WAITS) !== 0) at.paused ||= now
    else if (fewer) {
      at.paused = 0
      this.#seen = now
    }
  }

  /** What the connection must do now. A peer that waits for its turn to be read from is not silent. */
  look(output: Output = SILENT, { unsent, awaitsTurn }: Pick<Transport, 'unsent' | 'awaitsTurn'>): VitalsVerdict {
    if (awaitsTurn === true) this.heard()
    const { times, deadlines } = this.#shared
    const taken = output.taken(unsent)
    const { now } = deadlines
    if (this.#standstill !== undefined || output.blocked || taken !== NONE.taken) {
      this.#standstill ??= { ...NONE }
      this.lookAtOutput(this.#standstill, output, taken)
    }
    this.#completed = output.completed
    const { paused, waited, reasons, stuck } = this.#standstill ?? NONE
    if (over(times.maxLifetime, this.#opened, now)) return 'lifetime'
    // This holds whatever the peer sends. Output that it does not read is memory, perhaps a region of the budget; below
    // the output limit, or where output is dropped, nothing else would end the peer.
    if (stuck > 0 && over(times.pauseTimeout, stuck, now)) return 'unread'
    if (waited > 0) return this.lookWhileWaiting(waited, reasons)
    if (reasons === Reason.output && !output.blocked) return this.ping(pingWhileWaiting(times), this.#pinged)
    if (paused > 0) return over(times.pauseTimeout, paused, now) ? 'unread' : 'nothing'
    if (over(times.idleTimeout, this.#seen, now)) return 'idle'
    return this.ping(times.pingInterval, Math.max(this.#seen, this.#pinged))
  }

  private lookAtOutput(at: Standstill, { blocked, completed }: Output, taken: number): void {
    const { now } = this.#shared.deadlines
    at.looked = now
    if (at.waited > 0) this.#seen = now // the silence is ours
    if (taken !== at.taken) {
      at.taken = taken
      this.#seen = now
      at.stuck = 0
      if (at.paused > 0) at.paused = now
    }
    // The output waits for a stream of this server to end: that is not the peer's fault, as long as the peer reads.
    if (at.reasons === Reason.output && (completed !== this.#completed || !blocked)) at.paused = now
    if (!blocked) at.stuck = 0
    else if (at.stuck === 0) at.stuck = now
  }

  /** The peer waits for this server: for memory only so long, and for anything else as long as the peer is still there. */
  private lookWhileWaiting(waited: number, reasons: number): VitalsVerdict {
    const { times, deadlines } = this.#shared
    if ((reasons & Reason.budget) !== 0 && over(times.pauseTimeout, waited, deadlines.now)) return 'starved'
    return this.ping(pingWhileWaiting(times), Math.max(waited, this.#pinged))
  }

  private ping(interval: number, since: number): VitalsVerdict {
    const { now } = this.#shared.deadlines
    if (!over(interval, since, now)) return 'nothing'
    this.#pinged = now
    return 'ping'
  }

  /** The tick at which to look again; 0 is never. */
  get next(): number {
    const { times, deadlines } = this.#shared
    // No event says that a write has begun to stand still, so it is looked for once per pauseTimeout.
    const { paused, waited, reasons, looked, stuck } = this.#standstill ?? NONE
    const since = stuck > 0 ? stuck : deadlines.now
    let first = Math.min(due(times.maxLifetime, this.#opened), due(times.pauseTimeout, since))
    if (waited > 0) first = Math.min(first, due(pingWhileWaiting(times), Math.max(waited, this.#pinged)))
    else if (paused > 0) {
      first = Math.min(first, due(times.pauseTimeout, paused))
      if (reasons === Reason.output) first = Math.min(first, due(pingWhileWaiting(times), Math.max(paused, looked)))
    } else {
      const silent = Math.max(this.#seen, this.#pinged)
      first = Math.min(first, due(times.idleTimeout, this.#seen), due(times.pingInterval, silent))
    }
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
