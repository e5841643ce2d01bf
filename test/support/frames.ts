// Frames built in plain JavaScript, right or wrong in any way a header can be (RFC 6455, section 5.2).

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

/** The header without its masking key. */
function buildHeader({ opcode, fin = true, reserved = 0, key, form, announced }: FrameParts, bytes: number): Buffer {
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  const mask = key === undefined ? 0 : 0x80
  const length = announced ?? BigInt(bytes)
  switch (form ?? shortestForm(length)) {
    case 7:
      return Buffer.of(first, mask | Number(length))
    case 16: {
      const header = Buffer.of(first, mask | 126, 0, 0)
      header.writeUInt16BE(Number(length), 2)
      return header
    }
    case 64: {
      const header = Buffer.of(first, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0)
      header.writeBigUInt64BE(length, 2)
      return header
    }
  }
}

function shortestForm(length: bigint): LengthForm {
  if (length <= 125n) return 7
  return length <= 65535n ? 16 : 64
}
