// What programs reach for behind a WebSocket of ws that receives: the limit that holds for it, and the way to leave its pings
// unanswered.
import { EventEmitter } from 'node:events'

/** The receiving half, as far as it can be told something. */
export interface Receiving {
  readonly longest: number
  ignorePings(): void
}

export class Receiver extends EventEmitter {
  /** The longest message in bytes; 0 is any length. */
  readonly _maxPayload: number
  readonly #half: Receiving

  /** Made by a WebSocket. @internal */
  constructor(half: Receiving) {
    super()
    this._maxPayload = half.longest
    this.#half = half
  }

  /** Without the listeners of pings, these are neither answered nor told. */
  override removeAllListeners(event?: string | symbol): this {
    if (event === undefined || event === 'ping') this.#half.ignorePings()
    return super.removeAllListeners(event)
  }
}
