// The second module of the codec, for permessage-deflate (RFC 7692): a thread that never compresses never compiles it.
import { Buffer } from 'node:buffer'
import { base64, TABLES_SIZE, WORKSPACE_CONSUMED, WORKSPACE_SIZE, WORKSPACE_WRITTEN } from './deflate.generated.js'
import type { Heap } from './heap.js'

/** Bytes of a workspace for one task, of which each thread that does such work needs one at a time. */
export const WORKSPACE_BYTES: number = WORKSPACE_SIZE + TABLES_SIZE
/**
 * For the inflaters of so many connections the tables of the last block are there when their next message comes: in 6.6 KiB
 * for each, but only once they are used.
 */
const TABLES = 64
/** Bytes of the workspace that a heap has for good. */
export const LASTING_BYTES: number = WORKSPACE_SIZE + TABLES * TABLES_SIZE

/** Everything the module exports as a function. Addresses and lengths are u32, in bytes. */
export interface CompressionExports {
  openWorkspace(at: number, tables: number): void
  inflateStart(state: number, windowBits: number): void
  inflateForget(state: number): void
  inflateRingBits(state: number, length: number): number
  inflateRing(state: number, ring: number, bits: number): void
  inflateKeep(state: number, from: number, length: number): void
  inflate(state: number, from: number, length: number, base: number, to: number, room: number, limit: number): number
  inflateEnd(state: number): number
  deflaterBytes(windowBits: number): number
  deflateStart(state: number, windowBits: number): void
  deflateForget(state: number): void
  deflateTakeOver(state: number, other: number): void
  deflateBound(length: number): number
  deflate(state: number, from: number, length: number, to: number, room: number, flush: number): number
}

/** The module of this thread, in the memory of a heap. Its workspace holds the tables of both directions. */
export class Compression {
  readonly heap: Heap
  readonly call: CompressionExports
  readonly #results: Uint32Array

  /** Takes LASTING_BYTES of the heap for good, of which most are only touched as they are used. Throws OutOfMemory if there is no room. */
  constructor(heap: Heap) {
    const { pointer } = heap.allocate(LASTING_BYTES)
    this.heap = heap
    this.call = heap.codec.instantiate(Buffer.from(base64, 'base64')) as CompressionExports
    this.call.openWorkspace(pointer, TABLES)
    this.#results = new Uint32Array(heap.codec.bytes.buffer, pointer, WORKSPACE_SIZE / 4)
  }

  /** Bytes of the input that the last call of `inflate` or `deflate` has consumed. */
  get consumed(): number {
    return this.#results[WORKSPACE_CONSUMED / 4] ?? 0
  }

  /** Bytes that it has written. */
  get written(): number {
    return this.#results[WORKSPACE_WRITTEN / 4] ?? 0
  }
}

const opened = new WeakMap<Heap, Compression>()

/** The compression in the memory of this heap, compiled on first use. Throws OutOfMemory if there is no room. */
export function compressionOf(heap: Heap): Compression {
  const known = opened.get(heap)
  if (known !== undefined) return known
  const compression = new Compression(heap)
  opened.set(heap, compression)
  return compression
}
