// The receiving half of a connection: runs the codec over what was read, hands out what it found, in order,
// and parks what can't be handed out yet in memory that counts against the budget.
import { type Codec, type Heap, violationName } from '../codec/codec.js'
import type { Block } from '../codec/heap.js'
import type { Region } from '../codec/region.js'
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  ENTRY_SIZE,
  FIN,
  INFO_OPCODE,
  INFO_PART,
  INFO_REGION,
  LONGEST_SAFE,
  MASKED,
  OPCODE_BINARY,
  OPCODE_TEXT,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  RESULT_FILLED,
  RESULT_NEEDED,
  SLOT_FRAME,
  SLOT_MESSAGE,
  STATUS_AGAIN,
  STATUS_DONE,
  STATUS_REGION,
  TABLE,
} from '../codec/wasm.generated.js'
import { Assembly } from '../payload/assembly.js'
import type { Budget, Claimant } from '../payload/budget.js'
import { Flow } from '../payload/flow.js'
import { ProtocolViolation, type ViolationName } from '../protocol/violation.js'

/** What all connections of a server share, as far as receiving needs it. */
export interface IncomingShared {
  readonly codec: Codec
  readonly heap: Heap
  readonly budget: Budget
  /** `maxFragments` 0 is any number. */
  readonly limits: { readonly maxMessage: number; readonly maxFragments: number; readonly payloadTimeout: number }
  /** Messages above are handed out while they arrive, whatever their length; none without it. */
  readonly streamThreshold?: number | undefined
}

/** Whoever takes what comes in. */
export interface Sink extends Claimant {
  /** False while nothing may be delivered. */
  readonly accepts: boolean
  /** Nothing will ever be delivered again: what still comes is thrown away. */
  readonly done: boolean
  /** A control frame, unmasked; its payload is valid until this returns. */
  control(opcode: number, pointer: number, length: number): void
  violated(violation: ProtocolViolation): void
  /** The budget is spent: stop reading until `budgetFreed`. */
  budgetSpent(): void
}

/** Where messages go. */
export interface Deliverer {
  /** A whole message. A `region` belongs to the receiver. */
  take(info: number, pointer: number, length: number, region: Region | undefined): void
  /** A message begins that is handed out in parts; `byteLength` is known if it comes in one frame. */
  streamBegins(isText: boolean, byteLength: number | undefined): void
  /** A part of it; valid until this returns. */
  streamPart(pointer: number, length: number, last: boolean): void
}

/** What was read while nothing could be delivered: parsed frames, then bytes not yet parsed. */
interface Parked {
  readonly block: Block
  /** Info, pointer and length of each frame. */
  readonly entries: number[]
  next: number
  readonly start: number
  readonly end: number
  /** The status that `parse` returned after the frames; it can't always be asked again. */
  readonly status: number
}

/** The codec counts in 32 bits. */
const MOST_FRAGMENTS = 2 ** 32 - 1

const ENTRY_WORDS = ENTRY_SIZE / 4
const INFO_WORD = (TABLE + ENTRY_INFO) / 4
const POINTER_WORD = (TABLE + ENTRY_POINTER) / 4
const LENGTH_WORD = (TABLE + ENTRY_LENGTH) / 4
const COUNT_WORD = (RESULT + RESULT_COUNT) / 4
const CONSUMED_WORD = (RESULT + RESULT_CONSUMED) / 4
const NEEDED_DOUBLE = (RESULT + RESULT_NEEDED) / 8
const FILLED_DOUBLE = (RESULT + RESULT_FILLED) / 8
const ANNOUNCED_DOUBLE = (RESULT + RESULT_ANNOUNCED) / 8

export class Incoming {
  readonly #shared: IncomingShared
  readonly #sink: Sink
  readonly #deliverer: Deliverer
  /** The address of the codec's memory of this connection. */
  readonly #slot: number
  #assembly: Assembly | undefined
  #parked: Parked | undefined
  /** The message under way, if it is handed out in parts. */
  #flow: Flow | undefined
  #resuming = false

  /** `masked` is the mask bit that frames must have: set from clients, clear from servers. */
  constructor(shared: IncomingShared, sink: Sink, deliverer: Deliverer, masked: number = MASKED) {
    this.#shared = shared
    this.#sink = sink
    this.#deliverer = deliverer
    this.#slot = shared.heap.allocateSlot()
    const { maxMessage, maxFragments } = shared.limits
    const longest = shared.streamThreshold === undefined ? maxMessage : LONGEST_SAFE
    shared.codec.call.openSlot(this.#slot, masked, longest, Math.min(maxFragments, MOST_FRAGMENTS))
  }

  /** Notes when the last bytes came; `reading` is false while it is us who keep the peer waiting. */
  noteArrival(reading: boolean): void {
    this.#assembly?.arrived(reading)
    this.#flow?.arrived(reading)
  }

  /** Takes the bytes of one read, which lie from `start` to `end` until this returns. */
  receive(start: number, end: number): void {
    if (this.#parked === undefined) this.#run(start, end)
    else this.#parkBehind(this.#parked, start, end)
  }

  /** Hands out what was parked, as far as the sink accepts it. */
  resume(): void {
    if (this.#resuming) return // from inside a handler that is handed parked frames: the loop below goes on
    this.#resuming = true
    try {
      while (this.#parked !== undefined && this.#sink.accepts) {
        if (this.#parked.next < this.#parked.entries.length) this.#deliverParked(this.#parked)
        else this.#parseParked(this.#parked)
      }
    } finally {
      this.#resuming = false
    }
  }

  /** The parked frames are delivered: now what followed them, which may be parked again. */
  #parseParked(parked: Parked): void {
    const { heap, budget } = this.#shared
    this.#parked = undefined
    budget.forget(parked.block.size) // what is parked again takes its place
    try {
      if (!this.#conclude(parked.status)) this.#run(parked.start, parked.end)
    } finally {
      heap.free(parked.block) // also when there is no memory to park the rest in
    }
  }

  /** Gives up what has not been delivered. Nothing must be received after this. */
  drop(): void {
    this.#assembly?.drop()
    this.#assembly = undefined
    this.#flow?.drop()
    this.#flow = undefined
    if (this.#parked !== undefined) this.#unpark(this.#parked)
    this.#parked = undefined
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.drop()
    this.#shared.heap.freeSlot(this.#slot)
  }

  #run(start: number, end: number): void {
    const { words, call } = this.#shared.codec
    // So the first frame of a table is always delivered: it may lie in the slot, which is not parked.
    if (!this.#sink.accepts) return this.#park(0, 0, start, end, STATUS_AGAIN)
    let cursor = start
    for (;;) {
      const status = call.parse(this.#slot, cursor, end)
      const count = words[COUNT_WORD] ?? 0
      cursor = words[CONSUMED_WORD] ?? end
      for (let at = 0; at < count * ENTRY_WORDS; at += ENTRY_WORDS) {
        if (!this.#sink.accepts) return this.#park(at, count * ENTRY_WORDS, cursor, end, status)
        this.#deliver(words[INFO_WORD + at] ?? 0, words[POINTER_WORD + at] ?? 0, words[LENGTH_WORD + at] ?? 0)
      }
      if (!this.#sink.accepts) return this.#park(0, 0, cursor, end, status)
      if (status === STATUS_DONE || this.#conclude(status)) return
      if (status === STATUS_REGION && !this.#grow()) {
        this.#sink.budgetSpent()
        return this.#park(0, 0, cursor, end, status)
      }
    }
  }

  /** Tells the sink of a violation; false for a status that is none. */
  #conclude(status: number): boolean {
    if (!isViolation(status)) return false
    const name = violationName(status)
    this.#sink.violated(new ProtocolViolation(name, this.#limitOf(name)))
    return true
  }

  /** The limit that a violation speaks of, in words. */
  #limitOf(name: ViolationName): string {
    const { maxMessage, maxFragments } = this.#shared.limits
    if (name === 'MESSAGE_TOO_LONG') return `maxMessage is ${maxMessage} bytes`
    return name === 'TOO_MANY_FRAGMENTS' ? `maxFragments is ${maxFragments}` : ''
  }

  #deliver(info: number, pointer: number, length: number): void {
    const opcode = info & INFO_OPCODE
    if (opcode > OPCODE_BINARY) return this.#sink.control(opcode, pointer, length)
    if (this.#flow !== undefined) return this.#deliverPart(info, pointer, length)
    let region: Region | undefined
    if ((info & INFO_REGION) !== 0) {
      region = this.#assembly?.finish()
      this.#assembly = undefined
    }
    this.#deliverer.take(info, pointer, length, region)
  }

  #deliverPart(info: number, pointer: number, length: number): void {
    const last = (info & INFO_PART) === 0
    if (last) {
      this.#flow?.drop()
      this.#flow = undefined
    }
    this.#deliverer.streamPart(pointer, length, last)
  }

  /** From here on, the message under way is handed out in parts; what is there of it is the first. */
  #stream(filled: number, announced: number): boolean {
    const { codec, budget, limits } = this.#shared
    const whole = filled === 0 && ((codec.bytes[this.#slot + SLOT_FRAME] ?? 0) & FIN) !== 0
    this.#flow = new Flow(budget, this.#sink, limits.payloadTimeout)
    this.#deliverer.streamBegins(codec.bytes[this.#slot + SLOT_MESSAGE] === OPCODE_TEXT, whole ? announced : undefined)
    codec.call.stream(this.#slot)
    const region = this.#assembly?.finish()
    this.#assembly = undefined
    if (region !== undefined) this.#deliverer.streamPart(region.pointer, filled, false)
    region?.release()
    return true
  }

  /** Gives the message under way the room that the codec asks for. */
  #grow(): boolean {
    const { codec, heap, streamThreshold } = this.#shared
    const needed = codec.doubles[NEEDED_DOUBLE] ?? 0
    const announced = codec.doubles[ANNOUNCED_DOUBLE] ?? 0
    const filled = codec.doubles[FILLED_DOUBLE] ?? 0
    if (streamThreshold !== undefined && announced > streamThreshold) return this.#stream(filled, announced)
    this.#assembly ??= new Assembly(this.#shared.budget, this.#sink, this.#shared.limits.payloadTimeout)
    return this.#assembly.grow(codec, heap, this.#slot, needed, filled, announced)
  }

  /** Keeps the table's entries `from` to `to` with their payloads, and the bytes from `start` to `end`. */
  #park(from: number, to: number, start: number, end: number, status: number): void {
    if (this.#sink.done || (from === to && start === end && !isViolation(status))) return
    const { words } = this.#shared.codec
    const entries: number[] = []
    let first = start
    for (let at = from; at < to; at += ENTRY_WORDS) {
      const info = words[INFO_WORD + at] ?? 0
      const pointer = words[POINTER_WORD + at] ?? 0
      if ((info & INFO_REGION) === 0) first = Math.min(first, pointer)
      entries.push(info, pointer, words[LENGTH_WORD + at] ?? 0)
    }
    const block = this.#keep(end - first)
    if (block === undefined) return
    this.#shared.codec.call.copy(block.pointer, first, end - first)
    const shift = block.pointer - first
    for (let at = 0; at < entries.length; at += 3) {
      if (((entries[at] ?? 0) & INFO_REGION) === 0) entries[at + 1] = (entries[at + 1] ?? 0) + shift
    }
    this.#parked = { block, entries, next: 0, start: start + shift, end: end + shift, status }
  }

  /** A transport may deliver once more after it was paused: those bytes go behind what is parked. */
  #parkBehind(parked: Parked, start: number, end: number): void {
    const { block, entries } = parked
    const kept = parked.end - block.pointer
    const joined = this.#keep(kept + end - start)
    if (joined === undefined) return
    this.#shared.codec.call.copy(joined.pointer, block.pointer, kept)
    this.#shared.codec.call.copy(joined.pointer + kept, start, end - start)
    const shift = joined.pointer - block.pointer
    for (let at = 0; at < entries.length; at += 3) {
      if (((entries[at] ?? 0) & INFO_REGION) === 0) entries[at + 1] = (entries[at + 1] ?? 0) + shift
    }
    this.#parked = { ...parked, block: joined, start: parked.start + shift, end: parked.end + shift + end - start }
    this.#unpark(parked)
  }

  /** Memory to park in. If there is none, the connection fails: it can't wait, as its bytes are there. */
  #keep(bytes: number): Block | undefined {
    const { heap, budget } = this.#shared
    const block = heap.allocate(bytes)
    if (budget.keep(block.size)) return block
    heap.free(block)
    this.#sink.violated(new ProtocolViolation('MEMORY_SPENT'))
    return undefined
  }

  #deliverParked(parked: Parked): void {
    const { entries, next } = parked
    parked.next += 3
    this.#deliver(entries[next] ?? 0, entries[next + 1] ?? 0, entries[next + 2] ?? 0)
  }

  #unpark(parked: Parked): void {
    this.#shared.heap.free(parked.block)
    this.#shared.budget.forget(parked.block.size)
  }
}

function isViolation(status: number): boolean {
  return status !== STATUS_DONE && status !== STATUS_AGAIN && status !== STATUS_REGION
}
