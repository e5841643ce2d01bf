// The counter of one connection of a load client: how many messages end in a read, and whether they are the answers that
// the server owes. It sees no single message; nothing is kept of what comes.
import { opcodeOf } from './frames.js'
import type { Heap } from './heap.js'
import type { OwnBytes } from './ownBytes.js'
import { ANNOUNCED_DOUBLE, CONSUMED_WORD, COUNT_WORD, INFO_WORD, LENGTH_WORD, POINTER_WORD } from './results.js'
import {
  COUNT_CONTROL,
  COUNT_DIFFERENT,
  STATUS_DONE as COUNT_DONE,
  COUNT_LENGTH,
  COUNT_PIECE,
  PIECE_ENDS,
  SLOT_MESSAGE,
} from './wasm.generated.js'

/** How a call of `count` ended, besides a violation; see `count`. */
export { COUNT_CONTROL, COUNT_DIFFERENT, COUNT_DONE, COUNT_LENGTH, COUNT_PIECE }

/** What every answer must be. Lengths in bytes. */
export interface Answers {
  /**
   * The first byte of an answer that comes in one frame; without an opcode in it, any answer will do. With RSV1, messages
   * may be compressed, and all of them are shown, piece by piece.
   */
  readonly first: number
  readonly length: number
  /** Where the payload of an answer lies in the codec's memory; 0 if only its length counts. */
  readonly pointer: number
  /** The longest compressed answer: one that has the reserved bit of `first`. */
  readonly compressed: number
}

/** Payload bytes of a message, where they were received. */
export interface Piece {
  /** The first byte of the message's first frame. */
  readonly first: number
  readonly pointer: number
  readonly length: number
  /** The message ends with them. */
  readonly ends: boolean
}

export class Counter {
  readonly #heap: Heap
  readonly #slot: number

  constructor(heap: Heap, { first, length, pointer, compressed }: Answers) {
    this.#heap = heap
    this.#slot = heap.allocateSlot()
    heap.codec.call.openCounter(this.#slot, first, length, pointer, compressed)
  }

  /** Messages that begin from now on are answers; those before are greetings. Returns whether one is under way. */
  begin(): boolean {
    return this.#heap.codec.call.beginAnswers(this.#slot) !== 0
  }

  /**
   * Counts the messages that end from `start` to `end`. Returns COUNT_DONE where all bytes are consumed; COUNT_CONTROL
   * where a control frame came, after which counting goes on; COUNT_LENGTH for an answer of another length, `announced` bytes
   * or more; COUNT_DIFFERENT for one of another kind, or with other bytes from byte `announced` on; COUNT_PIECE where `piece`
   * is to be looked at, after which counting goes on; else a violation.
   */
  count(start: number, end: number): number {
    return this.#heap.codec.call.count(this.#slot, start, end)
  }

  /** Messages that the last call has counted. */
  get messages(): number {
    return this.#heap.codec.words[COUNT_WORD] ?? 0
  }

  /** The address of the first byte that is not consumed. */
  get consumed(): number {
    return this.#heap.codec.words[CONSUMED_WORD] ?? 0
  }

  get announced(): number {
    return this.#heap.codec.doubles[ANNOUNCED_DOUBLE] ?? 0
  }

  /** The opcode of the control frame that came. */
  get controlOpcode(): number {
    return opcodeOf(this.#heap.codec.words[INFO_WORD] ?? 0)
  }

  /** Its payload, in memory of its own. */
  get controlPayload(): OwnBytes {
    const { codec } = this.#heap
    return codec.copyOf(codec.words[POINTER_WORD] ?? 0, codec.words[LENGTH_WORD] ?? 0)
  }

  /** The payload that came; valid until anything else is read or counted. */
  get piece(): Piece {
    const { words } = this.#heap.codec
    const info = words[INFO_WORD] ?? 0
    return {
      first: info & 0xff,
      pointer: words[POINTER_WORD] ?? 0,
      length: words[LENGTH_WORD] ?? 0,
      ends: (info & PIECE_ENDS) !== 0,
    }
  }

  /** The opcode of the message under way; 0 for none. */
  get messageOpcode(): number {
    return opcodeOf(this.#heap.codec.bytes[this.#slot + SLOT_MESSAGE] ?? 0)
  }

  /** Gives its memory back; nothing must be counted after this. */
  free(): void {
    this.#heap.freeSlot(this.#slot)
  }
}
