// Whatever can be sent or published, as a frame and as a payload.
import { Buffer } from 'node:buffer'
import { FIN, LONGEST_HEADER, OPCODE_BINARY, OPCODE_TEXT } from '../../codec/frames.js'
import type { Sendable } from '../connection.js'
import { Message, messageInternals } from '../message.js'
import { bytesOf, type Encoder, type FrameBuffer, mostBytes as mostBytesOfText } from './encoder.js'
import { PreparedMessage, preparedInternals } from './prepared.js'

/** What a fragment of a message may be made of. */
export type FragmentData = string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer

/** The most bytes that its frame may have. Throws, as `send` does, if it can't be sent. */
export function mostBytes(data: Sendable): number {
  if (typeof data === 'string') return mostBytesOfText(data) + LONGEST_HEADER
  if (data instanceof PreparedMessage) return preparedInternals.frame(data).length
  if (data instanceof Message) messageInternals.pointer(data) // throws if the message is gone
  if (data instanceof Message) return data.byteLength + LONGEST_HEADER
  return bytesOf(data).length + LONGEST_HEADER
}

/** Throws, as `send` does, if it can't be sent. */
export function checkSendable(data: Sendable): void {
  if (typeof data !== 'string') mostBytes(data)
}

/** The exact length of its payload, or of the frame that it has already. Throws as `mostBytes` does. */
export function exactBytes(data: Sendable): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : mostBytes(data)
}

/** Builds its frame. */
export function encode(encoder: Encoder, buffer: FrameBuffer, data: Sendable): void {
  if (typeof data === 'string') encoder.text(buffer, FIN | OPCODE_TEXT, data)
  else if (data instanceof PreparedMessage) encoder.again(buffer, preparedInternals.frame(data), data)
  else if (data instanceof Message) encoder.messageCopied(buffer, data)
  else encoder.bytes(buffer, FIN | OPCODE_BINARY, bytesOf(data))
}

/** Whether it is text, or else binary. */
export function isText(data: Sendable): boolean {
  if (data instanceof Message || data instanceof PreparedMessage) return data.isText
  return typeof data === 'string'
}

/** Its payload, which is valid as long as `data` is. */
export function payloadOf(data: Sendable): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Message) return data.view
  if (data instanceof PreparedMessage) return preparedInternals.bytes(data)
  return bytesOf(data)
}
