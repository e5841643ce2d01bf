// The life of one connection: who has said Close, who has closed its half of the TCP connection, and with which code it
// ends (RFC 6455, section 7). It does no I/O: each event answers what its connection must do, for either role.
import { CloseCode, type CloseStatus } from './closeCode.js'
import type { Role } from './role.js'

/**
 * `open`: messages go both ways. `closing`: this side has said Close; what the peer still sends is delivered. `ending`:
 * nothing is delivered any more, and the TCP connection is being closed. `gone`: there is no TCP connection any more.
 */
export type State = 'open' | 'closing' | 'ending' | 'gone'

/**
 * What an event asks for, as bits of one number, so that an answer costs no memory. They are to be done in this order.
 */
export const Action = {
  none: 0,
  /** Send the Close frame that `closeFrame` tells, and nothing after it (section 5.5.1). */
  sayClose: 1,
  /** The peer has the close timeout for what it must do next; then `expires`. */
  limitTime: 2,
  /** Deliver nothing more. Go on reading, though: the end of the peer must be seen. */
  stopDelivery: 4,
  /** Write what is buffered, and report `flushed`, also if nothing is. */
  flush: 8,
  /** Close this side's half of the TCP connection. */
  halfClose: 16,
  /** End the TCP connection at once. */
  destroy: 32,
  /** End the TCP connection, once the transport has passed on what was written. */
  finish: 64,
} as const

const OPEN = 0
const CLOSING = 1
const ENDING = 2
const GONE = 3
/** This side is the server. */
const IS_SERVER = 1
/** This side has failed the connection. */
const FAILED = 2
/** The peer has closed its half of the TCP connection: nothing more will come. */
const PEER_ENDED = 4
/** This side has closed its half. */
const HALF_CLOSED = 8
/** The TCP connection is being ended, whatever happens now. */
const DESTROYED = 16
/** It ends, and yet what has been read before is delivered. */
const DELIVERS_REST = 32
/** Nothing is delivered, in whatever state it is. */
const DEAF = 64

const NAMES: readonly State[] = ['open', 'closing', 'ending', 'gone']

const NO_STATUS: CloseStatus = { code: CloseCode.none, reason: '' }

/** Nothing more is delivered, and what there is to write is written. */
const WIND_UP = Action.limitTime | Action.stopDelivery | Action.flush

export class Lifecycle {
  #state: number = OPEN
  /** What has happened, as bits: there is a lifecycle for each connection, and most spend their lives without any. */
  #facts: number
  #sent: CloseStatus | undefined
  #received: CloseStatus | undefined

  constructor(role: Role) {
    this.#facts = role === 'server' ? IS_SERVER : 0
  }

  get state(): State {
    return NAMES[this.#state] ?? 'gone'
  }

  /** Whether messages may be sent. */
  get isOpen(): boolean {
    return this.#state === OPEN
  }

  /** Whether what the peer sends is delivered. */
  get delivers(): boolean {
    return (this.#state < ENDING || this.has(DELIVERS_REST)) && !this.has(DEAF)
  }

  get isGone(): boolean {
    return this.#state === GONE
  }

  /** What this side's Close frame says, when `sayClose` asks for it; the code 1005 stands for a frame without a code. */
  get closeFrame(): CloseStatus {
    return this.#sent ?? NO_STATUS
  }

  /**
   * How the connection has ended: what this side has failed it with, else what the peer's Close said, else 1006
   * (section 7.1.5).
   */
  get outcome(): CloseStatus {
    if (this.has(FAILED) && this.#sent !== undefined) return this.#sent
    return this.#received ?? { code: CloseCode.abnormal, reason: '' }
  }

  /** This side starts the closing handshake (section 7.1.2). */
  sendClose(status: CloseStatus): number {
    if (this.#state !== OPEN) return Action.none
    this.#state = CLOSING
    this.#sent = status
    return Action.sayClose | Action.limitTime
  }

  /** The peer has said Close. If this side has not, it answers with the peer's own code (section 5.5.1). */
  receiveClose(status: CloseStatus): number {
    if (this.#state >= ENDING) return this.restEnds()
    this.#received = status
    return this.windUp({ code: status.code, reason: '' })
  }

  /** This side fails the connection (section 7.1.7): it says why, unless it has said Close already. */
  fail(status: CloseStatus): number {
    if (this.#state >= ENDING) return this.restEnds()
    this.#facts |= FAILED
    return this.windUp(status)
  }

  /** What the peer sends is not delivered from now on, though this side has yet to answer what it has sent. */
  stopDelivery(): void {
    this.#facts |= DEAF
  }

  /** The peer closes its half of the TCP connection. */
  peerEnds(): number {
    if (this.#state === GONE || this.has(DELIVERS_REST)) return Action.none
    this.#facts |= PEER_ENDED
    this.#state = ENDING
    return WIND_UP
  }

  /**
   * Everything that was buffered has been written. Section 7.1.1: the server closes the TCP connection first, and the
   * client waits for that. The server closes its half, and waits for the peer's: to end at once, with bytes of the peer
   * unread, would make the system send a reset, which overtakes the Close frame.
   */
  flushed(): number {
    if (this.#state !== ENDING || this.has(DESTROYED)) return Action.none
    if (this.has(PEER_ENDED)) return this.finish()
    if (this.has(HALF_CLOSED) || !this.has(IS_SERVER)) return Action.none
    this.#facts |= HALF_CLOSED
    return Action.halfClose
  }

  /** This side can send nothing more, not even Close: it closes its half, and the peer has the close timeout for its own. */
  closeHalf(): number {
    if (this.#state >= ENDING || this.has(HALF_CLOSED)) return Action.none
    const limit = this.#state === OPEN ? Action.limitTime : Action.none
    this.#state = CLOSING
    this.#facts |= HALF_CLOSED
    return limit | Action.halfClose
  }

  /** Some of what was buffered has been written: a peer that goes on reading may take its time over what precedes Close. */
  progress(): number {
    if (this.#sent === undefined || this.#state === GONE) return Action.none
    return Action.limitTime
  }

  /** The time that `limitTime` allowed is over. */
  expires(): number {
    return this.#state === OPEN ? Action.none : this.terminate()
  }

  /** The connection is to end at once, without Close. */
  terminate(): number {
    if (this.#state === GONE) return Action.none
    this.#state = ENDING
    return this.destroy()
  }

  /** The same, and what has been read before is still delivered: until a Close or a mistake in it, or `transportGone`. */
  terminateAfterRest(): number {
    if (this.delivers) this.#facts |= DELIVERS_REST
    return this.terminate()
  }

  /** There is no TCP connection any more. */
  transportGone(): void {
    this.restEnds()
    this.#state = GONE
  }

  private restEnds(): number {
    this.#facts &= ~DELIVERS_REST
    return Action.none
  }

  private has(fact: number): boolean {
    return (this.#facts & fact) !== 0
  }

  private windUp(close: CloseStatus): number {
    const says = this.#state === OPEN
    this.#state = ENDING
    if (!says) return WIND_UP
    this.#sent = close
    return WIND_UP | Action.sayClose
  }

  private finish(): number {
    this.#facts |= DESTROYED
    return Action.finish
  }

  private destroy(): number {
    this.#facts |= DESTROYED
    return Action.destroy
  }
}
