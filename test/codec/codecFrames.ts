// Frames as the codec writes them, to be compared with those of test/support/frames.ts.
import { heapOfThread } from '../../src/codec/codec.js'

/** The header with its masking key has at most 14 bytes. */
const LONGEST_HEADER = 14

/** A frame with `first` as its first byte; masked if there is a key. */
export function buildWithCodec(first: number, payload: Buffer, key: Buffer | undefined): Buffer {
  const heap = heapOfThread()
  const { codec } = heap
  const source = heap.allocate(payload.length)
  const target = heap.allocate(payload.length + LONGEST_HEADER)
  codec.bytes.set(payload, source.pointer)
  const { frame, maskedFrame } = codec.call
  const bytes =
    key === undefined
      ? frame(target.pointer, first, source.pointer, payload.length)
      : maskedFrame(target.pointer, first, source.pointer, payload.length, key.readUInt32LE())
  const built = Buffer.from(codec.bytes.subarray(target.pointer, target.pointer + bytes))
  heap.free(source)
  heap.free(target)
  return built
}

/** A header alone, announcing `length`. */
export function headerWithCodec(first: number, length: number): Buffer {
  const heap = heapOfThread()
  const target = heap.allocate(LONGEST_HEADER)
  const bytes = heap.codec.call.header(target.pointer, first, length)
  const header = Buffer.from(heap.codec.bytes.subarray(target.pointer, target.pointer + bytes))
  heap.free(target)
  return header
}
