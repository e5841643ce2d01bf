// Pieces of whose leaving nobody is told: until they have left, their requests hold them, and here they can be found.
import type { InFlight } from './inFlight.js'

/** So many at most are given before it is asked whether they have left. */
const MOST = 64

export class LoosePieces {
  #refs: WeakRef<Uint8Array>[] = []
  /** How many there were at each question that is not answered. */
  #asked: number[] = []
  /** How many of them have come since the last question. */
  #since = 0

  /** Whether it is time to ask. */
  get full(): boolean {
    return this.#since >= MOST
  }

  add(piece: Uint8Array): void {
    this.#refs.push(new WeakRef(piece))
    this.#since++
  }

  /** It is asked when all of them have left. */
  asked(): void {
    this.#asked.push(this.#since)
    this.#since = 0
  }

  /** The first question is answered. */
  left(): void {
    const count = this.#asked.shift() ?? 0
    if (count > 0) this.#refs = this.#refs.slice(count)
  }

  /** The stream has ended, and its requests end in the next turn. */
  keepIn(inFlight: InFlight): void {
    for (const ref of this.#refs) {
      const piece = ref.deref()
      if (piece !== undefined) inFlight.keep(piece)
    }
    this.#refs = []
  }
}
