// The longest distance in a DEFLATE stream (RFC 1951), found symbol by symbol. zlib takes a distance that is longer than
// the window as long as the bytes are still at hand, and a peer with less memory does not.

/** Base and number of extra bits of each length and distance symbol (RFC 1951, section 3.2.5). */
function lengthExtra(symbol: number): number {
  return symbol < 265 || symbol === 285 ? 0 : (symbol - 261) >> 2
}

const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const END_OF_BLOCK = 256
const LONGEST_CODE = 15

class Bits {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length * 8 - this.#at
  }

  take(count: number): number {
    let value = 0
    for (let bit = 0; bit < count; bit++, this.#at++)
      value |= (((this.#bytes[this.#at >> 3] ?? 0) >> (this.#at & 7)) & 1) << bit
    return value
  }

  /** Goes to the next whole byte, and over so many more. */
  skip(bytes: number): void {
    this.#at = ((this.#at + 7) & ~7) + bytes * 8
  }
}

/** Symbols by their canonical codes: how many there are of each length, and the symbols in order (section 3.2.2). */
interface Codes {
  readonly counts: readonly number[]
  readonly symbols: readonly number[]
}

function codesOf(lengths: readonly number[]): Codes {
  const counts: number[] = Array(LONGEST_CODE + 1).fill(0)
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1
  const symbols: number[] = []
  for (let bits = 1; bits <= LONGEST_CODE; bits++)
    for (const [symbol, length] of lengths.entries()) if (length === bits) symbols.push(symbol)
  return { counts, symbols }
}

/** The next symbol; the end of the block where the bits are no code. */
function symbolIn(bits: Bits, { counts, symbols }: Codes): number {
  let code = 0
  let first = 0
  let index = 0
  for (let length = 1; length <= LONGEST_CODE; length++) {
    code |= bits.take(1)
    const count = counts[length] ?? 0
    if (code - count < first) return symbols[index + code - first] ?? END_OF_BLOCK
    index += count
    first = (first + count) << 1
    code <<= 1
  }
  return END_OF_BLOCK
}

const FIXED = codesOf(Array.from({ length: 288 }, (_, at) => (at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8)))
const FIXED_DISTANCES = codesOf(Array(30).fill(5))

/** The longest distance of a match; 0 if there is none. The stream must be one that zlib inflates. */
export function farthestMatch(stream: Uint8Array): number {
  const bits = new Bits(stream)
  let farthest = 0
  while (bits.left >= 3) {
    const isLast = bits.take(1) === 1
    const type = bits.take(2)
    if (type === 0) {
      bits.skip(0)
      const length = bits.take(16)
      bits.skip(2 + length)
    } else {
      const [literals, distances] = type === 1 ? [FIXED, FIXED_DISTANCES] : dynamicCodes(bits)
      farthest = Math.max(farthest, farthestIn(bits, literals, distances))
    }
    if (isLast) bits.skip(0)
  }
  return farthest
}

function dynamicCodes(bits: Bits): readonly [Codes, Codes] {
  const literals = bits.take(5) + 257
  const distances = bits.take(5) + 1
  const ordered: number[] = Array(19).fill(0)
  for (const symbol of ORDER.slice(0, bits.take(4) + 4)) ordered[symbol] = bits.take(3)
  const lengthCodes = codesOf(ordered)
  const lengths: number[] = []
  while (lengths.length < literals + distances && bits.left > 0) {
    const symbol = symbolIn(bits, lengthCodes)
    if (symbol < 16) lengths.push(symbol)
    else if (symbol === 16) lengths.push(...Array(bits.take(2) + 3).fill(lengths.at(-1) ?? 0))
    else lengths.push(...Array(symbol === 17 ? bits.take(3) + 3 : bits.take(7) + 11).fill(0))
  }
  return [codesOf(lengths.slice(0, literals)), codesOf(lengths.slice(literals))]
}

function farthestIn(bits: Bits, literals: Codes, distances: Codes): number {
  let farthest = 0
  while (bits.left > 0) {
    const symbol = symbolIn(bits, literals)
    if (symbol === END_OF_BLOCK) break
    if (symbol < END_OF_BLOCK) continue
    bits.take(lengthExtra(symbol))
    farthest = Math.max(farthest, distanceIn(bits, symbolIn(bits, distances)))
  }
  return farthest
}

function distanceIn(bits: Bits, symbol: number): number {
  if (symbol < 4) return symbol + 1
  const extra = (symbol >> 1) - 1
  return 1 + ((2 + (symbol & 1)) << extra) + bits.take(extra)
}
