// An upgrade whose answer the application has promised. Keeps what the peer sends meanwhile, within bounds; notices when
// it leaves; and does not wait for ever.
import { Buffer } from 'node:buffer'
import type { Deadlines, Expiring } from '../connection/deadlines.js'
import { refuse } from '../protocol/openingHandshake.js'
import { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { Verdict } from './endpoint.js'
import type { Decision } from './gate.js'

/** Bytes kept of what a peer sends before it is accepted; above, nothing more is read from it. */
const MOST_BYTES = 64 * 1024

/** How long the answer may take. */
export interface Patience {
  readonly deadlines: Deadlines
  /** When the handshake must be done, as a tick; 0 is never. */
  readonly due: number
  /** The limits that this comes from, in milliseconds. */
  readonly limits: { readonly handshakeTimeout: number; readonly pauseTimeout: number }
}

/** The lane that an upgrade came by. */
export interface Waiting {
  /** Enough bytes are kept: read no more. */
  full(): void
  /** The answer, and what the peer has sent since its request. */
  settled(verdict: Verdict, early: Buffer): void
}

export class PendingUpgrade implements Expiring {
  due = 0
  readonly #decision: Decision
  readonly #patience: Patience
  readonly #lane: Waiting
  readonly #chunks: Buffer[]
  #length = 0
  /** Which limit ends it. */
  #limit: keyof Patience['limits'] = 'handshakeTimeout'
  #over = false

  constructor(decision: Decision, early: Buffer, patience: Patience, lane: Waiting) {
    this.#decision = decision
    this.#patience = patience
    this.#lane = lane
    this.#chunks = [early]
    patience.deadlines.setTick(this, patience.due)
    Promise.resolve(decision.verdict).then((verdict) => this.#settle(verdict))
  }

  received(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length < MOST_BYTES) return
    this.#lane.full()
    this.#limitPause()
  }

  /** While nothing is read, nobody sees that the peer has left: that must not last, whatever `upgrade` may take. */
  #limitPause(): void {
    const { deadlines, limits } = this.#patience
    const latest = deadlines.tickAfter(limits.pauseTimeout)
    if (latest === 0 || (this.due !== 0 && this.due <= latest)) return
    this.#limit = 'pauseTimeout'
    deadlines.setTick(this, latest)
  }

  /** The peer has left. */
  abandon(reason: string): void {
    if (this.#over) return
    this.#end()
    UpgradeRequest.abort(this.#decision.request, new Error(reason))
  }

  /** The server closes. */
  cancel(): void {
    const refusal = refuse(503, 'the server is closing')
    UpgradeRequest.abort(this.#decision.request, new Error(refusal.reason))
    this.#settle(refusal)
  }

  expired(): void {
    if (this.#over) return
    const { request, endpoint } = this.#decision
    const error = new Error(`upgrade did not settle within ${this.#limit}, ${this.#patience.limits[this.#limit]} ms`)
    UpgradeRequest.abort(request, error)
    this.#settle(endpoint.failed(request, error, refuse(503, 'the upgrade took too long')))
  }

  #settle(verdict: Verdict): void {
    if (this.#over) return
    this.#end()
    // Asked for only now: of many that are let in in one turn, each must know of those before it.
    const refusal = 'status' in verdict ? undefined : this.#decision.refusal?.()
    this.#lane.settled(refusal ?? verdict, Buffer.concat(this.#chunks))
  }

  #end(): void {
    this.#over = true
    this.#patience.deadlines.clear(this)
  }
}
