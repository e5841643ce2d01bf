// The words in which the other rooms speak of frames (RFC 6455, section 5.2): the bits and opcodes of a header, its
// length, and what the frame table says of a frame.
import type { Buffer } from 'node:buffer'
import {
  INFO_ASCII,
  INFO_COMPRESSED,
  INFO_MARK,
  INFO_OPCODE,
  INFO_PART,
  INFO_REGION,
  LONGEST_7_BIT,
  LONGEST_16_BIT,
  OPCODE_BINARY,
  OPCODE_TEXT,
} from './wasm.generated.js'

export {
  FIN,
  LONGEST_7_BIT,
  LONGEST_16_BIT,
  MASKED,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  RSV1,
} from './wasm.generated.js'

/** Bytes of a masking key. */
export const KEY_BYTES = 4

/** Bytes of the longest header, with and without a masking key. */
export const LONGEST_HEADER = 10
export const LONGEST_MASKED_HEADER = LONGEST_HEADER + KEY_BYTES

/** Bytes of the header for a payload of `length` bytes, without a masking key. */
export function headerBytes(length: number): number {
  if (length <= LONGEST_7_BIT) return 2
  return length <= LONGEST_16_BIT ? 4 : 10
}

/** Bytes of the payload of the frame without a masking key whose header lies at `pointer`. */
export function payloadBytes(bytes: Buffer, pointer: number): number {
  const length = bytes[pointer + 1] ?? 0
  if (length <= LONGEST_7_BIT) return length
  return length === LONGEST_7_BIT + 1 ? bytes.readUInt16BE(pointer + 2) : Number(bytes.readBigUInt64BE(pointer + 2))
}

/** The opcode of the frame or of the message. */
export function opcodeOf(info: number): number {
  return info & INFO_OPCODE
}

export function isText(info: number): boolean {
  return (info & INFO_OPCODE) === OPCODE_TEXT
}

/** Whether the payload is text and every byte of it is below 0x80. */
export function isAscii(info: number): boolean {
  return (info & INFO_ASCII) !== 0
}

/** Whether the payload is compressed (RFC 7692, section 6). */
export function isCompressed(info: number): boolean {
  return (info & INFO_COMPRESSED) !== 0
}

/** Whether the payload lies in the message's own region, not where it was read. */
export function isInRegion(info: number): boolean {
  return (info & INFO_REGION) !== 0
}

/** What the frame table would say of a whole message that was compressed, once it has been inflated. */
export function messageInfo(text: boolean, ascii: boolean, region: boolean): number {
  const type = text ? OPCODE_TEXT | (ascii ? INFO_ASCII : 0) : OPCODE_BINARY
  return type | (region ? INFO_REGION : 0) | INFO_COMPRESSED
}

/** Whether it is a part of a streamed message of which more follows. */
export function isPart(info: number): boolean {
  return (info & INFO_PART) !== 0
}

/** Whether a frame ends there that is not the last of its message; see INFO_MARK. */
export function isMark(info: number): boolean {
  return (info & INFO_MARK) !== 0
}
