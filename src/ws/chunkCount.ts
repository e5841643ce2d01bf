// Counts the reads that the frame under way has come in: a peer that sends it in tiny pieces is let down behind so many, as
// ws does, which keeps each of them until it has all of a part of the header, or all of the payload.
import type { Parser } from '../codec/parser.js'

/** How far a parser has come. */
type Progress = Pick<Parser, 'remaining' | 'carried' | 'refused'>

/** A header, and the payload of a control frame, have fewer bytes, and so come in fewer reads. */
const FEW = 140

export class ChunkCount {
  #count = 0
  #remaining = 0
  /** Bytes that ws keeps of a header, or of a control frame. */
  #kept = 0

  /** Whether there is something to count, where there may be `most`. */
  static begins({ remaining, carried }: Progress, most: number): boolean {
    return remaining > 0 || (most < FEW && carried > 0)
  }

  /** Whether there are `most` already; 0 is any number. */
  isFull(most: number): boolean {
    return most > 0 && this.#count >= most
  }

  /** There was a read of so many bytes, behind which the parser has come so far. */
  read(bytes: number, { remaining, carried, refused }: Progress): void {
    const kept = carried > 0 ? keptOf(carried, refused >> 8) : 0
    const goesOn = remaining > 0 ? remaining === this.#remaining - bytes : kept === this.#kept + bytes
    this.#remaining = remaining
    this.#kept = kept
    if (remaining === 0 && kept === 0) this.#count = 0
    else this.#count = goesOn ? this.#count + 1 : 1
  }
}

/** Of the first bytes of a frame, those that ws has not taken: it takes the first two, the long length and the mask each when it is whole. */
function keptOf(bytes: number, second: number): number {
  const length = second & 0x7f
  let left = bytes
  for (const part of [2, length < 126 ? 0 : length === 126 ? 2 : 8, second > length ? 4 : 0]) {
    if (left < part) return left
    left -= part
  }
  return left
}
