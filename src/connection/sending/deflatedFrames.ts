// Frames that are compressed once and sent to many: each message for itself, so that it refers to nothing that only one of
// the peers has. The window is within that of nearly all peers; the others are sent the frames as they are.
import type { Codec, Heap } from '../../codec/codec.js'
import type { Deflater } from '../../codec/deflater.js'
import { headerBytes, LONGEST_HEADER, payloadBytes, RSV1 } from '../../codec/frames.js'
import { sharedDeflater } from '../../codec/sharedDeflater.js'
import { SharedBlock, type SharedMemory } from '../../memory/sharedBlock.js'
import type { DeflatedBytes } from '../deflateTally.js'
import type { Compressor, Frame } from './encoder.js'

export const SHARED_WINDOW_BITS = 12

const NOTHING: Before = { bytes: 0, plain: 0, compressed: 0 }

/** Frames that lie one after the other, each a whole message of a server. */
interface Row {
  readonly pointer: number
  readonly end: number
  /** Messages with fewer bytes stay as they are. */
  readonly threshold: number
}

/** What lies before a frame of a row: bytes of compressed frames, and what these are of messages before and after. */
interface Before extends DeflatedBytes {
  readonly bytes: number
}

/** The address of a frame, and what lies before it. */
type FramePlace = readonly [at: number, before: Before]

/** Where compressed frames lie, and what was compressed in them. */
interface Place extends DeflatedBytes {
  readonly memory: SharedMemory
  readonly pointer: number
  readonly length: number
}

/** Compresses what is in a row of frames. Throws OutOfMemory. */
export function deflatedFrames(heap: Heap, row: Row): Frame {
  return drafted(heap, row, [], (pointer, length) => {
    const memory = new SharedBlock(heap, length)
    heap.codec.call.copy(memory.pointer, pointer, length)
    return { memory, length }
  })
}

/**
 * A row of frames that grows, compressed: each frame once, and as soon as somebody is to be sent it. As each stands for
 * itself, the row can be sent from any of its frames on.
 */
export class DeflatedRow {
  readonly threshold: number
  readonly #heap: Heap
  #memory: SharedBlock | undefined
  #all: Before = NOTHING
  /** How far the row is compressed. */
  #end: number
  /** What lies before each frame, by its address. */
  readonly #places = new Map<number, Before>()

  constructor(heap: Heap, pointer: number, threshold: number) {
    this.threshold = threshold
    this.#heap = heap
    this.#end = pointer
  }

  /** The frames from `from` to `end`, compressed; nothing behind `end` has been asked for before. Throws OutOfMemory. */
  frames(from: number, end: number): Place | undefined {
    if (end > this.#end) this.#extend(end)
    const before = this.#places.get(from)
    const memory = this.#memory
    if (before === undefined || memory === undefined) return undefined
    const { bytes, plain, compressed } = less(this.#all, before)
    return { memory, pointer: memory.pointer + before.bytes, length: bytes, plain, compressed }
  }

  /** Gives up the memory; whoever was sent frames keeps its own share. */
  release(): void {
    this.#memory?.release()
    this.#memory = undefined
  }

  #extend(end: number): void {
    const { threshold } = this
    const pointer = this.#end
    const places: FramePlace[] = []
    drafted(this.#heap, { pointer, end, threshold }, places, (draft, length) => {
      this.#append(draft, length)
      for (const [at, before] of places) this.#places.set(at, sum(this.#all, before))
      const [, last = NOTHING] = places.pop() ?? []
      this.#all = sum(this.#all, last)
    })
    this.#end = end
  }

  /** Puts compressed bytes behind the others: what comes at once fits exactly, and what goes on growing has twice the room. */
  #append(draft: number, length: number): void {
    const { call } = this.#heap.codec
    const before = this.#memory
    const needed = this.#all.bytes + length
    let memory = before
    if (memory === undefined || memory.capacity < needed) {
      memory = new SharedBlock(this.#heap, Math.max(needed, 2 * this.#all.bytes))
      if (before !== undefined) call.copy(memory.pointer, before.pointer, this.#all.bytes)
      before?.release()
      this.#memory = memory
    }
    call.copy(memory.pointer + this.#all.bytes, draft, length)
  }
}

/** Shows `use` a row of frames, compressed, and notes in `places` what lies before each, and before its end. */
function drafted<Result>(
  heap: Heap,
  row: Row,
  places: FramePlace[],
  use: (pointer: number, length: number) => Result,
): Result {
  const deflater = sharedDeflater(heap, SHARED_WINDOW_BITS)
  const draft = heap.allocate(mostBytes(heap.codec, row, deflater))
  try {
    return use(draft.pointer, write(heap.codec, row, deflater, draft.pointer, places))
  } finally {
    heap.free(draft)
  }
}

function mostBytes({ bytes }: Codec, { pointer, end }: Row, deflater: Compressor): number {
  let most = 0
  for (let at = pointer; at < end; ) {
    const length = payloadBytes(bytes, at)
    most += deflater.bound(length) + LONGEST_HEADER
    at += headerBytes(length) + length
  }
  return most
}

/** Writes the frames to `target`; returns their bytes. */
function write(codec: Codec, row: Row, deflater: Deflater, target: number, places: FramePlace[]): number {
  const { bytes, call } = codec
  const { pointer, end, threshold } = row
  let to = target
  let next = 0
  let plain = 0
  let compressed = 0
  for (let at = pointer; at < end; at = next) {
    places.push([at, { bytes: to - target, plain, compressed }])
    const length = payloadBytes(bytes, at)
    const payload = at + headerBytes(length)
    next = payload + length
    if (length < threshold) {
      call.copy(to, at, next - at)
      to += next - at
      continue
    }
    deflater.forget()
    deflater.deflate(payload, length, to + LONGEST_HEADER, deflater.bound(length), true)
    const { written } = deflater
    const header = call.header(to, (bytes[at] ?? 0) | RSV1, written)
    call.copy(to + header, to + LONGEST_HEADER, written)
    to += header + written
    plain += length
    compressed += written
  }
  places.push([end, { bytes: to - target, plain, compressed }])
  return to - target
}

function sum(one: Before, other: Before): Before {
  return {
    bytes: one.bytes + other.bytes,
    plain: one.plain + other.plain,
    compressed: one.compressed + other.compressed,
  }
}

function less(one: Before, other: Before): Before {
  return sum(one, { bytes: -other.bytes, plain: -other.plain, compressed: -other.compressed })
}
