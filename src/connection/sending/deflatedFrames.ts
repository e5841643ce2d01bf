// Frames that are compressed once and sent to many: each message for itself, so that it refers to nothing that only one of
// the peers has. The window is within that of nearly all peers; the others are sent the frames as they are.
import type { Codec, Heap } from '../../codec/codec.js'
import type { Deflater } from '../../codec/deflater.js'
import { headerBytes, LONGEST_HEADER, payloadBytes, RSV1 } from '../../codec/frames.js'
import { sharedDeflater } from '../../codec/sharedDeflater.js'
import { SharedBlock } from '../../memory/sharedBlock.js'
import type { Compressor, Frame } from './encoder.js'

export const SHARED_WINDOW_BITS = 12

/** Frames that lie one after the other, each a whole message of a server. */
interface Row {
  readonly pointer: number
  readonly end: number
  /** Messages with fewer bytes stay as they are. */
  readonly threshold: number
}

/** Compresses what is in a row of frames. Throws OutOfMemory. */
export function deflatedFrames(heap: Heap, row: Row): Frame {
  const deflater = sharedDeflater(heap, SHARED_WINDOW_BITS)
  const draft = heap.allocate(mostBytes(heap.codec, row, deflater))
  try {
    const length = write(heap.codec, row, deflater, draft.pointer)
    const memory = new SharedBlock(heap, length)
    heap.codec.call.copy(memory.pointer, draft.pointer, length)
    return { memory, length }
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
function write({ bytes, call }: Codec, { pointer, end, threshold }: Row, deflater: Deflater, target: number): number {
  let to = target
  let next = 0
  for (let at = pointer; at < end; at = next) {
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
  }
  return to - target
}
