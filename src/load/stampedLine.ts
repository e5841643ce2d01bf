// A connection to which messages come that carry a stamp, among others that do not: each delivery is taken to account, and its
// latency is the time since that of the stamp.
import type { Buffer } from 'node:buffer'
import type { Answers, Piece } from '../codec/counter.js'
import { FIN, RSV1 } from '../codec/frames.js'
import { microseconds, momentOf } from './clock.js'
import { Gathering } from './gathering.js'
import { reservedBit } from './line.js'
import type { SequenceMaterial } from './sequenceMaterial.js'
import { StampingLine } from './stampingLine.js'

/** In so many first bytes of a message, a stamp is looked for. */
const LOOKED_AT = 65_536

/** All messages are shown, piece by piece, whatever they are. */
export const SHOWN: Answers = { first: FIN | RSV1, length: 0, pointer: 0, compressed: Number.MAX_SAFE_INTEGER }

/** Who is told of what comes. */
export interface Recipient {
  /** A message has come that took so many milliseconds. */
  delivered(milliseconds: number): void
  /** A message without a stamp of ours has come. */
  strange(): void
}

export class StampedLine extends StampingLine {
  readonly problem = undefined
  readonly #recipient: Recipient
  /** The time of the last stamp, as it was written, and as `performance.now()` tells it. */
  #timeWords: readonly [number, number] = [0, 0]
  #time = 0
  /** When what is sent next was due, as `performance.now()` tells it; undefined for now. */
  due: number | undefined
  /** The message under way, if it comes in pieces. */
  readonly #head = new Gathering(LOOKED_AT)

  /** Messages that come are stamped with the number of their sender. */
  constructor(material: SequenceMaterial, sender: number, recipient: Recipient) {
    super(material, sender)
    this.#recipient = recipient
  }

  protected get stampedTime(): number {
    return microseconds(this.due)
  }

  /** What came in one read has come at one time. */
  skim(start: number, end: number): number {
    const { heap, view, frame, header, offset, width } = this.material
    const { sequence } = this
    const now = performance.now()
    let cursor = start
    while (end - cursor >= frame && this.material.isHeader(view, cursor)) {
      const at = cursor + header + offset
      if (sequence.outstanding > 0 && this.material.isStamp(view, at, sequence.next, this.sender)) {
        sequence.next = (sequence.next + 1) >>> 0
        this.answers++
        this.#recipient.delivered(now - this.#sentAt(view, at))
      } else if (!this.#deliver(heap.codec.bytes.subarray(at, at + width))) return cursor // it may have a stamp elsewhere
      cursor += frame
    }
    return cursor
  }

  take({ first, pointer, length, ends }: Piece): string | undefined {
    if ((first & RSV1) !== 0) return reservedBit()
    const piece = this.material.heap.codec.bytes.subarray(pointer, pointer + length)
    if (!ends) {
      this.#head.add(piece)
      return undefined
    }
    if (!this.#find(this.#head.end(piece))) this.#recipient.strange()
    return undefined
  }

  /** When the message of a stamp was due, as `performance.now()` tells it. Many in a row have the same time. */
  #sentAt(view: DataView, stamp: number): number {
    const { width, heap } = this.material
    const [first, last] = [view.getFloat64(stamp + width / 2), view.getFloat64(stamp + width - 8)]
    if (first === this.#timeWords[0] && last === this.#timeWords[1]) return this.#time
    this.#timeWords = [first, last]
    this.#time = momentOf(this.material.timeIn(heap.codec.bytes.subarray(stamp, stamp + width)) ?? 0)
    return this.#time
  }

  override free(): void {
    super.free()
    this.#head.forget()
  }

  #find(message: Buffer): boolean {
    const { offset, width } = this.material
    if (message.length >= offset + width && this.#deliver(message.subarray(offset, offset + width))) return true
    const stamp = this.material.stampWithin(message)
    return stamp !== undefined && this.#deliver(stamp)
  }

  /** Returns whether it is a stamp of ours. */
  #deliver(stamp: Buffer): boolean {
    const { sequence } = this
    const number = this.material.numberIn(stamp, this.sender)
    const time = this.material.timeIn(stamp)
    const passed = number === undefined || time === undefined ? undefined : sequence.take(number)
    if (passed === undefined) return false
    if (passed < 0) return true
    this.passed += passed
    this.answers++
    this.#recipient.delivered(performance.now() - momentOf(time ?? 0))
    return true
  }
}
