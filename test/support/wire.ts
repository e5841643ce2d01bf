// Frames as a client writes and reads them: the plain cases. For deliberately wrong frames see frames.ts.
import { Buffer } from 'node:buffer'

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** A masked frame. */
export function masked(opcode: number, payload: string | Uint8Array = '', fin = true): Buffer {
  const body = Buffer.from(payload)
  const key = Buffer.from([0x5a, 0x17, 0xc3, body.length & 0xff])
  for (let at = 0; at < body.length; at++) body[at] = (body[at] ?? 0) ^ (key[at & 3] ?? 0)
  return Buffer.concat([header(opcode | (fin ? 0x80 : 0), 0x80, body.length), key, body])
}

/** A masked Close frame. */
export function close(code?: number, reason = ''): Buffer {
  if (code === undefined) return masked(CLOSE)
  return masked(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]))
}

/** A header without its masking key. */
export function header(first: number, mask: number, length: number): Buffer {
  if (length <= 125) return Buffer.from([first, mask | length])
  if (length <= 65535) return Buffer.from([first, mask | 126, length >> 8, length & 0xff])
  const bytes = Buffer.alloc(10)
  bytes.writeUInt16BE((first << 8) | mask | 127, 0)
  bytes.writeBigUInt64BE(BigInt(length), 2)
  return bytes
}

export interface Frame {
  readonly opcode: number
  readonly fin: boolean
  readonly payload: Buffer
}

/** The whole frames at the beginning of `bytes`, and what is left. A server's frames are not masked. */
export function readFrames(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= 2) {
    const first = bytes.readUInt8(at)
    const second = bytes.readUInt8(at + 1)
    if ((second & 0x80) !== 0) throw new Error('a frame of the server is masked')
    const extended = second < 126 ? 0 : second === 126 ? 2 : 8
    const start = at + 2 + extended
    if (bytes.length < start) break
    const length =
      extended === 0 ? second : extended === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (bytes.length < start + length) break
    frames.push({ opcode: first & 15, fin: first >= 0x80, payload: bytes.subarray(start, start + length) })
    at = start + length
  }
  return { frames, rest: bytes.subarray(at) }
}

/** The code and the reason in a Close frame's payload. */
export function closeStatus(frame: Frame | undefined): { code: number; reason: string } | undefined {
  if (frame === undefined || frame.opcode !== CLOSE) return undefined
  if (frame.payload.length === 0) return { code: 1005, reason: '' }
  return { code: frame.payload.readUInt16BE(0), reason: frame.payload.subarray(2).toString() }
}
