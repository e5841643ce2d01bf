// Feeds the counter as a load client does, in pieces, and gathers what it says.
import { type Heap, INBOX, violationName } from '../../src/codec/codec.js'
import {
  COUNT_CONTROL,
  COUNT_DIFFERENT,
  COUNT_DONE,
  COUNT_LENGTH,
  COUNT_PIECE,
  Counter,
  type Piece,
} from '../../src/codec/counter.js'
import { FIN } from '../../src/codec/frames.js'

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
  /** Payload bytes that were shown, and how many messages ended with them: where answers may be compressed, all are. */
  shown = 0
  ends = 0
  readonly #heap: Heap
  readonly #counter: Counter
  /** How many of the messages to come are greetings. */
  #greeting = Number.POSITIVE_INFINITY

  constructor(heap: Heap, wanted: Wanted = ANY) {
    this.#heap = heap
    const { first, length, expected = 0, compressed = 0 } = wanted
    this.#counter = new Counter(heap, { first, length, pointer: expected, compressed })
  }

  begin(): this {
    this.#greeting = this.#counter.begin() ? 1 : 0
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
    this.#counter.free()
  }

  #piece(piece: Uint8Array): void {
    const counter = this.#counter
    if (this.problem !== undefined) return
    this.#heap.codec.bytes.set(piece, INBOX)
    for (let cursor = INBOX; ; cursor = counter.consumed) {
      const status = counter.count(cursor, INBOX + piece.length)
      const { messages } = counter
      const greetings = Math.min(messages, this.#greeting)
      this.#greeting -= greetings
      this.greetings += greetings
      this.answers += messages - greetings
      if (status === COUNT_DONE) return
      if (status === COUNT_PIECE) {
        this.#looksAt(counter.piece)
        continue
      }
      if (status !== COUNT_CONTROL) {
        this.problem = statuses.get(status) ?? violationName(status)
        this.announced = counter.announced
        return
      }
      this.controls.push({ opcode: counter.controlOpcode, payload: counter.controlPayload })
    }
  }

  #looksAt({ length, ends }: Piece): void {
    this.shown += length
    if (ends) this.ends++
  }
}
