// Compares every byte of every answer with what was sent, with the parser of the server in the client's role.
import { Buffer } from 'node:buffer'
import type { Codec, Heap, Region } from '../codec/codec.js'
import { INFO_OPCODE, LONGEST_SAFE, OPCODE_CLOSE } from '../codec/wasm.generated.js'
import { type Deliverer, Incoming, type Sink } from '../connection/incoming.js'
import { slicesOfThread } from '../connection/slices.js'
import { Budget } from '../payload/budget.js'
import { readClosePayload } from '../protocol/closeCode.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Verifier } from './messageCounter.js'

export class EchoVerifier implements Verifier, Deliverer, Sink {
  readonly accepts = true
  readonly done = false
  readonly gone = false
  held = 0
  readonly #codec: Codec
  readonly #expected: Buffer
  readonly #opcode: number
  readonly #incoming: Incoming
  #messages = 0

  /** `opcode` and `expected` are what every answer must be. */
  constructor(codec: Codec, heap: Heap, opcode: number, expected: Buffer) {
    this.#codec = codec
    this.#expected = expected
    this.#opcode = opcode
    const shared = {
      codec,
      heap,
      budget: new Budget(LONGEST_SAFE),
      slices: slicesOfThread(),
      limits: { maxMessage: LONGEST_SAFE, maxFragments: 0, payloadTimeout: 0 },
    }
    this.#incoming = new Incoming(shared, this, this, 0)
  }

  count(start: number, end: number): number {
    this.#messages = 0
    this.#incoming.receive(start, end)
    return this.#messages
  }

  free(): void {
    this.#incoming.free()
  }

  control(opcode: number, pointer: number, length: number): void {
    if (opcode === OPCODE_CLOSE) throw new Error(`the server sent Close ${this.#closeCode(pointer, length)}`)
  }

  take(info: number, pointer: number, length: number, region: Region | undefined): void {
    this.#messages++
    const expected = this.#expected
    const same = this.#codec.bytes.compare(expected, 0, expected.length, pointer, pointer + length) === 0
    region?.release()
    if ((info & INFO_OPCODE) !== this.#opcode) throw new Error('an echo came back as another kind of message')
    if (!same) throw new Error(`an echo is not what was sent (${length} bytes came, ${expected.length} were sent)`)
  }

  violated(violation: ProtocolViolation): void {
    throw new Error(`the server broke the protocol: ${violation.message}`)
  }

  streamBegins(): void {
    // nothing is streamed here
  }

  streamPart(): void {
    // nothing is streamed here
  }

  budgetSpent(): void {
    throw new Error('an answer has no room in memory')
  }

  budgetFreed(): void {
    // Never spent, never freed.
  }

  evicted(): void {
    // Nothing is kept.
  }

  sliceOver(): void {
    // A load has nobody else to serve.
  }

  payloadStalled(): void {
    // Answers may take as long as they like.
  }

  #closeCode(pointer: number, length: number): string {
    const status = readClosePayload(Buffer.from(this.#codec.view(pointer, length)))
    return status instanceof ProtocolViolation ? '' : `${status.code} ${status.reason}`
  }
}
