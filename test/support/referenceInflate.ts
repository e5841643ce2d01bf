// INFLATE (RFC 1951) as the RFC tells it, symbol by symbol and slowly: the oracle for what zlib does not look at. zlib takes
// a distance that is longer than the window as long as the bytes are still at hand; a peer with less memory does not.
import { Buffer } from 'node:buffer'

/** What a compressed message is (RFC 7692, section 7.2.3). */
export interface Walked {
  readonly bytes: Buffer
  /** The longest distance of a match; 0 if there is none. */
  readonly farthest: number
  /** Kinds of its blocks (BTYPE), in order; those with BFINAL are 4 more. */
  readonly blocks: readonly number[]
}

const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
]
const LENGTH_BASES: readonly number[] = [...LENGTHS, 227, 258]
const ORDER: readonly number[] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

function lengthExtra(index: number): number {
  return index < 8 || index === 28 ? 0 : (index >> 2) - 1
}

function distanceOf(symbol: number): { readonly base: number; readonly extra: number } {
  const extra = symbol < 4 ? 0 : (symbol >> 1) - 1
  return { base: symbol < 4 ? symbol + 1 : 1 + ((2 + (symbol & 1)) << extra), extra }
}

/** Symbols by their codes: `1` and the bits of the code, as a number. Throws for lengths that leave codes over or have too many. */
class Codes {
  readonly #symbols = new Map<number, number>()

  constructor(lengths: readonly number[], mayBeSingle: boolean) {
    let code = 0
    let left = 1
    for (let bits = 1; bits <= 15; bits++, code <<= 1) {
      left *= 2
      for (const [symbol, length] of lengths.entries()) {
        if (length !== bits) continue
        this.#symbols.set((1 << bits) | code++, symbol)
        left--
      }
      if (left < 0) throw new Error('too many codes')
    }
    const used = lengths.filter((length) => length > 0)
    const isSingle = used.length === 0 || (used.length === 1 && used[0] === 1)
    if (left > 0 && !(mayBeSingle && isSingle)) throw new Error('too few codes')
  }

  next(input: BitReader): number {
    let code = 1
    for (let bits = 1; bits <= 15; bits++) {
      code = (code << 1) | input.take(1)
      const symbol = this.#symbols.get(code)
      if (symbol !== undefined) return symbol
    }
    throw new Error('no such code')
  }
}

class BitReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length * 8
  }

  take(count: number): number {
    let value = 0
    for (let bit = 0; bit < count; bit++, this.#at++) {
      const byte = this.#bytes[this.#at >> 3]
      if (byte === undefined) throw new Error('the input is cut')
      value |= ((byte >> (this.#at & 7)) & 1) << bit
    }
    return value
  }

  align(): void {
    this.#at = (this.#at + 7) & ~7
  }
}

const FIXED_LITERALS = new Codes(
  Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
  false,
)
const FIXED_DISTANCES = new Codes(Array(32).fill(5), false)

/**
 * Inflates a compressed message whose sender has left out the 00 00 ff ff at its end; `before` is what matches may refer to
 * besides. Throws for whatever is no DEFLATE, and where anything follows the end.
 */
export function walk(payload: Uint8Array, before: Uint8Array = Buffer.alloc(0)): Walked {
  const input = new BitReader(Buffer.concat([payload, Buffer.of(0, 0, 0xff, 0xff)]))
  const out = [...before]
  const blocks: number[] = []
  let farthest = 0
  while (!input.atEnd) {
    const final = input.take(1)
    const type = input.take(2)
    blocks.push(type + 4 * final)
    if (type === 3) throw new Error('a block of the reserved type')
    if (type === 0) copyStored(input, out)
    else {
      const [literals, distances] = type === 1 ? [FIXED_LITERALS, FIXED_DISTANCES] : dynamicCodes(input)
      farthest = Math.max(farthest, symbols(input, out, literals, distances))
    }
    if (final === 1) input.align()
  }
  return { bytes: Buffer.from(out.slice(before.length)), farthest, blocks }
}

function copyStored(input: BitReader, out: number[]): void {
  input.align()
  const length = input.take(16)
  if (input.take(16) !== (length ^ 0xffff)) throw new Error('a wrong length of a stored block')
  for (let at = 0; at < length; at++) out.push(input.take(8))
}

function dynamicCodes(input: BitReader): readonly [Codes, Codes] {
  const literals = input.take(5) + 257
  const distances = input.take(5) + 1
  if (literals > 286 || distances > 30) throw new Error('too many symbols')
  const ordered: number[] = Array(19).fill(0)
  for (const symbol of ORDER.slice(0, input.take(4) + 4)) ordered[symbol] = input.take(3)
  const lengthCodes = new Codes(ordered, false)
  const lengths: number[] = []
  while (lengths.length < literals + distances) {
    const symbol = lengthCodes.next(input)
    if (symbol < 16) lengths.push(symbol)
    else if (symbol === 16) lengths.push(...Array(input.take(2) + 3).fill(lastOf(lengths)))
    else lengths.push(...Array(symbol === 17 ? input.take(3) + 3 : input.take(7) + 11).fill(0))
  }
  if (lengths.length > literals + distances) throw new Error('more lengths than symbols')
  if (lengths[256] === 0) throw new Error('a block without an end')
  return [new Codes(lengths.slice(0, literals), false), new Codes(lengths.slice(literals), true)]
}

function lastOf(lengths: readonly number[]): number {
  const last = lengths.at(-1)
  if (last === undefined) throw new Error('a repeated length with none before it')
  return last
}

/** The symbols of a block; returns the longest distance. */
function symbols(input: BitReader, out: number[], literals: Codes, distances: Codes): number {
  let farthest = 0
  for (;;) {
    const symbol = literals.next(input)
    if (symbol === 256) return farthest
    if (symbol < 256) {
      out.push(symbol)
      continue
    }
    const base = LENGTH_BASES[symbol - 257]
    if (base === undefined) throw new Error('a length symbol that means nothing')
    const length = base + input.take(lengthExtra(symbol - 257))
    const far = distances.next(input)
    if (far > 29) throw new Error('a distance symbol that means nothing')
    const { base: least, extra } = distanceOf(far)
    const distance = least + input.take(extra)
    if (distance > out.length) throw new Error('a match in front of everything')
    farthest = Math.max(farthest, distance)
    for (let at = 0; at < length; at++) out.push(out[out.length - distance] ?? 0)
  }
}
