// One connection of a load whose answers are known by a field: makes each message with a number of its own, and looks for the numbers
// in the JSON that comes, in whatever order.
import { Buffer } from 'node:buffer'
import type { Heap } from '../../codec/codec.js'
import type { Piece } from '../../codec/counter.js'
import { FIN, LONGEST_MASKED_HEADER, OPCODE_TEXT, RSV1 } from '../../codec/frames.js'
import type { Block } from '../../codec/heap.js'
import { Encoder } from '../../connection/sending/encoder.js'
import { FrameRow } from '../frameRow.js'
import { Gathering } from '../gathering.js'
import { type NumberedLine, reservedBit } from '../line.js'
import { numberWithin, type Template } from './matchedMessages.js'

/** Longer messages are no JSON that anybody reads for its number. */
export const LONGEST_ANSWER: number = 16 * 2 ** 20
/** So many answered messages are remembered: an answer that comes again is doubled, and else a message of the server's own. */
const REMEMBERED = 65_536

/** What the connections share. */
export interface MatchedMaterial {
  readonly heap: Heap
  readonly field: string
  readonly template: Template
  /** The number of the next message: they are those of all connections together. */
  next: number
}

export class MatchedLine implements NumberedLine {
  problem: string | undefined
  doubled = 0
  reordered = 0
  /** Messages without a number of ours. */
  others = 0
  /** When each message was due that is not answered, as `performance.now()` tells it, in the order of sending. */
  readonly due = new Map<number, number>()
  /** When the next message was due. */
  dueNext = 0
  readonly #material: MatchedMaterial
  readonly #encoder: Encoder
  readonly #answered: (due: number) => void
  /** Whose answer has come. */
  readonly #past = new Set<number>()
  #block: Block | undefined
  /** The message under way, if it comes in pieces. */
  readonly #gathered = new Gathering(LONGEST_ANSWER)
  #length = 0
  #answers = 0

  /** `answered` is told when a message was due that is answered now. */
  constructor(material: MatchedMaterial, answered: (due: number) => void) {
    this.#material = material
    this.#encoder = new Encoder(material.heap.codec, 'client')
    this.#answered = answered
  }

  next(): FrameRow {
    const { template, heap } = this.#material
    const number = this.#material.next++
    const text = Buffer.from(`${template.before}${number}${template.after}`)
    const block = heap.allocate(text.length + LONGEST_MASKED_HEADER)
    const frames = new FrameRow(block.pointer)
    this.#encoder.bytes(frames, FIN | OPCODE_TEXT, text)
    this.due.set(number, this.dueNext)
    this.#block = block
    return frames
  }

  written(): void {
    if (this.#block !== undefined) this.#material.heap.free(this.#block)
    this.#block = undefined
  }

  skim(start: number): number {
    return start // each message is read
  }

  take({ first, pointer, length, ends }: Piece): string | undefined {
    if ((first & RSV1) !== 0) return reservedBit()
    this.#length += length
    if (this.#length > LONGEST_ANSWER) return `the server sent a message of more than ${LONGEST_ANSWER} bytes`
    const piece = this.#material.heap.codec.bytes.subarray(pointer, pointer + length)
    if (!ends) {
      this.#gathered.add(piece)
      return undefined
    }
    this.#length = 0
    this.#read(this.#gathered.end(piece).toString())
    return undefined
  }

  takeAnswers(): number {
    const answers = this.#answers
    this.#answers = 0
    return answers
  }

  takePassed(): number {
    return 0
  }

  free(): void {
    this.written()
    this.#gathered.forget()
  }

  #read(text: string): void {
    const number = numberWithin(text, this.#material.field)
    const due = number === undefined ? undefined : this.due.get(number)
    if (number === undefined || due === undefined) {
      if (number !== undefined && this.#past.has(number)) this.doubled++
      else this.others++
      return
    }
    const [[oldest] = []] = this.due
    if (oldest !== number) this.reordered++
    this.due.delete(number)
    this.#remember(number)
    this.#answers++
    this.#answered(due)
  }

  #remember(number: number): void {
    this.#past.add(number)
    if (this.#past.size <= REMEMBERED) return
    for (const oldest of this.#past) {
      this.#past.delete(oldest)
      return
    }
  }
}
