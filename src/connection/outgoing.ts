// The sending half of a connection. Frames of a turn are built in the outbox and leave together; while a write is
// outstanding, later frames wait in blocks of this connection's own, so a slow reader holds back nobody else.
import type { Codec, Heap } from '../codec/codec.js'
import { PENDING, type Transport } from '../transport/transport.js'
import type { Outbox, Writer } from './outbox.js'
import { SharedBlock, type SharedMemory } from './sharedBlock.js'

/** Something to write, and who holds its memory until it is written. */
interface Segment {
  readonly pointer: number
  length: number
  readonly holder: { release(): void }
}

/** What waits on a connection where nothing ever had to: one array for all of them, never written to. */
const NOTHING: Segment[] = []

/** Longer frames are sent from where they lie: a shorter one is copied, if that saves a write of its own. */
const LONGEST_COPIED = 16_384

const FIRST_BLOCK = 1024
const LARGEST_BLOCK = 65536

/** The connection that an Outgoing belongs to. */
export interface OutgoingOwner {
  /** What could be written has been; `buffered` tells what is left. */
  flushed(): void
  /** A write failed: the peer is gone. */
  writeFailed(): void
}

export class Outgoing implements Writer {
  readonly #transport: Transport
  readonly #heap: Heap
  readonly #outbox: Outbox
  readonly #owner: OutgoingOwner
  /** The frames of this turn, in the outbox's current block. */
  #start = 0
  #end = 0
  #listed = false
  #outstanding: Segment | undefined
  #waiting: Segment[] = NOTHING
  /** Room left in the last waiting block. */
  #room = 0
  #waitingBytes = 0
  /** Bytes of the unfinished writes that have been finished since. */
  #finished = 0

  constructor(transport: Transport, heap: Heap, outbox: Outbox, owner: OutgoingOwner) {
    this.#transport = transport
    this.#heap = heap
    this.#outbox = outbox
    this.#owner = owner
  }

  /** Bytes accepted here that the system has not taken. */
  get buffered(): number {
    return this.#end - this.#start + this.#waitingBytes
  }

  /** Bytes that wait behind the write that is under way. */
  get waiting(): number {
    return this.#waitingBytes - (this.#outstanding?.length ?? 0)
  }

  /**
   * How much of what could not be written at once has been taken since; of the write under way, `unsent` bytes have not.
   * It changes while the peer reads, and not because more is sent.
   */
  taken(unsent: number): number {
    return this.#outstanding === undefined ? this.#finished : this.#finished + this.#outstanding.length - unsent
  }

  /** Whether frames have to wait for a write to finish. */
  get blocked(): boolean {
    return this.#outstanding !== undefined
  }

  /** Where a frame of at most `length` bytes may be built; `commit` must follow, before anything else is sent. */
  reserve(length: number): number {
    const outbox = this.#outbox
    if (this.#outstanding === undefined && this.#waiting.length === 0 && length <= outbox.capacity) {
      outbox.reserve(length)
      // Flushing may have blocked this connection, or another's frames may lie behind this turn's.
      if (this.#outstanding === undefined && (this.#start === this.#end || this.#end === outbox.position)) {
        if (this.#start === this.#end) this.#start = this.#end = outbox.position
        return outbox.position
      }
    }
    if (this.#room < length) this.#addBlock(length)
    const last = this.#waiting[this.#waiting.length - 1]
    return last === undefined ? 0 : last.pointer + last.length
  }

  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(pointer: number, length: number): void {
    if (pointer === this.#outbox.position && this.#waiting.length === 0) {
      this.#end = this.#outbox.position = pointer + length
    } else {
      const last = this.#waiting[this.#waiting.length - 1]
      if (last !== undefined) last.length += length
      this.#room -= length
      this.#waitingBytes += length
    }
    this.#list()
  }

  /** Sends frames that are encoded already, from where they lie if that is cheaper than a copy. */
  addFrames({ call }: Codec, memory: SharedMemory, pointer: number, length: number): void {
    const first = this.#start === this.#end && this.#waiting.length === 0 && this.#outstanding === undefined
    if (first && this.#outbox.flushing) this.#writeAtOnce(memory, pointer, length)
    else if (length > LONGEST_COPIED) this.addShared(memory, pointer, length)
    else {
      const target = this.reserve(length)
      call.copy(target, pointer, length)
      this.commit(target, length)
    }
  }

  /** Sends from memory where it lies. */
  addShared(memory: SharedMemory, pointer: number, length: number): void {
    memory.retain()
    this.#wait({ pointer, length, holder: memory })
    this.#room = 0
    this.#waitingBytes += length
    this.#list()
  }

  /** Asks for a flush at the end of the turn, with or without frames, and so for `flushed`. */
  touch(): void {
    this.#list()
  }

  flush(): void {
    this.#listed = false
    if (this.#outstanding !== undefined) return
    if (this.#write()) this.#owner.flushed()
    else this.#owner.writeFailed()
  }

  /** Writes this turn's frames and then what waits, until a write can't finish at once; false if one fails. */
  #write(): boolean {
    if (this.#start < this.#end) {
      const pointer = this.#start
      const length = this.#end - pointer
      this.#start = this.#end = 0
      const status = this.#transport.write(pointer, length)
      if (status === PENDING) this.#stands(this.#outbox.block, pointer, length)
      else if (status < 0) return false
    }
    return this.#writeWaiting()
  }

  /** For the end of a turn, where nothing else is to be written. */
  #writeAtOnce(memory: SharedMemory, pointer: number, length: number): void {
    const status = this.#transport.write(pointer, length)
    if (status < 0) return this.#owner.writeFailed()
    if (status !== PENDING) return
    this.#stands(memory, pointer, length)
    this.#owner.flushed()
  }

  /** A write could not finish at once: its memory must stay. */
  #stands(memory: SharedMemory, pointer: number, length: number): void {
    memory.retain()
    this.#outstanding = { pointer, length, holder: memory }
    this.#waitingBytes += length
  }

  /** The outstanding write is done. */
  written(status: number): void {
    const done = this.#outstanding
    if (done === undefined) return
    this.#outstanding = undefined
    this.#waitingBytes -= done.length
    this.#finished += done.length
    done.holder.release()
    if (status < 0) this.#owner.writeFailed()
    else this.flush()
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.#start = this.#end = 0
    this.#outstanding?.holder.release()
    this.#outstanding = undefined
    for (const segment of this.#waiting) segment.holder.release()
    this.#waiting = NOTHING
    this.#room = this.#waitingBytes = 0
  }

  #writeWaiting(): boolean {
    while (this.#outstanding === undefined) {
      const segment = this.#waiting.shift()
      if (segment === undefined) return true
      if (this.#waiting.length === 0) this.#room = 0
      const status = this.#transport.write(segment.pointer, segment.length)
      if (status === PENDING) {
        this.#outstanding = segment
        return true
      }
      this.#waitingBytes -= segment.length
      segment.holder.release()
      if (status < 0) return false
    }
    return true
  }

  #addBlock(length: number): void {
    const size = Math.max(length, Math.min(this.#waitingBytes, LARGEST_BLOCK), FIRST_BLOCK)
    const holder = new SharedBlock(this.#heap, size)
    this.#wait({ pointer: holder.pointer, length: 0, holder })
    this.#room = holder.size
  }

  #wait(segment: Segment): void {
    if (this.#waiting === NOTHING) this.#waiting = [segment]
    else this.#waiting.push(segment)
  }

  #list(): void {
    if (this.#listed || this.#outstanding !== undefined) return
    this.#listed = true
    this.#outbox.add(this)
  }
}
