// Builds outgoing frames where they leave from: in the outbox, in a waiting block, or in front of a region's payload.
import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { callerError } from '../checks/errors.js'
import type { Codec } from '../codec/codec.js'
import { FIN, LONGEST_7_BIT, LONGEST_16_BIT, OPCODE_BINARY, OPCODE_TEXT } from '../codec/frames.js'
import { Message } from './message.js'
import { LONGEST_COPIED, type Outgoing } from './outgoing.js'

/** An unmasked header takes 2, 4 or 10 bytes. */
export const LONGEST_HEADER = 10
/** Up to this many UTF-16 units, room for the worst case costs less than counting the bytes first. */
const SHORT_STRING = 4096

/** Where frames are built. */
export interface FrameBuffer {
  /** Where a frame of at most `length` bytes may be built; `commit` must follow, before anything else. */
  reserve(length: number): number
  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(pointer: number, length: number): void
}

/** A text frame, or a fragment of one: `first` is its first byte. Lone surrogates become U+FFFD. */
export function frameText(codec: Codec, buffer: FrameBuffer, first: number, text: string): void {
  const most = mostBytes(text)
  const pointer = buffer.reserve(most + LONGEST_HEADER)
  const { bytes, call } = codec // not before: the memory may have grown
  // The guess is right for ASCII; where it is wrong, the payload moves by a few bytes.
  let header = headerBytes(text.length)
  const length = bytes.write(text, pointer + header, most, 'utf8')
  if (headerBytes(length) !== header) {
    call.copy(pointer + headerBytes(length), pointer + header, length)
    header = headerBytes(length)
  }
  call.header(pointer, first, length)
  buffer.commit(pointer, header + length)
}

/** A frame around bytes of the application; `first` is its first byte. */
export function frameBytes(codec: Codec, buffer: FrameBuffer, first: number, payload: Uint8Array): void {
  const pointer = buffer.reserve(payload.length + LONGEST_HEADER)
  const header = codec.call.header(pointer, first, payload.length)
  codec.write(pointer + header, payload)
  buffer.commit(pointer, header + payload.length)
}

/** A frame around bytes of the codec's memory. */
export function framePayload(
  { call }: Codec,
  buffer: FrameBuffer,
  opcode: number,
  source: number,
  length: number,
): void {
  const pointer = buffer.reserve(length + LONGEST_HEADER)
  buffer.commit(pointer, call.frame(pointer, FIN | opcode, source, length))
}

/** A message that was received, sent on without a copy of JavaScript's; from its region where it lies. */
export function frameMessage(codec: Codec, outgoing: Outgoing, message: Message): void {
  const region = Message.region(message)
  // What came in fragments lies in a region however short it is; to send that from there would cost more than a copy.
  if (region === undefined || message.byteLength <= LONGEST_COPIED) return copyMessage(codec, outgoing, message)
  const length = message.byteLength
  const pointer = Message.pointer(message)
  // The header goes into the region's headroom; it is the same for everyone the message is sent to.
  const header = headerBytes(length)
  codec.call.header(pointer - header, FIN | opcodeOf(message), length)
  outgoing.addShared(region, pointer - header, header + length)
}

/** A message that was received, copied: within the codec's memory, where that is what it still lies in. */
export function copyMessage(codec: Codec, buffer: FrameBuffer, message: Message): void {
  const pointer = Message.pointer(message)
  if (pointer === 0) frameBytes(codec, buffer, FIN | opcodeOf(message), message.bytes)
  else framePayload(codec, buffer, opcodeOf(message), pointer, message.byteLength)
}

function opcodeOf({ isText }: Message): number {
  return isText ? OPCODE_TEXT : OPCODE_BINARY
}

/** Room enough for a text in UTF-8. */
export function mostBytes(text: string): number {
  return text.length <= SHORT_STRING ? text.length * 3 : Buffer.byteLength(text)
}

/** The bytes of what an application sends, whichever realm made them. Throws a TypeError for what is none. */
export function bytesOf(data: ArrayBufferView | ArrayBuffer | SharedArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  // With its length: another thread may make the memory longer while its frame is built.
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data, 0, data.byteLength)
  throw callerError(
    'ERR_ARGUMENT_KIND',
    `cannot send ${data === null ? 'null' : typeof data}: use a string, bytes or a Message`,
  )
}

function headerBytes(length: number): number {
  if (length <= LONGEST_7_BIT) return 2
  return length <= LONGEST_16_BIT ? 4 : 10
}
