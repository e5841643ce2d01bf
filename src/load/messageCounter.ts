// Counts the messages that one connection of a load is sent; with a verifier, it looks at every byte of them.
import type { Codec, Heap } from '../codec/codec.js'
import { COUNT_CLOSE, COUNT_MASKED, RESULT, RESULT_COUNT } from '../codec/wasm.generated.js'

const COUNT_WORD = (RESULT + RESULT_COUNT) / 4

/** Checks the payloads of what comes in; a load without one counts messages only. */
export interface Verifier {
  /** Messages that ended in the span; throws an Error for a wrong byte. */
  count(start: number, end: number): number
  free(): void
}

export class MessageCounter {
  readonly #codec: Codec
  readonly #heap: Heap
  readonly #verifier: Verifier | undefined
  readonly #fail: (reason: string) => void
  readonly #slot: number

  /** `fail` hears of what a server must not send: Close, a masked frame, a wrong byte. */
  constructor(codec: Codec, heap: Heap, verifier: Verifier | undefined, fail: (reason: string) => void) {
    this.#codec = codec
    this.#heap = heap
    this.#verifier = verifier
    this.#fail = fail
    this.#slot = heap.allocateSlot()
    codec.call.openSlot(this.#slot, 0, 0, 0)
  }

  /** Messages that ended in the span. */
  count(start: number, end: number): number {
    if (this.#verifier !== undefined) return this.#verify(this.#verifier, start, end)
    const status = this.#codec.call.count(this.#slot, start, end)
    if (status === COUNT_CLOSE) this.#fail('the server sent Close')
    if (status === COUNT_MASKED) this.#fail('the server sent a masked frame')
    return this.#codec.words[COUNT_WORD] ?? 0
  }

  /** Gives back everything; nothing must be counted after this. */
  free(): void {
    this.#heap.freeSlot(this.#slot)
    this.#verifier?.free()
  }

  #verify(verifier: Verifier, start: number, end: number): number {
    try {
      return verifier.count(start, end)
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
      return 0
    }
  }
}
