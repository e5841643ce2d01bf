// Frames built and read in plain JavaScript: those of an ordinary client, and those that are wrong in any way a header can be (RFC 6455, section 5.2).
import { Buffer } from 'node:buffer'

export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** How the payload length is written: in 7, 16 or 64 bits. */
export type LengthForm = 7 | 16 | 64

export interface FrameParts {
  readonly opcode: number
  readonly payload?: Uint8Array | string
  readonly fin?: boolean
  /** The three reserved bits, as a number from 0 to 7. */
  readonly reserved?: number
  /** The four bytes of the masking key; the frame is unmasked without. */
  readonly key?: Uint8Array | undefined
  /** The shortest, unless told otherwise. */
  readonly form?: LengthForm
  /** The payload length that the header announces: the payload's, unless told otherwise. */
  readonly announced?: bigint
}

export function buildFrame(parts: FrameParts): Buffer {
  const payload = Buffer.from(parts.payload ?? '')
  if (parts.key === undefined) return Buffer.concat([buildHeader(parts, payload.length), payload])
  return Buffer.concat([buildHeader(parts, payload.length), parts.key, applyMask(payload, parts.key)])
}

export function applyMask(payload: Uint8Array, key: Uint8Array): Buffer {
  const masked = Buffer.alloc(payload.length)
  for (let at = 0; at < masked.length; at++) masked[at] = (payload[at] ?? 0) ^ (key[at & 3] ?? 0)
  return masked
}

/** A masked frame, as an ordinary client sends it. */
export function masked(opcode: number, payload: string | Uint8Array = '', fin = true): Buffer {
  const body = Buffer.from(payload)
  return buildFrame({ opcode, payload: body, fin, key: Buffer.of(0x5a, 0x17, 0xc3, body.length & 0xff) })
}

/** A masked Close frame. */
export function close(code?: number, reason = ''): Buffer {
  if (code === undefined) return masked(CLOSE)
  return masked(CLOSE, Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)]))
}

/** The header without its masking key. */
function buildHeader({ opcode, fin = true, reserved = 0, key, form, announced }: FrameParts, bytes: number): Buffer {
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  return header(first, key === undefined ? 0 : 0x80, announced ?? BigInt(bytes), form)
}

/** A header without its masking key, from its first byte, its mask bit (0x80 or 0) and the length that it announces. */
export function header(first: number, mask: number, announced: number | bigint, form?: LengthForm): Buffer {
  const length = BigInt(announced)
  switch (form ?? shortestForm(length)) {
    case 7:
      return Buffer.of(first, mask | Number(length))
    case 16: {
      const bytes = Buffer.of(first, mask | 126, 0, 0)
      bytes.writeUInt16BE(Number(length), 2)
      return bytes
    }
    case 64: {
      const bytes = Buffer.of(first, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0)
      bytes.writeBigUInt64BE(length, 2)
      return bytes
    }
  }
}

function shortestForm(length: bigint): LengthForm {
  if (length <= 125n) return 7
  return length <= 65535n ? 16 : 64
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
