// An upgrade whose answer the application has promised. What the peer sends meanwhile is kept, within bounds; it is noticed
// if the peer leaves; and the wait has a limit.
import { Buffer } from 'node:buffer'
import { callerError } from '../../checks/errors.js'
import { runOutside } from '../../internals/context.js'
import type { Budget, Holder } from '../../memory/budget.js'
import { refuse } from '../../protocol/openingHandshake.js'
import { requestInternals } from '../../protocol/upgradeRequest.js'
import type { Deadlines, Expiring } from '../../time/deadlines.js'
import type { UpgradeVerdict } from '../admission/endpoint.js'
import type { Decision } from '../admission/gate.js'

/** Why an upgrade is refused if others need its place. */
export const CROWDED = 'too many connections amid their handshake'

/** Bytes kept of what a peer sends before it is accepted; above, nothing more is read from it. */
const MOST_BYTES = 64 * 1024

/** Bytes that its objects and those of its request cost. */
const OBJECTS = 4096

/** A request is kept as text and, in `request.headers`, in parts. */
const COPIES_OF_HEAD = 2

/** The least room for what the peer sends, in bytes. */
const LEAST_ROOM = 512

const NOTHING = Buffer.alloc(0)

/** How long the answer may take, and what counts the bytes that are held meanwhile. */
export interface Patience {
  readonly deadlines: Deadlines
  readonly budget: Budget
  /** Bytes of the request's head. */
  readonly head: number
  /** When the handshake must be done, as a tick; 0 is never. */
  readonly due: number
  /** The limits that this comes from, in milliseconds. */
  readonly limits: { readonly handshakeTimeout: number; readonly pauseTimeout: number }
}

/** The lane that an upgrade came by. */
export interface WaitingLane {
  /** Enough bytes are kept: read no more. */
  full(): void
  /** The answer, and what the peer has sent since its request. */
  settled(verdict: UpgradeVerdict, early: Buffer): void
}

export class PendingUpgrade implements Expiring, Holder {
  due = 0
  place = 0
  held = 0
  standing: number | undefined
  readonly #decision: Decision
  readonly #patience: Patience
  readonly #lane: WaitingLane
  /** What the peer has sent since its request, and room for more: a peer that sends single bytes costs no object for each. */
  #early: Buffer
  #length = 0
  /** Which limit ends it. */
  #limit: keyof Patience['limits'] = 'handshakeTimeout'
  #over = false

  constructor(decision: Decision, early: Buffer, patience: Patience, lane: WaitingLane) {
    this.#decision = decision
    this.#patience = patience
    this.#lane = lane
    this.#early = early.length === 0 ? NOTHING : early
    this.#length = early.length
    patience.deadlines.setTick(this, patience.due)
    Promise.resolve(decision.verdict).then((verdict) => this.#settle(verdict))
    const kept = patience.budget.keep(this, OBJECTS + COPIES_OF_HEAD * patience.head + early.length)
    if (!kept)
      queueMicrotask(() => runOutside(() => this.evicted())) // the lane does not know it yet
    else if (early.length >= MOST_BYTES) queueMicrotask(() => runOutside(() => this.#full()))
  }

  received(chunk: Buffer): void {
    if (this.#over) return
    const length = this.#length + chunk.length
    if (length > this.#early.length && !this.#grow(length)) return this.evicted()
    chunk.copy(this.#early, this.#length)
    this.#length = length
    if (length >= MOST_BYTES) this.#full()
  }

  /** Room for `length` bytes; false if others need the memory. */
  #grow(length: number): boolean {
    const room = Math.max(length, Math.min(2 * this.#early.length, MOST_BYTES), LEAST_ROOM)
    if (!this.#patience.budget.keep(this, room - this.#early.length)) return false
    const early = Buffer.allocUnsafeSlow(room)
    this.#early.copy(early, 0, 0, this.#length)
    this.#early = early
    return true
  }

  #full(): void {
    if (this.#over) return
    this.#lane.full()
    this.#limitPause()
  }

  /** Limits the time without reading: nobody can see meanwhile that the peer has left, however long `upgrade` takes. */
  #limitPause(): void {
    const { deadlines, limits } = this.#patience
    const latest = deadlines.tickAfter(limits.pauseTimeout)
    if (latest === 0 || (this.due !== 0 && this.due <= latest)) return
    this.#limit = 'pauseTimeout'
    deadlines.setTick(this, latest)
  }

  /** The peer has left. */
  peerLeft(reason: string): void {
    if (this.#over) return
    this.#end()
    requestInternals.abort(this.#decision.request, callerError('ERR_UPGRADE_ABORTED', reason))
  }

  get gone(): boolean {
    return this.#over
  }

  /** Others need the memory that it holds (Holder). */
  evicted(): void {
    this.cancel('others need the memory')
  }

  /** Refuses the upgrade, because the server closes or others need the place. */
  cancel(reason = 'the server is closing'): void {
    if (this.#over) return
    const refusal = refuse(503, reason)
    requestInternals.abort(this.#decision.request, callerError('ERR_UPGRADE_ABORTED', refusal.reason))
    this.#settle(refusal)
  }

  expired(): void {
    if (this.#over) return
    const { request, endpoint } = this.#decision
    const error = callerError(
      'ERR_UPGRADE_TIMEOUT',
      `upgrade did not settle within ${this.#limit}, ${this.#patience.limits[this.#limit]} ms`,
    )
    requestInternals.abort(request, error)
    this.#settle(endpoint.failed(request, error, refuse(503, 'the upgrade took too long')))
  }

  #settle(verdict: UpgradeVerdict): void {
    if (this.#over) return
    const early = this.#early.subarray(0, this.#length)
    this.#end()
    // The limits are checked again only now: of many that are let in in one turn, each must count those before it.
    const refusal = 'status' in verdict ? undefined : this.#decision.refusal?.()
    this.#lane.settled(refusal ?? verdict, early)
  }

  #end(): void {
    const { deadlines, budget } = this.#patience
    this.#over = true
    this.#early = NOTHING
    deadlines.clear(this)
    budget.release(this, this.held)
    budget.leave(this)
  }
}
