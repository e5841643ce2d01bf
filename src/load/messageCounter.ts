// Counts the answers that one connection of a load is sent, and holds the server to what it owes: frames by the rules,
// answers of the right length and, if they are verified, of the right bytes. The codec does that without a look at single
// messages here; nothing is kept of what comes.
import type { Buffer } from 'node:buffer'
import { type Heap, violationName } from '../codec/codec.js'
import {
  type Answers,
  COUNT_CONTROL,
  COUNT_DIFFERENT,
  COUNT_DONE,
  COUNT_LENGTH,
  COUNT_PIECE,
  Counter,
} from '../codec/counter.js'
import { OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG, opcodeOf } from '../codec/frames.js'
import { readClosePayload } from '../protocol/closeCode.js'
import { printable } from '../protocol/printable.js'
import { ProtocolViolation } from '../protocol/violation.js'
import { type DeflatedLine, notSent } from './deflatedLine.js'
import type { NumberedLine } from './line.js'

/** The connection whose messages are counted. */
export interface CounterOwner {
  /** The server wants a pong with this payload. */
  pinged(payload: Buffer): void
  /** A pong has come. */
  ponged(payload: Buffer): void
  /** The server has said Close, with this code, or undefined if it had none; nothing is counted after it. */
  saidClose(code: number | undefined, reason: string): void
  /** The server has sent what it must not send; nothing is counted after it. */
  failed(reason: string): void
}

export class MessageCounter {
  readonly #counter: Counter
  readonly #answers: Answers
  readonly #owner: CounterOwner
  readonly #deflated: DeflatedLine | undefined
  readonly #sequenced: NumberedLine | undefined
  /** Whether no message is under way, as far as is known. */
  #between = true
  /** Messages are greetings until the first answer can come; a message that is under way then is the last greeting. */
  #next: 'greeting' | 'last greeting' | 'answer' = 'greeting'
  /** Messages that came before the answers. */
  greetings = 0

  /** `deflated` looks at all messages where they may be compressed, and `sequenced` where they have numbers. */
  constructor(heap: Heap, answers: Answers, owner: CounterOwner, deflated?: DeflatedLine, sequenced?: NumberedLine) {
    this.#counter = new Counter(heap, answers)
    this.#answers = answers
    this.#owner = owner
    this.#deflated = deflated
    this.#sequenced = sequenced
  }

  /** Messages that begin to come from now on are answers. */
  begin(): void {
    this.#next = this.#counter.begin() ? 'last greeting' : 'answer'
  }

  /** Answers that ended in the span. */
  count(start: number, end: number): number {
    if (this.#sequenced !== undefined) return this.#countNumbered(this.#sequenced, start, end)
    const counter = this.#counter
    let answers = 0
    let cursor = start
    for (;;) {
      const status = counter.count(cursor, end)
      const { messages, consumed } = counter
      if (status === COUNT_PIECE && !this.#inflates()) return answers
      answers += this.#next === 'answer' ? messages : this.#greet(messages)
      if (status === COUNT_DONE || !this.#goesOn(status)) return answers
      cursor = consumed
    }
  }

  /** The same of messages with numbers. A message that was passed over, or has come already, is no answer. */
  #countNumbered(line: NumberedLine, start: number, end: number): number {
    const counter = this.#counter
    let cursor = start
    for (;;) {
      if (this.#between && this.#next === 'answer') {
        cursor = line.skim(cursor, end)
        if (line.problem !== undefined) this.#owner.failed(line.problem)
        if (line.problem !== undefined || cursor === end) return line.takeAnswers()
      }
      const status = counter.count(cursor, end)
      const { messages, consumed } = counter
      if (status === COUNT_PIECE && !this.#looksAt(line)) return line.takeAnswers()
      if (this.#next !== 'answer') this.#greet(messages)
      // A header that is cut leaves no piece.
      this.#between = status === COUNT_DONE ? this.#between && cursor === end : counter.messageOpcode === 0
      if (status === COUNT_DONE || !this.#goesOn(status)) return line.takeAnswers()
      cursor = consumed
    }
  }

  /** Gives back everything; nothing must be counted after this. */
  free(): void {
    this.#counter.free()
  }

  /** Returns how many of these messages are answers. */
  #greet(messages: number): number {
    const isLast = this.#next === 'last greeting' && messages > 0
    if (isLast) this.#next = 'answer'
    this.greetings += isLast ? 1 : messages
    return isLast ? messages - 1 : 0
  }

  #goesOn(status: number): boolean {
    if (status === COUNT_PIECE) return true
    if (status === COUNT_CONTROL) return this.#control()
    this.#owner.failed(this.#reasonOf(status))
    return false
  }

  /** A piece of an answer is checked before it counts. */
  #inflates(): boolean {
    return this.#looksAt(this.#deflated)
  }

  #looksAt(line: Pick<NumberedLine, 'take'> | undefined): boolean {
    const problem = line?.take(this.#counter.piece, this.#next === 'answer')
    if (problem !== undefined) this.#owner.failed(problem)
    return problem === undefined
  }

  #control(): boolean {
    const opcode = this.#counter.controlOpcode
    const payload = this.#counter.controlPayload
    if (opcode === OPCODE_PING) this.#owner.pinged(payload)
    else if (opcode === OPCODE_PONG) this.#owner.ponged(payload)
    else if (opcode === OPCODE_CLOSE) this.#close(payload)
    return opcode !== OPCODE_CLOSE
  }

  #close(payload: Buffer): void {
    const status = readClosePayload(payload)
    if (status instanceof ProtocolViolation) this.#owner.failed(brokenBy(status))
    else this.#owner.saidClose(payload.length === 0 ? undefined : status.code, printable(status.reason))
  }

  #reasonOf(status: number): string {
    const { first, length } = this.#answers
    const { announced, messageOpcode } = this.#counter
    if (status === COUNT_LENGTH) return notSent(announced, length)
    if (status === COUNT_DIFFERENT && messageOpcode !== opcodeOf(first)) {
      return 'an echo came back as another kind of message'
    }
    if (status === COUNT_DIFFERENT) return notSent(length, length, `; byte ${announced} differs`)
    return brokenBy(new ProtocolViolation(violationName(status)))
  }
}

function brokenBy({ message }: ProtocolViolation): string {
  return `the server broke the protocol: ${message}`
}
