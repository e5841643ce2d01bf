// Counts the answers that one connection of a load is sent, and holds the server to what it owes: frames by the rules,
// answers of the right length and, if they are verified, of the right bytes. The codec does that without a look at single
// messages here; nothing is kept of what comes.
import type { Buffer } from 'node:buffer'
import { type Codec, type Heap, violationName } from '../codec/codec.js'
import {
  COUNT_CONTROL,
  COUNT_DIFFERENT,
  COUNT_LENGTH,
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  INFO_OPCODE,
  OPCODE_CLOSE,
  OPCODE_PING,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  SLOT_MESSAGE,
  STATUS_DONE,
  TABLE,
} from '../codec/wasm.generated.js'
import { readClosePayload } from '../protocol/closeCode.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Answers } from './payload.js'
import { printable } from './printable.js'

const COUNT_WORD = (RESULT + RESULT_COUNT) / 4
const CONSUMED_WORD = (RESULT + RESULT_CONSUMED) / 4
const ANNOUNCED_DOUBLE = (RESULT + RESULT_ANNOUNCED) / 8
const INFO_WORD = (TABLE + ENTRY_INFO) / 4
const POINTER_WORD = (TABLE + ENTRY_POINTER) / 4
const LENGTH_WORD = (TABLE + ENTRY_LENGTH) / 4

/** Whoever has the connection. */
export interface CounterOwner {
  /** The server wants a pong with this payload. */
  pinged(payload: Buffer): void
  /** The server has said Close, with this code, or undefined if it had none; nothing is counted after it. */
  saidClose(code: number | undefined, reason: string): void
  /** The server has sent what it must not send; nothing is counted after it. */
  failed(reason: string): void
}

export class MessageCounter {
  readonly #codec: Codec
  readonly #heap: Heap
  readonly #answers: Answers
  readonly #owner: CounterOwner
  readonly #slot: number
  /** What the next message is: all are greetings until the first is sent, and then one that was under way. */
  #next: 'greeting' | 'last greeting' | 'answer' = 'greeting'
  /** Messages that came before the answers. */
  greetings = 0

  constructor(codec: Codec, heap: Heap, answers: Answers, owner: CounterOwner) {
    this.#codec = codec
    this.#heap = heap
    this.#answers = answers
    this.#owner = owner
    this.#slot = heap.allocateSlot()
    const { first, length, pointer, compressed } = answers
    codec.call.openCounter(this.#slot, first, length, pointer, compressed)
  }

  /** Messages that begin to come from now on are answers. */
  begin(): void {
    this.#next = this.#codec.call.beginAnswers(this.#slot) === 0 ? 'answer' : 'last greeting'
  }

  /** Answers that ended in the span. */
  count(start: number, end: number): number {
    const { call, words } = this.#codec
    let answers = 0
    let cursor = start
    for (;;) {
      const status = call.count(this.#slot, cursor, end)
      const messages = words[COUNT_WORD] ?? 0
      answers += this.#next === 'answer' ? messages : this.#greet(messages)
      if (status === STATUS_DONE || !this.#goesOn(status)) return answers
      cursor = words[CONSUMED_WORD] ?? end
    }
  }

  /** Gives back everything; nothing must be counted after this. */
  free(): void {
    this.#heap.freeSlot(this.#slot)
  }

  /** Returns how many of these messages are answers. */
  #greet(messages: number): number {
    const isLast = this.#next === 'last greeting' && messages > 0
    if (isLast) this.#next = 'answer'
    this.greetings += isLast ? 1 : messages
    return isLast ? messages - 1 : 0
  }

  #goesOn(status: number): boolean {
    if (status === COUNT_CONTROL) return this.#control()
    this.#owner.failed(this.#reasonOf(status))
    return false
  }

  #control(): boolean {
    const { words } = this.#codec
    const opcode = words[INFO_WORD]
    if (opcode !== OPCODE_PING && opcode !== OPCODE_CLOSE) return true
    const payload = this.#codec.copyOf(words[POINTER_WORD] ?? 0, words[LENGTH_WORD] ?? 0)
    if (opcode === OPCODE_PING) this.#owner.pinged(payload)
    else this.#close(payload)
    return opcode === OPCODE_PING
  }

  #close(payload: Buffer): void {
    const status = readClosePayload(payload)
    if (status instanceof ProtocolViolation) this.#owner.failed(brokenBy(status))
    else this.#owner.saidClose(payload.length === 0 ? undefined : status.code, printable(status.reason))
  }

  #reasonOf(status: number): string {
    const { first, length } = this.#answers
    const announced = this.#codec.doubles[ANNOUNCED_DOUBLE] ?? 0
    if (status === COUNT_LENGTH) return notSent(announced, length)
    const came = this.#codec.bytes[this.#slot + SLOT_MESSAGE] ?? 0
    if (status === COUNT_DIFFERENT && ((came ^ first) & INFO_OPCODE) !== 0) {
      return 'an echo came back as another kind of message'
    }
    if (status === COUNT_DIFFERENT) return notSent(length, length, `; byte ${announced} differs`)
    return brokenBy(new ProtocolViolation(violationName(status)))
  }
}

function notSent(came: number, sent: number, more = ''): string {
  return `an echo is not what was sent (${came} bytes came, ${sent} were sent${more})`
}

function brokenBy({ message }: ProtocolViolation): string {
  return `the server broke the protocol: ${message}`
}
