// Frames that are made by hand, as lists of Buffers: how socket.io makes the frame of a broadcast once.
import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'
import { FIN, headerBytes, KEY_BYTES, LONGEST_7_BIT, LONGEST_16_BIT, MASKED, RSV1 } from '../codec/frames.js'

/** What a frame is made with. */
export interface FrameOptions {
  readonly opcode: number
  readonly fin?: boolean
  readonly rsv1?: boolean
  readonly mask?: boolean
  /** Whether the payload must stay as it is: otherwise it is masked where it lies. */
  readonly readOnly?: boolean
  /** Fills the masking key, instead of a random one. */
  readonly generateMask?: (key: Buffer) => void
  /** Where the masking key is made. */
  readonly maskBuffer?: Buffer
}

/** Makes a frame: a list of Buffers that are sent one after the other. */
export function madeFrame(data: string | Uint8Array, options: FrameOptions): Buffer[] {
  const payload = typeof data === 'string' ? Buffer.from(data) : bufferOf(data)
  const header = headerOf(payload.length, options)
  if (options.mask !== true) return payload.length === 0 ? [header] : [header, payload]
  const key = keyOf(options)
  if (key.every((byte) => byte === 0) && payload.length > 0) return [Buffer.concat([header, key]), payload]
  if (options.readOnly === true || payload.length === 0)
    return [Buffer.concat([header, key, masked(Buffer.from(payload), key)])]
  return [Buffer.concat([header, key]), masked(payload, key)]
}

/** The same of a frame without a mask, whose text is left to the stream that it is written to. */
export function unmaskedFrame(data: string | Uint8Array, options: FrameOptions): (string | Uint8Array)[] {
  if (typeof data !== 'string') return madeFrame(data, options)
  const header = headerOf(Buffer.byteLength(data), options)
  return data === '' ? [header] : [header, data]
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The header of a server's frame, whose first byte is given. */
export function serverHeader(first: number, length: number): Buffer {
  return headerOf(length, { opcode: first })
}

function headerOf(length: number, { opcode, fin, rsv1, mask }: FrameOptions): Buffer {
  const header = Buffer.allocUnsafe(headerBytes(length)) // of the pool: one of its own costs more than all the rest
  header[0] = opcode | (fin === true ? FIN : 0) | (rsv1 === true ? RSV1 : 0)
  const second = mask === true ? MASKED : 0
  header[1] = second | Math.min(length, LONGEST_7_BIT + 1)
  if (length > LONGEST_16_BIT) {
    header[1] = second | (LONGEST_7_BIT + 2)
    header.writeUIntBE(0, 2, 2)
    header.writeUIntBE(length, 4, 6)
  } else if (length > LONGEST_7_BIT) header.writeUInt16BE(length, 2)
  return header
}

function keyOf({ generateMask, maskBuffer }: FrameOptions): Buffer {
  const key = maskBuffer ?? Buffer.alloc(KEY_BYTES)
  if (generateMask === undefined) randomFillSync(key, 0, KEY_BYTES)
  else generateMask(key)
  return Buffer.from(key.subarray(0, KEY_BYTES))
}

function masked(payload: Buffer, key: Buffer): Buffer {
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (key[at % KEY_BYTES] ?? 0)
  return payload
}
