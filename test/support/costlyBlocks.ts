// The most work that a compressed message can make for the fewest bytes: blocks that say nothing, each with codes of its own
// (RFC 1951, section 3.2.7), which differ from those of the block before.
import { Buffer } from 'node:buffer'

const ORDER: readonly number[] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1]
/** Lengths of the codes in which code lengths are written: of 18, which repeats zeros, of 0, and of 1. */
const LENGTH_CODES: ReadonlyMap<number, number> = new Map([
  [18, 1],
  [0, 2],
  [1, 2],
])

class BitWriter {
  readonly #bytes: number[] = []
  #held = 0
  #count = 0

  get length(): number {
    return this.#bytes.length
  }

  put(value: number, count: number): void {
    for (let bit = 0; bit < count; bit++) {
      this.#held |= ((value >> bit) & 1) << this.#count
      if (++this.#count < 8) continue
      this.#bytes.push(this.#held)
      this.#held = this.#count = 0
    }
  }

  /** The bytes, and what ends a message. */
  end(): Buffer {
    this.put(0, 3)
    if (this.#count > 0) this.put(0, 8 - this.#count)
    return Buffer.from(this.#bytes)
  }
}

/** A message of about so many bytes that is empty. */
export function costlyMessage(bytes: number): Buffer {
  const output = new BitWriter()
  for (let at = 0; output.length < bytes; at++) writeBlock(output, at % 2 === 0 ? 20 : 200)
  return output.end()
}

/** A block with codes for the byte `symbol` and for its end, which comes at once. */
function writeBlock(output: BitWriter, symbol: number): void {
  output.put(0b100, 3)
  output.put(0, 5) // 257 codes of literals and lengths
  output.put(0, 5) // one of distances
  output.put(ORDER.length - 4, 4)
  for (const one of ORDER) output.put(LENGTH_CODES.get(one) ?? 0, 3)
  writeZeros(output, symbol)
  output.put(0b11, 2)
  writeZeros(output, 255 - symbol)
  output.put(0b11, 2)
  output.put(0b01, 2) // no distance
  output.put(1, 1) // the end
}

function writeZeros(output: BitWriter, count: number): void {
  let left = count
  for (; left >= 11; left -= Math.min(left, 138)) {
    output.put(0, 1)
    output.put(Math.min(left, 138) - 11, 7)
  }
  for (; left > 0; left--) output.put(0b01, 2)
}
