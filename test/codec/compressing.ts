// Both directions of the compression as a connection uses them, without a connection: messages in, messages out. What
// they read and write lies between guards, which must stay as they are, and everything around it is poisoned.
import assert from 'node:assert/strict'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'
import { compressionOf, heapOfThread } from '../../src/codec/codec.js'
import { DEFLATE_DONE, DEFLATE_ROOM, Deflater } from '../../src/codec/deflater.js'
import { INFLATE_CORRUPT, INFLATE_LIMIT, INFLATE_MORE, INFLATE_ROOM, Inflater } from '../../src/codec/inflater.js'
import type { Random } from '../support/random.js'

const heap = heapOfThread()
const compression = compressionOf(heap)
const { codec } = heap

/** What RFC 7692, section 7.2.1 has the sender leave out. */
export const TAIL: Buffer = Buffer.from([0, 0, 0xff, 0xff])

const GUARD = 64
const POISON = 0xee
const guard = Buffer.alloc(GUARD, POISON)
const SPACE = 512 * 1024
const source = heap.allocate(SPACE)
const target = heap.allocate(SPACE)

/** Puts bytes into the memory between two guards, at an alignment of their own. */
function place(bytes: Uint8Array): number {
  const at = source.pointer + GUARD + (bytes.length % 16)
  codec.bytes.fill(POISON, at - GUARD, at)
  codec.bytes.set(bytes, at)
  codec.bytes.fill(POISON, at + bytes.length, at + bytes.length + GUARD)
  return at
}

/** What was written to the target, of which only `room` bytes may have changed. */
function taken(to: number, room: number, written: number): Buffer {
  assert.ok(written <= room, `${written} bytes were written to ${room}`)
  assert.ok(guard.equals(codec.bytes.subarray(to + room, to + room + GUARD)), 'something was written behind the room')
  return Buffer.from(codec.bytes.subarray(to, to + written))
}

function makeRoom(to: number, room: number): void {
  codec.bytes.fill(POISON, to, to + room + GUARD)
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
    codec.bytes.fill(POISON, base - GUARD, base)
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

/** zlib's handle, used as `zlib.deflateRawSync` uses it, but for all messages of a connection. */
interface Handle {
  readonly _handle: {
    writeSync(
      flush: number,
      from: Uint8Array,
      at: number,
      length: number,
      to: Uint8Array,
      toAt: number,
      room: number,
    ): void
  }
  readonly _writeState: Uint32Array
}

const output = Buffer.alloc(4 * SPACE)

function writeSync(stream: DeflateRaw | InflateRaw, bytes: Uint8Array): { written: Buffer; left: number } {
  const { _handle, _writeState } = stream as unknown as Handle
  _handle.writeSync(constants.Z_SYNC_FLUSH, bytes, 0, bytes.length, output, 0, output.length)
  const [room = 0, left = 0] = _writeState
  return { written: Buffer.from(output.subarray(0, output.length - room)), left }
}

/** A message after another as zlib deflates them: what a peer sends. */
export class ZlibDeflating {
  readonly #stream: DeflateRaw
  readonly #takeover: boolean

  /** `memory` is zlib's memLevel, 1 to 9: the lower it is, the shorter the blocks are. */
  constructor(
    level: number,
    windowBits: number,
    takeover: boolean,
    strategy: number = constants.Z_DEFAULT_STRATEGY,
    memory = 8,
  ) {
    this.#stream = createDeflateRaw({ level, windowBits, strategy, memLevel: memory })
    this.#takeover = takeover
  }

  message(payload: Uint8Array): Buffer {
    return this.flushed([payload])
  }

  /** A message whose sender has flushed after each of its pieces. */
  flushed(pieces: readonly Uint8Array[]): Buffer {
    const parts: Buffer[] = []
    for (const piece of pieces) {
      if (piece.length === 0) continue // zlib writes no second flush
      const { written } = writeSync(this.#stream, piece)
      assert.ok(TAIL.equals(written.subarray(-4)))
      parts.push(written)
    }
    if (parts.length === 0) return Buffer.of(0)
    if (!this.#takeover) this.#stream.reset()
    return Buffer.concat(parts).subarray(0, -4)
  }

  free(): void {
    this.#stream.close()
  }
}

/** A message after another as zlib inflates them: what a peer understands. */
export class ZlibInflating {
  readonly #stream: InflateRaw
  readonly #takeover: boolean

  constructor(windowBits: number, takeover: boolean) {
    this.#stream = createInflateRaw({ windowBits })
    this.#takeover = takeover
  }

  message(payload: Uint8Array): Buffer {
    const { written, left } = writeSync(this.#stream, Buffer.concat([payload, TAIL]))
    assert.equal(left, 0, 'zlib has understood only a part')
    if (!this.#takeover) this.#stream.reset()
    return written
  }

  free(): void {
    this.#stream.close()
  }
}
