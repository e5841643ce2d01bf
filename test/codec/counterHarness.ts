// Feeds the counter as a load client does, in pieces, and gathers what it says.
import { type Codec, type Heap, violationName } from '../../src/codec/codec.js'
import {
  COUNT_CONTROL,
  COUNT_DIFFERENT,
  COUNT_LENGTH,
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  FIN,
  INBOX,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  STATUS_DONE,
  TABLE,
} from '../../src/codec/wasm.generated.js'

/** What answers must be; any will do without. */
export interface Wanted {
  /** The first byte of a whole one. */
  readonly first: number
  readonly length: number
  /** Where the bytes lie. */
  readonly expected?: number
  readonly compressed?: number
}

const ANY: Wanted = { first: FIN, length: 0 }

const statuses = new Map([
  [COUNT_LENGTH, 'LENGTH'],
  [COUNT_DIFFERENT, 'DIFFERENT'],
])

export class Counted {
  answers = 0
  greetings = 0
  readonly controls: { readonly opcode: number; readonly payload: Buffer }[] = []
  /** What ended it, if anything did; nothing is fed any more then. */
  problem: string | undefined
  announced = 0
  readonly #heap: Heap
  readonly #codec: Codec
  readonly #slot: number
  /** How many of the messages to come are greetings. */
  #greeting = Number.POSITIVE_INFINITY

  constructor(heap: Heap, wanted: Wanted = ANY) {
    this.#heap = heap
    this.#codec = heap.codec
    this.#slot = heap.allocateSlot()
    const { first, length, expected = 0, compressed = 0 } = wanted
    this.#codec.call.openCounter(this.#slot, first, length, expected, compressed)
  }

  begin(): this {
    this.#greeting = this.#codec.call.beginAnswers(this.#slot)
    return this
  }

  /** Feeds a stream that is cut at these places. */
  feed(stream: Uint8Array, cuts: readonly number[] = []): this {
    let from = 0
    for (const to of [...cuts, stream.length]) {
      this.#piece(stream.subarray(from, to))
      from = to
    }
    return this
  }

  free(): void {
    this.#heap.freeSlot(this.#slot)
  }

  #piece(piece: Uint8Array): void {
    const { bytes, call } = this.#codec
    if (this.problem !== undefined) return
    bytes.set(piece, INBOX)
    for (let cursor = INBOX; ; cursor = bytes.readUInt32LE(RESULT + RESULT_CONSUMED)) {
      const status = call.count(this.#slot, cursor, INBOX + piece.length)
      const messages = bytes.readUInt32LE(RESULT + RESULT_COUNT)
      const greetings = Math.min(messages, this.#greeting)
      this.#greeting -= greetings
      this.greetings += greetings
      this.answers += messages - greetings
      if (status === STATUS_DONE) return
      if (status !== COUNT_CONTROL) {
        this.problem = statuses.get(status) ?? violationName(status)
        this.announced = bytes.readDoubleLE(RESULT + RESULT_ANNOUNCED)
        return
      }
      const pointer = bytes.readUInt32LE(TABLE + ENTRY_POINTER)
      const payload = Buffer.from(bytes.subarray(pointer, pointer + bytes.readUInt32LE(TABLE + ENTRY_LENGTH)))
      this.controls.push({ opcode: bytes.readUInt32LE(TABLE + ENTRY_INFO), payload })
    }
  }
}
