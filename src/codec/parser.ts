// The parser of one connection. What a call of `parse` finds is in the thread's frame table, which is read here entry by
// entry, so that code outside this room speaks of frames, and not of the codec's memory.
import type { Role } from '../protocol/role.js'
import type { Heap } from './heap.js'
import type { Region } from './region.js'
import {
  ANNOUNCED_DOUBLE,
  CONSUMED_WORD,
  COUNT_WORD,
  FILLED_DOUBLE,
  INFO_WORD,
  LENGTH_WORD,
  NEEDED_DOUBLE,
  POINTER_WORD,
} from './results.js'
import {
  ENTRY_SIZE,
  FIN,
  MASKED,
  OPCODE_TEXT,
  SLOT_CARRIED,
  SLOT_CARRY,
  SLOT_FRAME,
  SLOT_LENGTH,
  SLOT_LIMIT,
  SLOT_MESSAGE,
  SLOT_REMAINING,
  STATUS_AGAIN,
  STATUS_DONE,
  STATUS_REGION,
} from './wasm.generated.js'

/** How a call of `parse` ended, besides a violation; see `parse`. */
export { STATUS_AGAIN, STATUS_DONE, STATUS_REGION }

const ENTRY_WORDS = ENTRY_SIZE / 4

/** The largest limit that the codec takes: it counts in 32 bits. */
const MOST_FRAGMENTS = 2 ** 32 - 1

/** What a peer may send. */
export interface ParserLimits {
  /** Bytes of the longest message. */
  readonly longest: number
  /** The most frames of a message; 0 is any number. */
  readonly fragments: number
  /**
   * Whether messages may be compressed (RFC 7692). Those that are have no limit here, if not by `limitsCompressed`, and are handed
   * out in parts.
   */
  readonly compressed?: boolean
  /** Whether the payloads of a compressed message may not be longer than `longest`, either. */
  readonly limitsCompressed?: boolean | undefined
  /** Whether text may be any bytes, instead of UTF-8. */
  readonly anyText?: boolean | undefined
  /** Whether a payload length may be longer than its shortest form. */
  readonly anyLength?: boolean | undefined
}

export class Parser {
  readonly #heap: Heap
  readonly #words: Uint32Array
  /** The address of what the codec remembers of this connection between reads; 0 once that is given back. */
  #slot: number

  /** Frames must be masked where this side is the server, and must not be where it is the client (section 5.1). */
  constructor(heap: Heap, role: Role, limits: ParserLimits) {
    const { longest, fragments, compressed, limitsCompressed, anyText, anyLength } = limits
    const { codec } = heap
    this.#heap = heap
    this.#words = codec.words
    this.#slot = heap.allocateSlot()
    codec.call.openSlot(this.#slot, role === 'server' ? MASKED : 0, longest, Math.min(fragments, MOST_FRAGMENTS))
    if (compressed) codec.call.allowCompressed(this.#slot, limitsCompressed ? 1 : 0)
    if (anyText) codec.call.allowAnyText(this.#slot)
    if (anyLength) codec.call.allowAnyLength(this.#slot)
  }

  /**
   * Parses the bytes of a read, from `start` to `end`. Returns STATUS_DONE where all are consumed; STATUS_AGAIN where the
   * frames that were found must be taken before the rest is parsed; STATUS_REGION where the message under way needs a
   * region of `needed` bytes (`grant`) or must be streamed (`stream`) before the rest is parsed; else a violation.
   */
  parse(start: number, end: number): number {
    return this.#heap.codec.call.parse(this.#slot, start, end)
  }

  /** How many frames and messages the last call has found: entries of the frame table, from 0. */
  get count(): number {
    return this.#words[COUNT_WORD] ?? 0
  }

  /** What the entry is; `isText`, `isPart` and the other functions of frames.ts read it. */
  info(entry: number): number {
    return this.#words[INFO_WORD + entry * ENTRY_WORDS] ?? 0
  }

  /** Where the payload of the entry lies. */
  pointer(entry: number): number {
    return this.#words[POINTER_WORD + entry * ENTRY_WORDS] ?? 0
  }

  /** Bytes of the entry's payload. */
  length(entry: number): number {
    return this.#words[LENGTH_WORD + entry * ENTRY_WORDS] ?? 0
  }

  /** The first `bytes` of the entry's payload are dealt with: what is left of it is the entry. */
  shorten(entry: number, bytes: number): void {
    const at = entry * ENTRY_WORDS
    this.#words[POINTER_WORD + at] = this.pointer(entry) + bytes
    this.#words[LENGTH_WORD + at] = this.length(entry) - bytes
  }

  /** The address of the first byte that is not consumed. */
  get consumed(): number {
    return this.#words[CONSUMED_WORD] ?? 0
  }

  /** Bytes of a header, or of a control frame, that have come before the rest of it. */
  get carried(): number {
    return this.#heap.codec.bytes[this.#slot + SLOT_CARRIED] ?? 0
  }

  /**
   * After a violation of a rule about headers: the first two bytes of the header that has broken it, the first of them in
   * the low byte. Where only the first has come, the other is 0.
   */
  get refused(): number {
    const { bytes } = this.#heap.codec
    const { carried } = this
    const pointer = carried > 0 ? this.#slot + SLOT_CARRY : this.consumed
    return (bytes[pointer] ?? 0) | (carried === 1 ? 0 : (bytes[pointer + 1] ?? 0) << 8)
  }

  /** After STATUS_REGION: bytes that the message's region must hold to go on. */
  get needed(): number {
    return this.#heap.codec.doubles[NEEDED_DOUBLE] ?? 0
  }

  /** After STATUS_REGION: bytes of the message that are there. */
  get filled(): number {
    return this.#heap.codec.doubles[FILLED_DOUBLE] ?? 0
  }

  /** After STATUS_REGION: bytes that the message will have when its current frame ends. */
  get announced(): number {
    return this.#heap.codec.doubles[ANNOUNCED_DOUBLE] ?? 0
  }

  /** Whether the message under way is text. */
  get messageIsText(): boolean {
    return this.#heap.codec.bytes[this.#slot + SLOT_MESSAGE] === OPCODE_TEXT
  }

  /** Whether the frame under way is the last of its message. */
  get frameIsFinal(): boolean {
    return ((this.#heap.codec.bytes[this.#slot + SLOT_FRAME] ?? 0) & FIN) !== 0
  }

  /** Bytes still to come of the payload of the data frame under way; 0 where none is. */
  get remaining(): number {
    const word = (this.#slot + SLOT_REMAINING) >>> 2
    return (this.#words[word] ?? 0) + (this.#words[word + 1] ?? 0) * 2 ** 32
  }

  /** Bytes of the message under way with the whole of the frame under way; 0 between messages. What is handed out is not counted. */
  get total(): number {
    return (this.#words[(this.#slot + SLOT_LENGTH) >>> 2] ?? 0) + this.remaining
  }

  /** Gives the message under way a region, which holds what was in the one before. */
  grant({ pointer, capacity }: Region): void {
    this.#heap.codec.call.grant(this.#slot, pointer, capacity)
  }

  /** From now on, the ends of a message's frames are told, but for that of the last one (`isMark`). */
  markFrames(): void {
    if (this.#slot !== 0) this.#heap.codec.call.markFrames(this.#slot) // or the slot is another connection's
  }

  /**
   * From now on, a message has at most so many bytes. The one under way may have what it has already: false if that is more,
   * and the limit has to be told again behind it.
   */
  limit(longest: number): boolean {
    if (this.#slot === 0) return true
    const { total } = this
    const word = (this.#slot + SLOT_LIMIT) >>> 2
    const limit = Math.max(longest, total)
    this.#words[word] = limit % 2 ** 32
    this.#words[word + 1] = Math.floor(limit / 2 ** 32)
    return limit === longest
  }

  /** From now on, the message under way is handed out in parts, where they lie. What it already held is forgotten. */
  stream(): void {
    this.#heap.codec.call.stream(this.#slot)
  }

  /** Gives its memory back; nothing must be parsed after this. */
  free(): void {
    this.#heap.freeSlot(this.#slot)
    this.#slot = 0
  }
}

/** Whether `parse` has returned a violation; violations.ts has its name. */
export function isViolation(status: number): boolean {
  return status !== STATUS_DONE && status !== STATUS_AGAIN && status !== STATUS_REGION
}
