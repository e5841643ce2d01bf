// What programs reach for behind a WebSocket of ws that receives: the limits that hold for it, and the way to leave its pings
// unanswered.
import { Receiver } from './receiver.js'
import type { SocketContext } from './socketContext.js'

/** The receiving half, as far as it can be told something. */
export interface Receiving {
  readonly context: SocketContext
  ignorePings(): void
}

export class SocketReceiver extends Receiver {
  readonly #half: Receiving

  constructor(half: Receiving, isServer: boolean) {
    const { maxPayload, limits, mostChunks, synchronous, anyText } = half.context
    const { maxFragments } = limits
    const names = { maxBufferedChunks: mostChunks, allowSynchronousEvents: synchronous, skipUTF8Validation: anyText }
    super({ maxPayload, maxFragments, isServer, ...names })
    this.#half = half
  }

  /** Without the listeners of pings, these are neither answered nor told. */
  override removeAllListeners(event?: string | symbol): this {
    if (event === undefined || event === 'ping') this.#half.ignorePings()
    return super.removeAllListeners(event)
  }
}
