// Does what the lifecycle of a connection asks for: says Close, closes the halves of the transport, and limits the time
// that this may take. RFC 6455, section 7.
import type { Buffer } from 'node:buffer'
import { OPCODE_CLOSE } from '../codec/frames.js'
import { CloseCode, readClosePayload, writeClosePayload } from '../protocol/closeCode.js'
import { Action, type Lifecycle } from '../protocol/lifecycle.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Deadlines } from '../time/deadlines.js'
import type { Transport } from '../transport/transport.js'
import type { Owner } from './owner.js'
import type { Sender } from './sending/sender.js'
import { traceState, tracing } from './trace.js'
import type { Turn } from './turn.js'

/** What all connections of a route share, as far as their ends need it. */
export interface EndingContext {
  readonly deadlines: Deadlines
  readonly turn: Pick<Turn, 'begin' | 'end'>
  readonly limits: { readonly closeTimeout: number }
}

/** A slow peer whose unfinished write holds at most this much is still sent the reason for its end. */
const LITTLE = 65_536

export class Ending {
  readonly #shared: EndingContext
  readonly #transport: Transport
  readonly #lifecycle: Lifecycle
  readonly #sender: Sender
  readonly #owner: Owner

  constructor(shared: EndingContext, transport: Transport, lifecycle: Lifecycle, sender: Sender, owner: Owner) {
    this.#shared = shared
    this.#transport = transport
    this.#lifecycle = lifecycle
    this.#sender = sender
    this.#owner = owner
  }

  /** Starts the closing handshake. Throws for a code or a reason that may not be sent. */
  close(code: number | undefined, reason: string): void {
    writeClosePayload(code, reason)
    if (!this.#lifecycle.isOpen) return
    this.#sender.catchUp() // after Close, nothing can be sent
    this.perform(this.#lifecycle.sendClose({ code: code ?? CloseCode.none, reason }))
  }

  /** The peer has said Close, in a frame with this payload. */
  closeReceived(payload: Buffer): void {
    const status = readClosePayload(payload)
    if (status instanceof ProtocolViolation) return this.#owner.violated(status)
    this.#sender.catchUp()
    this.perform(this.#lifecycle.receiveClose(status))
  }

  /** Fails the connection, unless it is ending already. */
  fail(code: number, reason: string): void {
    if (!this.#lifecycle.delivers) return
    this.#sender.catchUp()
    this.perform(this.#lifecycle.fail({ code, reason }))
  }

  /** Others need the memory that this peer makes the server hold: the connection fails, and its waiting output is dropped. */
  evict(): void {
    const { turn } = this.#shared
    const { outgoing } = this.#sender
    const slow = outgoing.blocked
    outgoing.drop()
    this.#sender.end()
    turn.begin()
    this.#owner.violated(new ProtocolViolation(slow ? 'OUTPUT_FULL' : 'MEMORY_SPENT', 'others need the memory'))
    turn.end()
    if (this.#owner.held > LITTLE) this.#transport.close()
  }

  /** Does what the lifecycle has answered to an event. */
  perform(actions: number): void {
    if (tracing) traceState(this.#owner, this.#lifecycle.state)
    if (actions === Action.none) return
    if ((actions & Action.sayClose) !== 0) this.#sayClose()
    if ((actions & Action.limitTime) !== 0) this.#limitTime()
    if ((actions & Action.stopDelivery) !== 0) this.#stopDelivery()
    if ((actions & Action.flush) !== 0) this.#sender.outgoing.touch()
    if ((actions & Action.halfClose) !== 0) this.#transport.end()
    if ((actions & Action.destroy) !== 0) this.#destroy()
    if ((actions & Action.finish) !== 0) this.#transport.endBoth()
  }

  #sayClose(): void {
    const { code, reason } = this.#lifecycle.closeFrame
    this.#sender.control(OPCODE_CLOSE, writeClosePayload(code === CloseCode.none ? undefined : code, reason))
    this.#sender.end()
  }

  #limitTime(): void {
    this.#shared.deadlines.set(this.#owner, this.#shared.limits.closeTimeout)
  }

  #stopDelivery(): void {
    this.#sender.end()
    this.#owner.deliveryEnds()
  }

  #destroy(): void {
    this.#sender.end()
    this.#transport.close()
  }
}
