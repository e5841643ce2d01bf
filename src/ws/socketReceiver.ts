// What programs reach for behind a WebSocket of ws that receives: the limit that holds for it, and the way to leave its pings
// unanswered.
import { Receiver } from './receiver.js'

/** The receiving half, as far as it can be told something. */
export interface Receiving {
  readonly longest: number
  ignorePings(): void
}

export class SocketReceiver extends Receiver {
  readonly #half: Receiving

  constructor(half: Receiving, isServer: boolean) {
    super({ maxPayload: half.longest, isServer })
    this.#half = half
  }

  /** Without the listeners of pings, these are neither answered nor told. */
  override removeAllListeners(event?: string | symbol): this {
    if (event === undefined || event === 'ping') this.#half.ignorePings()
    return super.removeAllListeners(event)
  }
}
