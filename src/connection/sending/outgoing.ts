// The sending half of a connection. Frames of a turn are built in the outbox and leave together; while a write is
// outstanding, later frames wait in blocks of this connection's own, so a slow reader holds back nobody else.
// What is being written, or waits, pins its memory: exactly the block that it lies in, until it is written.
import { runOutside } from '../../internals/context.js'
import { NOBODY } from '../../memory/arena.js'
import type { Holder } from '../../memory/budget.js'
import type { SharedBlock, SharedMemory } from '../../memory/sharedBlock.js'
import type { Tally } from '../../metrics/tally.js'
import { PENDING, type Transport } from '../../transport/transport.js'
import type { Writer } from '../turn.js'
import { LONGEST_COPIED, OBJECTS, type OutgoingContext, type OutgoingOwner, shareOf } from './outgoingShared.js'
import { Pinned } from './pinned.js'
import { PinnedQueue } from './pinnedQueue.js'

export class Outgoing implements Writer {
  readonly #transport: Transport
  readonly #shared: OutgoingContext
  readonly #owner: OutgoingOwner
  readonly #holder: Holder
  /** The frames of this turn, and the outbox's block that they lie in, which is retained meanwhile. */
  #start = 0
  #end = 0
  #block: SharedBlock | undefined
  #inOutbox = false // whether the frame that is being built lies there
  #listed = false
  #outstanding: Pinned | undefined // the write that could not finish at once
  #waiting: PinnedQueue | undefined // what waits behind it; made when something does
  #finished = 0 // bytes of the unfinished writes that have been finished since
  #completed = 0 // bytes
  #goesOnLater = false // it has had its share of this turn: whoever asks for a flush meanwhile must not make it more
  #fragmented = 0 // what `Counts.sent` knows of the message in fragments under way

  constructor(transport: Transport, shared: OutgoingContext, owner: OutgoingOwner, holder: Holder) {
    this.#transport = transport
    this.#shared = shared
    this.#owner = owner
    this.#holder = holder
  }

  /** Bytes accepted here that the system has not taken. */
  get buffered(): number {
    return this.#end - this.#start + this.#unfinished
  }

  /** Bytes that wait behind the write that is under way. */
  get waiting(): number {
    return this.#waiting?.bytes ?? 0
  }

  /** Bytes of the write that is under way, and of what waits behind it. */
  get #unfinished(): number {
    return (this.#outstanding?.length ?? 0) + this.waiting
  }

  /**
   * How much of what could not be written at once has been taken since; of the write under way, `unsent` bytes have not.
   * It changes while the peer reads, and not because more is sent.
   */
  taken(unsent: number): number {
    return this.#outstanding === undefined ? this.#finished : this.#finished + this.#outstanding.length - unsent
  }

  /** Bytes of the writes that the system has taken whole: with what is buffered, all that was ever accepted. */
  get completed(): number {
    return this.#completed
  }

  /** Whether frames have to wait for a write to finish. */
  get blocked(): boolean {
    return this.#outstanding !== undefined
  }

  /** Whether what it has leaves in a later turn: for a write to finish, or because it has had its share of this turn. */
  get waits(): boolean {
    return this.#outstanding !== undefined || this.#goesOnLater
  }

  /** Whether all that it has leaves with this turn's write, and is no more than `bytes`. */
  isWithin(bytes: number): boolean {
    return this.#inTurn && this.#end - this.#start <= bytes
  }

  /**
   * Where a frame of at most `length` bytes may be built; `commit` must follow, before anything else is sent. Throws
   * OutOfMemory where none is left.
   */
  reserve(length: number): number {
    // For most frames this is all, here and in `commit`: they follow a frame of the same connection and turn.
    const { outbox } = this.#shared.turn
    return outbox.builder === this && outbox.fits(length) ? outbox.position : this.#reserveFirst(length)
  }

  #reserveFirst(length: number): number {
    const { outbox } = this.#shared.turn
    outbox.builder = NOBODY // until `commit`
    this.#inOutbox = this.#inTurn && outbox.fits(length) && (this.#block === undefined || this.#isLast)
    return this.#inOutbox ? outbox.position : this.#reserveElsewhere(length)
  }

  #reserveElsewhere(length: number): number {
    const { turn } = this.#shared
    const { outbox } = turn
    // To make room, the turn may write what there is, which may block this connection.
    if (this.#inTurn && length <= outbox.capacity && !outbox.fits(length) && turn.reserve(length) && this.#inTurn) {
      this.#inOutbox = this.#block === undefined || this.#isLast
      if (this.#inOutbox) return outbox.position
    }
    return this.#queue.reserve(length, this.#unfinished)
  }

  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(pointer: number, length: number, counted = false): void {
    if (!counted) this.#count(pointer, length)
    const { outbox } = this.#shared.turn
    if (outbox.builder === this) this.#end = outbox.position = pointer + length
    else this.#commitFirst(pointer, length)
  }

  #count(pointer: number, length: number): void {
    this.#fragmented = this.#shared.counts.sent(this.#shared.heap.codec.bytes, pointer, length, this.#fragmented)
  }

  #commitFirst(pointer: number, length: number): void {
    if (this.#inOutbox) this.#commitToTurn(pointer, length)
    else this.#waiting?.commit(length)
    this.touch()
  }

  /** Sends frames that are encoded already, from where they lie if that is cheaper than a copy. */
  addFrames(memory: SharedMemory, pointer: number, length: number, tally?: Tally): void {
    const first = this.#block === undefined && this.#inTurn
    if (first && this.#shared.turn.flushing) this.#writeAtOnce(memory, pointer, length)
    else if (length > LONGEST_COPIED) this.addShared(memory, pointer, length, true)
    else {
      const target = this.reserve(length)
      this.#shared.heap.codec.call.copy(target, pointer, length)
      this.commit(target, length, true)
    }
    this.#shared.counts.encoded(this.#shared.heap.codec.bytes, pointer, length, tally)
  }

  /** Sends first what was built in this turn's outbox before this half was made; `block` was retained for it. */
  follow(block: SharedBlock, pointer: number, length: number): void {
    ;[this.#block, this.#start, this.#end] = [block, pointer, pointer + length]
    this.touch()
  }

  /** Sends from memory where it lies. */
  addShared(memory: SharedMemory, pointer: number, length: number, counted = false): void {
    if (!counted) this.#count(pointer, length)
    this.#queue.add(memory, pointer, length)
    this.#shared.turn.outbox.builder = NOBODY // what follows must wait behind it
    this.touch()
  }

  /** Asks for a flush at the end of the turn, with or without frames, and so for `flushed`. */
  touch(): void {
    if (this.#listed || this.#outstanding !== undefined) return
    this.#listed = true
    this.#shared.turn.add(this)
  }

  /** Writes what it has, as far as the transport takes it (Writer); `all` of it now, however much that is. */
  flush(all = false): void {
    this.#listed = false
    this.#shared.turn.outbox.builder = NOBODY
    if (this.#outstanding !== undefined || (this.#goesOnLater && !all)) return
    this.#goesOnLater = false
    if (!this.#write()) this.#owner.writeFailed()
    else if (all && this.#goesOnLater) this.flush(all)
    else this.#owner.flushed()
  }

  /** The outstanding write is done. */
  written(status: number): void {
    const done = this.#outstanding
    if (done === undefined) return
    this.#outstanding = undefined
    this.#finished += done.length
    if (status >= 0) this.#completed += done.length
    done.unpin(this.#shared.budget, this.#holder)
    if (status < 0) this.#owner.writeFailed()
    else this.flush()
  }

  /** Gives up what has not begun to be written; a frame that has must be finished. */
  drop(): void {
    this.#forgetTurn()
    this.#waiting?.drop()
  }

  /** All that it has leaves with this turn's write: gives that up, but for the first `bytes`. A flush must follow. */
  cut(bytes: number): void {
    this.#end = this.#start + bytes
    if (bytes === 0) this.#forgetTurn()
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.#outstanding?.unpin(this.#shared.budget, this.#holder)
    this.#outstanding = undefined
    this.#forgetTurn()
    this.#waiting?.free()
  }

  /** Whether nothing waits, so that frames may be built in the outbox. */
  get #inTurn(): boolean {
    return this.#outstanding === undefined && (this.#waiting?.isEmpty ?? true)
  }

  /** Whether nobody else has built anything behind this turn's frames. */
  get #isLast(): boolean {
    const { outbox } = this.#shared.turn
    return this.#end === outbox.position && this.#block === outbox.block
  }

  #commitToTurn(pointer: number, length: number): void {
    const { outbox } = this.#shared.turn
    if (this.#block === undefined) {
      this.#start = pointer
      this.#block = outbox.block
      this.#block.retain()
    }
    this.#end = outbox.position = pointer + length
    outbox.builder = this
  }

  /** Writes this turn's frames and then what waits, until a write can't finish at once; false if one fails. */
  #write(): boolean {
    const block = this.#block
    if (block === undefined) return this.#writeWaiting()
    const pointer = this.#start
    const length = this.#end - pointer
    this.#start = this.#end = 0
    this.#block = undefined
    const status = this.#transport.write(pointer, length)
    if (status === PENDING) this.stands(block, pointer, length)
    else if (status >= 0) this.#completed += length
    block.release()
    return status >= 0 && this.#writeWaiting()
  }

  /** For the end of a turn, where nothing else is to be written. */
  #writeAtOnce(memory: SharedMemory, pointer: number, length: number): void {
    const status = this.#transport.write(pointer, length)
    if (status < 0) return this.#owner.writeFailed()
    if (status === PENDING) this.stands(memory, pointer, length)
    else this.#completed += length
    if (status === PENDING) this.#owner.flushed()
  }

  /** A write could not finish at once: its memory must stay. */
  stands(memory: SharedMemory, pointer: number, length: number): void {
    this.#outstanding = new Pinned(this.#shared.budget, this.#holder, memory, pointer, length, OBJECTS)
  }

  #writeWaiting(): boolean {
    const waiting = this.#waiting
    if (waiting === undefined) return true
    for (let left = shareOf(waiting.bytes, this.#transport); this.#outstanding === undefined; ) {
      if (left <= 0) return this.#goOnLater()
      const next = waiting.next(left)
      if (next === undefined) return true
      left -= next.length + OBJECTS
      const views = next.memory.views?.(next.pointer, next.length)
      const status =
        views === undefined ? this.#transport.write(next.pointer, next.length) : this.#transport.writeViews(views)
      if (status === PENDING) {
        this.#outstanding = next
        return true
      }
      waiting.unpin(next)
      if (status < 0) return false
      this.#completed += next.length
    }
    return true
  }

  /** One connection has had its share: the rest follows in a turn of its own. */
  #goOnLater(): true {
    this.#goesOnLater = true
    setImmediate(() => {
      this.#goesOnLater = false
      runOutside(() => this.#owner.goesOn())
    })
    return true
  }

  get #queue(): PinnedQueue {
    this.#waiting ??= new PinnedQueue(this.#shared, this.#holder, OBJECTS)
    return this.#waiting
  }

  #forgetTurn(): void {
    this.#shared.turn.outbox.builder = NOBODY
    this.#start = this.#end = 0
    this.#block?.release()
    this.#block = undefined
  }
}
