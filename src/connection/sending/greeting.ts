// What goes first on a connection: the response of the opening handshake. Most connections send nothing else in that turn,
// and many never do: so the sending half of a connection is made when it sends, and the response leaves without one. If
// something is sent in the same turn, the sending half takes the response over, and both leave in one write.

import type { Arena } from '../../memory/arena.js'
import { NOBODY } from '../../memory/arena.js'
import type { SharedBlock } from '../../memory/sharedBlock.js'
import { PENDING, type Transport } from '../../transport/transport.js'
import type { FrameBuffer } from './frameBuffer.js'

/** What a sending half does with a response. */
interface Successor extends FrameBuffer {
  /** As `FrameBuffer.commit`; what is `counted` is no frame, or has been counted. */
  commit(pointer: number, length: number, counted?: boolean): void
  /** Sends it before everything else. */
  follow(block: SharedBlock, pointer: number, length: number): void
  /** Keeps it until it is written. */
  stands(block: SharedBlock, pointer: number, length: number): void
}

/** A connection that is about to open. */
export interface Greeter {
  /** Its sending half, which is made when it is first asked for. */
  readonly sender: { readonly outgoing: Successor }
}

/** What it needs of the turn. */
interface GreetingTurn {
  readonly outbox: Arena
  reserve(length: number): boolean
}

/** One for each thread: connections open one after the other. */
export class Greeting implements FrameBuffer {
  readonly #turn: GreetingTurn
  /** The connection whose response it is. */
  #greeter: Greeter | undefined
  /** Where the response lies, in a block of the outbox that is retained. */
  #block: SharedBlock | undefined
  #pointer = 0
  #length = 0
  /** Set while the response is built in the sending half, because the outbox has no room for it. */
  #elsewhere: Successor | undefined

  constructor(turn: GreetingTurn) {
    this.#turn = turn
  }

  /** Where the response of a connection is built: here, or where that of another one waits already, in its sending half. */
  of(greeter: Greeter): FrameBuffer {
    if (this.#greeter !== undefined) return greeter.sender.outgoing
    this.#greeter = greeter
    return this
  }

  reserve(length: number): number {
    const { outbox } = this.#turn
    outbox.builder = NOBODY
    if (outbox.fits(length) || (length <= outbox.capacity && this.#turn.reserve(length))) return outbox.position
    this.#elsewhere = this.#greeter?.sender.outgoing
    return this.#elsewhere?.reserve(length) ?? 0
  }

  commit(pointer: number, length: number): void {
    if (this.#elsewhere !== undefined) return this.#elsewhere.commit(pointer, length, true)
    const { outbox } = this.#turn
    this.#block = outbox.block
    this.#block.retain()
    this.#pointer = pointer
    this.#length = length
    outbox.position = pointer + length
  }

  /** The sending half of a connection has been made: the response leaves with what it sends. */
  pass(greeter: object, outgoing: Successor): void {
    if (this.#greeter !== greeter || this.#block === undefined) return
    outgoing.follow(this.#block, this.#pointer, this.#length)
    this.#block = undefined
  }

  /** The connection is open: writes its response, unless its sending half does. Returns false where the write fails. */
  leave(greeter: Greeter, transport: Pick<Transport, 'write'>): boolean {
    if (this.#greeter !== greeter) return true
    const block = this.#block
    this.#greeter = this.#block = this.#elsewhere = undefined
    if (block === undefined) return true
    const status = transport.write(this.#pointer, this.#length)
    if (status === PENDING) greeter.sender.outgoing.stands(block, this.#pointer, this.#length)
    else this.#turn.outbox.takeBack(block, this.#pointer, this.#length)
    block.release()
    return status >= 0
  }
}
