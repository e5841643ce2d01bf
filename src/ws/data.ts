// What is sent as bytes, and what a binary message is given as.
import { Buffer } from 'node:buffer'
import { codecOfThread, type Region } from '../codec/codec.js'
import type { OwnBytes } from '../codec/ownBytes.js'
import { keepMemory } from './keptMemory.js'

/** As what binary messages are given to listeners. */
export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob'

export const BINARY_TYPES: readonly BinaryType[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob']

/** What listeners of `'message'` are given. */
export type RawData = Buffer | ArrayBuffer | Buffer[] | Blob

/** A shorter message shares the memory of Node's pool with others; a longer one has memory of its own. */
const LONGEST_POOLED = 2048

export const EMPTY: OwnBytes = Buffer.alloc(0)

/** A copy of a message that lies in the codec's memory, in a region of its own perhaps, which is given back. */
export function copied(pointer: number, length: number, region?: Region): OwnBytes {
  try {
    if (length === 0) return EMPTY
    if (length > LONGEST_POOLED) {
      keepMemory(length)
      return codecOfThread().copyOf(pointer, length)
    }
    const copy = Buffer.allocUnsafe(length)
    codecOfThread().read(pointer, copy)
    return copy
  } finally {
    region?.release()
  }
}

/** A binary message, as its listeners want it; `ends` are those of its frames, without the last one. */
export function binary(type: BinaryType, bytes: OwnBytes, ends: readonly number[]): RawData {
  if (type === 'nodebuffer') return bytes
  if (type === 'arraybuffer') return alone(bytes)
  return type === 'blob' ? new Blob([bytes]) : pieces(bytes, ends) // a Receiver may be given any type
}

/** The bytes of each frame; those of a frame without any are left out. */
function pieces(bytes: OwnBytes, ends: readonly number[]): Buffer[] {
  const found: Buffer[] = []
  let start = 0
  for (const end of [...ends, bytes.length]) {
    if (end > start) found.push(bytes.subarray(start, end))
    start = end
  }
  return found
}

/** The ArrayBuffer that holds these bytes, and nothing else. */
function alone({ buffer, byteOffset, length }: OwnBytes): ArrayBuffer {
  if (length === buffer.byteLength) return length === 0 ? new ArrayBuffer(0) : buffer
  return buffer.slice(byteOffset, byteOffset + length)
}

/** The bytes of what an application sends. Throws a TypeError for what Buffer.from does not take. */
function bytesOf(data: unknown): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  return Buffer.from(data as Uint8Array)
}

/** What can be sent: text, bytes, or a Blob that is read first. */
export type Payload = string | Uint8Array | Blob

/** What an application sends; what is falsy is empty. Throws a TypeError for what Buffer.from does not take. */
export function payloadOf(data: unknown): Payload {
  return data ? givenPayload(data) : data === '' ? '' : EMPTY
}

/** The same without an exception for what is falsy. */
export function givenPayload(data: unknown): Payload {
  if (typeof data === 'string' || data instanceof Uint8Array) return data
  return isBlob(data) ? data : bytesOf(data)
}

/** Whether it is a Blob or a File, whoever has made it. */
function isBlob(data: unknown): data is Blob {
  if (typeof data !== 'object' || data === null) return false
  const { arrayBuffer, stream, type } = data as Partial<Blob>
  if (typeof arrayBuffer !== 'function' || typeof stream !== 'function' || typeof type !== 'string') return false
  return ['Blob', 'File'].includes(Object.prototype.toString.call(data).slice('[object '.length, -1))
}

/** The bytes that it has when it is sent. */
export function byteLengthOf(payload: Payload): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload)
  return payload instanceof Uint8Array ? payload.length : payload.size
}
