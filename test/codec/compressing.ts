// Both directions of the compression as a connection uses them, without a connection: messages in, messages out. What
// they read and write lies between guards, which must stay as they are, and everything around it is poisoned.
import assert from 'node:assert/strict'
import { compressionOf, heapOfThread } from '../../src/codec/codec.js'
import { DEFLATE_DONE, DEFLATE_ROOM, Deflater } from '../../src/codec/deflater.js'
import { INFLATE_CORRUPT, INFLATE_LIMIT, INFLATE_MORE, INFLATE_ROOM, Inflater } from '../../src/codec/inflater.js'
import type { Random } from '../support/random.js'

export { TAIL, ZlibDeflating, ZlibInflating } from '../support/zlibStreams.js'

const heap = heapOfThread()
const compression = compressionOf(heap)
const { codec } = heap

const GUARD = 64
let poison = 0xee
let guard = Buffer.alloc(GUARD, poison)
const SPACE = 512 * 1024
const source = heap.allocate(SPACE)
const target = heap.allocate(SPACE)

/** From now on, this byte is what lies around all that is read or written, and where nothing has been written. */
export function surroundWith(byte: number): void {
  poison = byte
  guard = Buffer.alloc(GUARD, byte)
}

/** Puts bytes into the memory between two guards, at an alignment of their own. */
function place(bytes: Uint8Array): number {
  const at = source.pointer + GUARD + (bytes.length % 16)
  codec.bytes.fill(poison, at - GUARD, at)
  codec.bytes.set(bytes, at)
  codec.bytes.fill(poison, at + bytes.length, at + bytes.length + GUARD)
  return at
}

/** What was written to the target, of which only `room` bytes may have changed. */
function taken(to: number, room: number, written: number): Buffer {
  assert.ok(written <= room, `${written} bytes were written to ${room}`)
  assert.ok(guard.equals(codec.bytes.subarray(to + room, to + room + GUARD)), 'something was written behind the room')
  return Buffer.from(codec.bytes.subarray(to, to + written))
}

function makeRoom(to: number, room: number): void {
  codec.bytes.fill(poison, to, to + room + GUARD)
}

/** How a message is cut: bytes of input and of room that the next call gets. */
export interface Cuts {
  input(left: number): number
  room(): number
}

export const whole: Cuts = { input: (left) => left, room: () => SPACE / 2 }

export function randomCuts(random: Random): Cuts {
  const most = random.pick([1, 7, 40, 500, 70_000])
  return {
    input: (left) => Math.min(left, random.between(1, most)),
    room: () => random.between(1, random.chance(0.5) ? 300 : 20_000),
  }
}

/** What became of a message: its bytes, or why there are none. */
export type Inflated = Buffer | 'corrupt' | 'limit'

export class Inflating {
  readonly inflater: Inflater
  /** Bytes that were written of the last message. */
  written = 0
  readonly #takeover: boolean

  constructor(windowBits: number, takeover: boolean) {
    this.inflater = new Inflater(compression, windowBits)
    this.#takeover = takeover
  }

  /** Inflates one message; with `inPlace`, what was written stays in front of what follows until the message ends. */
  message(payload: Uint8Array, cuts = whole, inPlace = true, limit = Infinity): Inflated {
    const parts: Buffer[] = []
    const base = target.pointer + GUARD
    codec.bytes.fill(poison, base - GUARD, base)
    let to = base
    this.written = 0
    for (let at = 0; ; ) {
      const piece = payload.subarray(at, at + cuts.input(payload.length - at))
      const room = Math.min(cuts.room(), target.pointer + SPACE - GUARD - to)
      makeRoom(to, room)
      const status = this.inflater.inflate(place(piece), piece.length, base, to, room, limit)
      at += this.inflater.consumed
      const { written } = this.inflater
      this.written += written
      parts.push(taken(to, room, written))
      assert.ok(guard.equals(codec.bytes.subarray(base - GUARD, base)), 'something was written in front of the room')
      if (status === INFLATE_CORRUPT) return 'corrupt'
      if (status === INFLATE_LIMIT) return 'limit'
      if (inPlace) to += written
      else this.inflater.keep(to, written)
      if (status === INFLATE_MORE) assert.equal(this.inflater.consumed, piece.length)
      else assert.deepEqual([status, written], [INFLATE_ROOM, room])
      if (status === INFLATE_MORE && at === payload.length) break
    }
    if (!this.inflater.end()) return 'corrupt'
    if (!this.#takeover) this.inflater.forget()
    else if (inPlace) this.inflater.keep(base, to - base)
    return Buffer.concat(parts)
  }

  free(): void {
    this.inflater.free()
  }
}

export class Deflating {
  readonly deflater: Deflater
  readonly #takeover: boolean

  constructor(windowBits: number, takeover: boolean) {
    this.deflater = new Deflater(compression, windowBits)
    this.#takeover = takeover
  }

  /** Deflates one message; without `cuts`, in one call with the room that is promised to suffice. */
  message(payload: Uint8Array, cuts?: Cuts): Buffer {
    const parts: Buffer[] = []
    const to = target.pointer + GUARD
    for (let at = 0; ; ) {
      const piece = payload.subarray(at, cuts && at + cuts.input(payload.length - at))
      const room = cuts?.room() ?? this.deflater.bound(piece.length)
      makeRoom(to, room)
      const last = at + piece.length === payload.length
      const status = this.deflater.deflate(place(piece), piece.length, to, room, last)
      at += this.deflater.consumed
      parts.push(taken(to, room, this.deflater.written))
      if (cuts === undefined) assert.equal(status, DEFLATE_DONE, 'the bound is too small')
      if (status === DEFLATE_DONE) assert.equal(this.deflater.consumed, piece.length)
      else assert.equal(status, DEFLATE_ROOM)
      if (status === DEFLATE_DONE && last) break
    }
    if (!this.#takeover) this.deflater.forget()
    return Buffer.concat(parts)
  }

  free(): void {
    this.deflater.free()
  }
}
