// zlib on the codec's memory, for `level: 'best'`. A stream of zlib's is made for each piece and is gone after it: all that
// remains of a message is the window, which the next one begins with as its dictionary (RFC 1950, section 2.2). So a
// connection holds no state of zlib's, which would be 150 KiB of memory that fragments, and any thread may do the work.
import { OutOfMemory } from './outOfMemory.js'

type Zlib = typeof import('node:zlib')

/** The level of zlib's that takes the most time. */
const LEVEL = 9

/** What every flush ends with, and RFC 7692, section 7.2.1 leaves out at the end of a message. */
const TAIL = 4

/** A piece of a message, and the window before it. Addresses are those of the codec's memory, lengths are in bytes. */
export interface BestPiece {
  readonly windowBits: number
  readonly window: number
  readonly filled: number
  readonly from: number
  readonly length: number
  readonly to: number
  readonly room: number
  /** Whether the message ends with it. */
  readonly last: boolean
}

let loaded: Zlib | undefined

/** zlib, loaded on first use: a server that does without it starts sooner. */
function zlib(): Zlib {
  loaded ??= process.getBuiltinModule('node:zlib')
  return loaded
}

/** Bytes that a piece may become, at most: what zlib says of streams with small windows, and a flush. */
export function zlibBound(length: number): number {
  return length + Math.ceil(length / 8) + Math.ceil(length / 64) + 64
}

/** Compresses a piece; returns the bytes that were written. Throws OutOfMemory if the room is too small. */
export function zlibDeflate(memory: Uint8Array, piece: BestPiece): number {
  const { windowBits, window, filled, from, length, to, room, last } = piece
  const { constants, deflateRawSync } = zlib()
  const dictionary = filled === 0 ? {} : { dictionary: memory.subarray(window, window + filled) }
  const options = { level: LEVEL, windowBits, finishFlush: constants.Z_SYNC_FLUSH, ...dictionary }
  const bytes = deflateRawSync(memory.subarray(from, from + length), options)
  const written = last ? bytes.length - TAIL : bytes.length
  if (written > room) throw new OutOfMemory(`zlib has made ${written} bytes of ${length}`)
  memory.set(bytes.subarray(0, written), to)
  return written
}
