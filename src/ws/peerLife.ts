// How far the life of a WebSocket's peer has gone, and what the core's limits would end it for: its budget has room for all, so
// that none of these does but at the very end of memory.
import { CloseCode } from '../protocol/closeCode.js'
import { Lifecycle } from '../protocol/lifecycle.js'
import type { SocketEnd } from './socketEnd.js'

export abstract class PeerLife {
  held = 0
  standing: number | undefined
  readonly lifecycle = new Lifecycle('server') // a client of ws, too, ends its half when it has said its last word
  end: SocketEnd | undefined // how it ends, once it does

  /** Ends the connection at once. */
  abstract terminate(): void

  /** As the class WebSocket counts: 1 is open, 2 closing, 3 closed. */
  get readyState(): 1 | 2 | 3 {
    return this.lifecycle.isOpen ? 1 : this.lifecycle.isGone ? 3 : 2
  }

  /** What the peer's Close frame has said. */
  get closeCode(): number {
    return this.end?.code ?? CloseCode.abnormal
  }

  get gone(): boolean {
    return this.lifecycle.isGone
  }

  evicted(): void {
    this.terminate()
  }

  payloadStalled(): void {
    this.terminate()
  }
}
