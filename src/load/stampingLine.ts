// What the lines of a load have in common whose messages are stamped: the batches that they send, and the count of what has come.
import type { Piece } from '../codec/counter.js'
import type { Block } from '../codec/heap.js'
import type { NumberedLine } from './line.js'
import { Sequence } from './sequence.js'
import type { SequenceMaterial } from './sequenceMaterial.js'

export abstract class StampingLine implements NumberedLine {
  readonly sequence = new Sequence()
  abstract readonly problem: string | undefined
  protected readonly material: SequenceMaterial
  /** The number of the connection that sends. */
  protected readonly sender: number
  /** What has come since it was asked for last: answers that are the first of their number, and messages that were passed over. */
  protected answers = 0
  protected passed = 0
  /** The batch that is being written. */
  #block: Block | undefined

  constructor(material: SequenceMaterial, sender: number) {
    this.material = material
    this.sender = sender
  }

  abstract skim(start: number, end: number): number
  abstract take(piece: Piece, isAnswer: boolean): string | undefined

  /** The time in the stamps of the next messages, in microseconds; undefined where they have none. */
  protected abstract get stampedTime(): number | undefined

  next(): { readonly pointer: number; readonly length: number } {
    const { batch } = this.material
    const block = this.material.take()
    this.material.stamp(block, this.sequence.sent, this.sender, this.stampedTime)
    this.sequence.add(batch.messages)
    this.#block = block
    return { pointer: block.pointer, length: batch.length }
  }

  written(): void {
    if (this.#block !== undefined) this.material.giveBack(this.#block)
    this.#block = undefined
  }

  takeAnswers(): number {
    const { answers } = this
    this.answers = 0
    return answers
  }

  takePassed(): number {
    const { passed } = this
    this.passed = 0
    return passed
  }

  free(): void {
    this.written()
  }
}
