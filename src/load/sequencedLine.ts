// One connection of a load with sequence numbers: stamps what it sends, and looks for the stamps in what comes back. Whole frames that
// are what was sent last are looked through where they lie; all others are taken piece by piece.
import { Buffer } from 'node:buffer'
import type { Piece } from '../codec/counter.js'
import { OPCODE_BINARY, OPCODE_TEXT, opcodeOf, RSV1 } from '../codec/frames.js'
import { reservedBit } from './line.js'
import type { SequenceMaterial } from './sequenceMaterial.js'
import { StampingLine } from './stampingLine.js'

const NEVER_SENT = 'an echo is not what was sent (its sequence number was never sent on this connection)'

export class SequencedLine extends StampingLine {
  readonly #stamp: Buffer
  /** Bytes of the message under way that have come. */
  #at = 0
  problem: string | undefined

  constructor(material: SequenceMaterial, connection: number) {
    super(material, connection)
    this.#stamp = Buffer.alloc(material.width)
  }

  protected get stampedTime(): undefined {
    return undefined
  }

  /** Takes whole frames from the first on, as long as they look like what was sent; returns where it has come to. */
  skim(start: number, end: number): number {
    const { view, frame, header, offset, verify } = this.material
    const { sequence } = this
    let cursor = verify ? start : this.#skimOrdered(start, end)
    while (end - cursor >= frame && this.material.isHeader(view, cursor)) {
      const at = cursor + header + offset
      if (sequence.outstanding > 0 && this.material.isStamp(view, at, sequence.next, this.sender)) {
        sequence.next = (sequence.next + 1) >>> 0
        this.answers++
      } else this.#strange(this.material.heap.codec.bytes.subarray(at, at + this.material.width))
      if (verify && this.problem === undefined) this.#compare(cursor + header, frame - header, 0)
      if (this.problem !== undefined) return cursor
      cursor += frame
    }
    return cursor
  }

  /** The same of answers that are those expected, which nearly all are: nothing but their numbers is looked at. */
  #skimOrdered(start: number, end: number): number {
    const { view, frame, header, offset, first, isText } = this.material
    const { sequence } = this
    if (isText || header !== 2) return start
    const head = (first << 8) | (frame - header)
    const most = Math.min(sequence.outstanding, Math.floor((end - start) / frame))
    const number = sequence.next | 0
    const connection = this.sender
    let answers = 0
    for (let cursor = start; answers < most; answers++, cursor += frame) {
      const at = cursor + header + offset
      if (view.getUint16(cursor) !== head) break
      if (view.getInt32(at, true) !== ((number + answers) | 0) || view.getInt32(at + 4, true) !== connection) break
    }
    sequence.next = (sequence.next + answers) >>> 0
    this.answers += answers
    return start + answers * frame
  }

  /** Takes a piece of an answer, or of a greeting, which may be anything. Returns what is wrong with it. */
  take({ first, pointer, length, ends }: Piece, isAnswer: boolean): string | undefined {
    if ((first & RSV1) !== 0) return reservedBit()
    const at = this.#at
    this.#at = ends ? 0 : at + length
    if (!isAnswer) return undefined
    const { isText, offset, width, verify, heap } = this.material
    if (verify && opcodeOf(first) !== (isText ? OPCODE_TEXT : OPCODE_BINARY))
      return 'an echo came back as another kind of message'
    const [from, to] = [Math.max(at, offset), Math.min(at + length, offset + width)]
    if (from < to) heap.codec.bytes.copy(this.#stamp, from - offset, pointer + from - at, pointer + to - at)
    if (verify) this.#compare(pointer, length, at)
    if (ends && this.problem === undefined) this.#strange(this.#stamp)
    return this.problem
  }

  /** An answer that may be any. */
  #strange(stamp: Buffer): void {
    const number = this.material.numberIn(stamp, this.sender)
    const passed = number === undefined ? undefined : this.sequence.take(number)
    if (passed === undefined) this.problem = NEVER_SENT
    else if (passed >= 0) {
      this.answers++
      this.passed += passed
    }
  }

  /** Compares bytes of an answer with what was sent, but for the stamp. */
  #compare(pointer: number, length: number, at: number): void {
    const { payload, offset, width } = this.material
    this.#compareRange(pointer, at, at, Math.min(at + length, offset))
    this.#compareRange(pointer, at, Math.max(at, offset + width), Math.min(at + length, payload.length))
  }

  #compareRange(pointer: number, at: number, from: number, to: number): void {
    if (from >= to || this.problem !== undefined) return
    const { payload, heap } = this.material
    const { bytes } = heap.codec
    const start = pointer + from - at
    if (bytes.compare(payload, from, to, start, start + to - from) === 0) return
    let same = from
    while (same < to && bytes[start + same - from] === payload[same]) same++
    const { length } = payload
    this.problem = `an echo is not what was sent (${length} bytes came, ${length} were sent; byte ${same} differs)`
  }
}
