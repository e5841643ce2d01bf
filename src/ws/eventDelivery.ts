// Tells a WebSocket's listeners what has come. What a listener throws is an uncaught exception, as with ws: it breaks off
// nothing of the core's, and nothing more is delivered before it has been seen.
import { Buffer } from 'node:buffer'
import { codecOfThread, type Region } from '../codec/codec.js'
import { isCompressed, isText } from '../codec/frames.js'
import type { OwnBytes } from '../codec/ownBytes.js'
import type { Pressure } from '../connection/pressure.js'
import { Reason } from '../connection/reason.js'
import type { Deliverer } from '../connection/receiving/sink.js'
import { runOutside } from '../internals/context.js'
import { binary, copied, EMPTY } from './data.js'
import { throwLater } from './errors.js'
import { keepMemory } from './keptMemory.js'
import type { SocketOwner } from './socketOwner.js'

const NO_ENDS: number[] = []

export class EventDelivery implements Deliverer {
  #owner: SocketOwner
  readonly #pressure: Pressure
  /** Where each event has a turn of the event loop of its own: the one that waits for its turn. */
  readonly #turns: { event?: (() => void) | undefined } | undefined
  /** The message that is handed out in parts, and how much of it is there. */
  #gathered: OwnBytes = EMPTY
  #filled = 0
  #isText = false
  /** Whether ws would not tell the next event of this read within it: it has inflated one before, or gives each a turn. */
  #isLate = false
  /** The ends of frames of the message under way, where somebody wants to know of them. */
  #ends: number[] = NO_ENDS

  constructor(owner: SocketOwner, pressure: Pressure, synchronous: boolean) {
    this.#owner = owner
    this.#pressure = pressure
    this.#turns = synchronous ? undefined : {}
  }

  /** Has whom it tells told by way of another, from now on. */
  byWayOf<Teller extends { readonly told: SocketOwner }>(other: Teller): Teller {
    this.#owner = other.told
    return other
  }

  /** Something that has been read is told from now on: within its read, or `late`. */
  begins(late = this.#turns !== undefined): void {
    this.#isLate = late
  }

  take(info: number, pointer: number, length: number, region: Region | undefined): void {
    if (isCompressed(info)) this.#isLate = true
    this.#message(copied(pointer, length, region), isText(info))
  }

  streamBegins(isText: boolean, byteLength = 0): void {
    this.#isText = isText
    this.#filled = 0
    keepMemory(byteLength)
    this.#gathered = Buffer.allocUnsafeSlow(byteLength)
  }

  frameEnds(length: number): void {
    if (length === (this.#ends.at(-1) ?? 0)) return // any number of frames may have no bytes
    if (this.#ends === NO_ENDS) this.#ends = []
    this.#ends.push(length)
  }

  streamPart(pointer: number, length: number, last: boolean): void {
    const bytes = this.#gathered
    codecOfThread().read(pointer, bytes.subarray(this.#filled, this.#filled + length))
    this.#filled += length
    if (!last) return
    this.#gathered = EMPTY
    this.#message(bytes, this.#isText)
  }

  /** Whether something that was read waits for its turn. */
  get waits(): boolean {
    return this.#turns?.event !== undefined
  }

  /** Nothing more comes of the message under way, and an application may keep its socket for long. */
  tellClose(tell: () => void): void {
    this.#gathered = EMPTY
    this.attempt(tell)
  }

  #message(bytes: OwnBytes, isText: boolean): void {
    const ends = this.#ends
    this.#ends = NO_ENDS
    const data = isText ? bytes : binary(this.#owner.binaryType, bytes, ends)
    if (this.#turns === undefined) this.tell('message', data, !isText)
    else this.#tellInTurn(this.#turns, () => this.tell('message', data, !isText))
  }

  /** A control frame has come; it is answered before it is told. */
  tellControl(event: string, data: Buffer, by?: { answer(data: Buffer): void }): void {
    const tell = (): boolean => (by === undefined || this.attempt(() => by.answer(data))) && this.tell(event, data)
    if (this.#turns === undefined) tell()
    else this.#tellInTurn(this.#turns, tell)
  }

  /** Returns whether nobody has thrown anything. */
  tell(event: string, ...values: unknown[]): boolean {
    try {
      this.#owner.emit(event, ...values)
      return true
    } catch (error) {
      this.fault(error)
      return false
    }
  }

  /** The same for what calls a method that may be the program's. */
  attempt(call: () => void): boolean {
    try {
      call()
      return true
    } catch (error) {
      this.fault(error)
      return false
    }
  }

  /** What was read behind it is looked at in the same turn, and no sooner. */
  #tellInTurn(turns: { event?: (() => void) | undefined }, tell: () => boolean): void {
    turns.event = (): void => {
      turns.event = undefined
      if (!this.#pressure.done && tell()) this.#pressure.resumeNow(Reason.handlers)
    }
    this.#pressure.pause(Reason.handlers)
    setImmediate(() => runOutside(() => turns.event?.()))
  }

  /** The same in the next tick, as ws does where a stream of Node's tells it of an error. */
  tellLater(event: string, ...values: unknown[]): void {
    process.nextTick(() => this.tell(event, ...values))
  }

  /**
   * Calls `tell` when the error of a broken rule is due. In ws, a stream tells of it two ticks after the read, so that what a program
   * has put off for the messages before it comes first, or one tick after what was told outside of the read. zlib works elsewhere:
   * what it finds is told in a later turn.
   */
  whenDue(inflating: boolean, tell: () => void): void {
    if (inflating) setImmediate(() => runOutside(tell))
    else if (this.#isLate) process.nextTick(tell)
    else process.nextTick(() => process.nextTick(tell))
  }

  fault(error: unknown): void {
    throwLater(error)
    this.#yield()
  }

  /** Nothing more is delivered in this turn of the event loop. */
  #yield(): void {
    if (this.#pressure.done) return
    this.#pressure.pause(Reason.handlers)
    setImmediate(() => runOutside(() => this.#pressure.resumeNow(Reason.handlers)))
  }
}
