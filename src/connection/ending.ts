// How one connection ends: who has said Close, whether anything is still delivered, and when each half of the transport
// is closed. RFC 6455, section 7.
import { OPCODE_CLOSE } from '../codec/frames.js'
import { type CloseStatus, writeClosePayload } from '../protocol/closeCode.js'
import { ClosingHandshake } from '../protocol/closingHandshake.js'
import type { Transport } from '../transport/transport.js'
import type { Deadlines, Expiring } from './deadlines.js'
import type { Sender } from './sender.js'

/** What all connections of a route share, as far as their ends need it. */
export interface EndingShared {
  readonly deadlines: Deadlines
  readonly limits: { readonly closeTimeout: number }
}

/** The connection that ends. */
export interface EndingOwner extends Expiring {
  /** Nothing more is delivered: what has not been is given up, and reading goes on only to see the peer's end. */
  deliveryEnds(): void
}

export class Ending {
  /** Nothing more is delivered: both have said Close, or the connection has failed, or the peer has half-closed. */
  done = false
  gone = false
  readonly #shared: EndingShared
  readonly #transport: Transport
  readonly #sender: Sender
  readonly #owner: EndingOwner
  /** Made when somebody says Close: most connections spend their life without. */
  #handshake: ClosingHandshake | undefined
  #peerHasHalfClosed = false
  #weHaveHalfClosed = false

  constructor(shared: EndingShared, transport: Transport, sender: Sender, owner: EndingOwner) {
    this.#shared = shared
    this.#transport = transport
    this.#sender = sender
    this.#owner = owner
  }

  /** Whether messages may be sent. */
  get isOpen(): boolean {
    return !this.gone && !this.done && !this.closeSent
  }

  /** Whether this side has said Close: then it may say nothing more (section 5.5.1). */
  get closeSent(): boolean {
    return this.#handshake?.sent === true
  }

  /** How the connection has ended, as its `close` handler is told. */
  get outcome(): CloseStatus {
    return this.#started.outcome
  }

  /** Says Close; the peer has closeTimeout to answer. */
  sayClose(status: CloseStatus, payload: Uint8Array): void {
    this.#sender.catchUp() // after Close, nothing can be sent
    if (this.done || this.closeSent) return // what was published before has failed the connection
    this.#started.send(status)
    this.#sender.control(OPCODE_CLOSE, payload)
    this.#sender.end()
    this.#setDeadline()
  }

  /** The peer has said Close: it is answered with its own code (section 5.5.1). */
  closeReceived(status: CloseStatus): void {
    const handshake = this.#started
    handshake.receive(status)
    if (!handshake.sent) this.sayClose(status, writeClosePayload(handshake.answer, ''))
    this.#finish()
  }

  /** Section 7.1.7: says why, delivers nothing more, and ends the connection. */
  fail(status: CloseStatus): void {
    if (this.done) return
    const handshake = this.#started
    handshake.fail()
    if (!handshake.sent) this.sayClose(status, writeClosePayload(status.code, status.reason))
    this.#finish()
  }

  /** The peer has half-closed. */
  peerHalfCloses(): void {
    this.#peerHasHalfClosed = true
    this.#finish()
  }

  /** What could be written has been, and nothing is left. */
  everythingWritten(): void {
    if (!this.done) return
    if (this.#peerHasHalfClosed) this.#transport.close()
    else if (!this.#weHaveHalfClosed) this.#transport.end()
    this.#weHaveHalfClosed = true
  }

  /** A write has been finished. A peer that goes on reading may take its time over what was buffered before Close. */
  progress(): void {
    if (this.closeSent) this.#setDeadline()
  }

  /** Ends at once, without Close. */
  terminate(): void {
    this.done = true
    this.#sender.end()
    this.#transport.close()
  }

  /** The transport is gone. */
  leave(): void {
    this.done = this.gone = true
  }

  get #started(): ClosingHandshake {
    this.#handshake ??= new ClosingHandshake()
    return this.#handshake
  }

  #setDeadline(): void {
    this.#shared.deadlines.set(this.#owner, this.#shared.limits.closeTimeout)
  }

  /**
   * Nothing more is delivered. Ends the connection so that the peer really gets the Close frame: half-close after it,
   * then read on, throwing away what comes, until the peer ends too. Closing at once with unread bytes would make
   * the system send a reset, which overtakes the Close frame.
   */
  #finish(): void {
    this.done = true
    this.#sender.end()
    this.#setDeadline()
    this.#owner.deliveryEnds()
    this.#sender.outgoing.touch()
  }
}
