// Builds all frames that are sent: nothing else does. A frame is built where it leaves from: in the outbox, in a waiting
// block, in memory of its own, or in front of a region's payload. A client masks each frame with a key of its own (RFC 6455,
// section 5.3). The caller gives a frame's first byte: FIN, the opcode and, for an extension, RSV1.
import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { callerError } from '../../checks/errors.js'
import { type Codec, codecOfThread, type Heap, type Region } from '../../codec/codec.js'
import {
  FIN,
  headerBytes,
  KEY_BYTES,
  LONGEST_HEADER,
  LONGEST_MASKED_HEADER,
  OPCODE_BINARY,
  OPCODE_TEXT,
} from '../../codec/frames.js'
import { SharedBlock } from '../../memory/sharedBlock.js'
import type { Role } from '../../protocol/role.js'
import { type Message, messageInternals } from '../message.js'
import type { FrameBuffer } from './frameBuffer.js'
import { type KeySource, MaskingKeys } from './maskingKeys.js'
import type { Outgoing } from './outgoing.js'
import { LONGEST_COPIED } from './outgoingShared.js'

export type { FrameBuffer }

/** Up to this many UTF-16 units, room for the worst case costs less than counting the bytes first. */
const SHORT_STRING = 4096

/** The most room that a compressed frame is built in where it leaves from: it may need all of it, or next to nothing. */
const LONGEST_ROOM = 32_768

/** Whatever compresses for a connection, or for many. */
export interface Compressor {
  /** Where memory comes from. */
  readonly heap: Heap
  /** Bytes of room in which `length` bytes have their place, whatever they are. */
  bound(length: number): number
  /** Compresses what lies at `source`, and writes it to `target`; `last` is the end of a message. */
  deflate(source: number, length: number, target: number, room: number, last: boolean): number
  /** Bytes that were written. */
  readonly written: number
}

/** An encoded frame in memory of its own. */
export interface Frame {
  readonly memory: SharedBlock
  readonly length: number
}

export class Encoder {
  readonly role: Role
  readonly #codec: Codec
  /** The masking keys, if this side is a client. */
  readonly #keys: KeySource | undefined
  readonly #keyBytes: number
  readonly #longestHeader: number

  /** `keys` has a client's masking keys; by default they are random. */
  constructor(codec: Codec, role: Role, keys?: KeySource) {
    const masks = role === 'client'
    this.role = role
    this.#codec = codec
    this.#keys = masks ? (keys ?? new MaskingKeys()) : undefined
    this.#keyBytes = masks ? KEY_BYTES : 0
    this.#longestHeader = masks ? LONGEST_MASKED_HEADER : LONGEST_HEADER
  }

  /** Whether each frame has a masking key of its own, so that no frame can be sent twice, or to two peers. */
  get masks(): boolean {
    return this.#keys !== undefined
  }

  /** A frame is about to be built: whoever makes its masking key may still build others. */
  prepare(): void {
    this.#keys?.prepare?.()
  }

  /** A frame around text. Lone surrogates become U+FFFD. */
  text(buffer: FrameBuffer, first: number, text: string): void {
    const most = mostBytes(text)
    const pointer = buffer.reserve(most + this.#longestHeader)
    const { bytes, call } = this.#codec // read after `reserve`, which may have made the memory grow
    // The guess is right for ASCII; where it is wrong, the payload moves by a few bytes.
    const guess = headerBytes(text.length) + this.#keyBytes
    // If there are as many bytes as units, the text is ASCII: then V8 need not look for anything else.
    const length = bytes.write(text, pointer + guess, most, most === text.length ? 'latin1' : 'utf8')
    const header = headerBytes(length) + this.#keyBytes
    if (header !== guess) call.copy(pointer + header, pointer + guess, length)
    this.#around(pointer, first, header, length)
    buffer.commit(pointer, header + length)
  }

  /** A frame around bytes of the application. */
  bytes(buffer: FrameBuffer, first: number, payload: Uint8Array): void {
    const pointer = buffer.reserve(payload.length + this.#longestHeader)
    buffer.commit(pointer, this.#build(pointer, first, payload))
  }

  /** A frame around bytes of the codec's memory. */
  payload(buffer: FrameBuffer, first: number, source: number, length: number): void {
    const pointer = buffer.reserve(length + this.#longestHeader)
    const { call } = this.#codec
    const bytes =
      this.#keys === undefined
        ? call.frame(pointer, first, source, length)
        : call.maskedFrame(pointer, first, source, length, this.#keys.next())
    buffer.commit(pointer, bytes)
  }

  /** A frame around what `deflater` makes of bytes in the codec's memory; `first` has FIN if they end their message. */
  deflated(buffer: FrameBuffer, first: number, source: number, length: number, deflater: Compressor): void {
    const room = deflater.bound(length)
    if (room > LONGEST_ROOM) return this.#draft(buffer, first, source, length, deflater)
    const pointer = buffer.reserve(room + this.#longestHeader)
    // Few bytes are moved where the guess is wrong: what is compressed is short.
    const guess = headerBytes(length) + this.#keyBytes
    deflater.deflate(source, length, pointer + guess, room, (first & FIN) !== 0)
    const bytes = deflater.written
    const { call } = this.#codec
    const header = headerBytes(bytes) + this.#keyBytes
    if (header !== guess) call.copy(pointer + header, pointer + guess, bytes)
    this.#around(pointer, first, header, bytes)
    buffer.commit(pointer, header + bytes)
  }

  /** The same of a long message, in memory of its own first: the frame may wait, and must not hold room that it does not need. */
  #draft(buffer: FrameBuffer, first: number, source: number, length: number, deflater: Compressor): void {
    const room = deflater.bound(length)
    const draft = deflater.heap.allocate(room)
    try {
      deflater.deflate(source, length, draft.pointer, room, (first & FIN) !== 0)
      this.payload(buffer, first, draft.pointer, deflater.written)
    } finally {
      deflater.heap.free(draft)
    }
  }

  /** A fragment of a message (section 5.4); `opcode` is the message's, or that of a continuation. */
  fragment(buffer: FrameBuffer, opcode: number, payload: string | Uint8Array, last: boolean): void {
    const first = last ? FIN | opcode : opcode
    if (typeof payload === 'string') this.text(buffer, first, payload)
    else this.bytes(buffer, first, payload)
  }

  /** A control frame (section 5.5). */
  control(buffer: FrameBuffer, opcode: number, payload: Uint8Array): void {
    this.bytes(buffer, FIN | opcode, payload)
  }

  /**
   * A received message that is sent on, whose payload lies at `pointer` (0 if only its copy is left): from its region where
   * it lies, otherwise copied within the codec's memory.
   */
  message(outgoing: Outgoing, message: Message, pointer: number): void {
    const region = messageInternals.region(message)
    // Most messages are copied: this runs for each of them, so what is rare stands apart.
    if (region !== undefined || pointer === 0 || this.#keys !== undefined)
      return this.#messageElse(outgoing, message, region)
    const { byteLength } = message
    const target = outgoing.reserve(byteLength + LONGEST_HEADER)
    outgoing.commit(target, this.#codec.call.frame(target, firstOf(message), pointer, byteLength))
  }

  #messageElse(outgoing: Outgoing, message: Message, region: Region | undefined): void {
    // A message in fragments lies in a region, however short it is; to send a short one from there would cost more than a
    // copy. A client copies, too, because it masks what it sends, and others may read the region.
    const length = message.byteLength
    if (region === undefined || length <= LONGEST_COPIED || this.masks) return this.messageCopied(outgoing, message)
    // The header goes into the region's headroom; it is the same for everyone the message is sent to.
    const header = headerBytes(length)
    this.#codec.call.header(region.pointer - header, firstOf(message), length)
    outgoing.addShared(region, region.pointer - header, header + length)
  }

  /** A copy of a received message: within the codec's memory, if the message still lies there. */
  messageCopied(buffer: FrameBuffer, message: Message): void {
    messageInternals.hold(message, (pointer) => {
      if (pointer === 0) this.bytes(buffer, firstOf(message), message.bytes)
      else this.payload(buffer, firstOf(message), pointer, message.byteLength)
    })
  }

  /** A frame in memory of its own. Throws OutOfMemory. */
  alone(heap: Heap, first: number, payload: Uint8Array): Frame {
    const memory = new SharedBlock(heap, payload.length + this.#longestHeader)
    return { memory, length: this.#build(memory.pointer, first, payload) }
  }

  /** A copy of a server's frame that carries `message`; a client masks its payload anew. */
  again(buffer: FrameBuffer, { memory, length }: Frame, message: { isText: boolean; byteLength: number }): void {
    const { byteLength } = message
    if (this.masks) return this.payload(buffer, firstOf(message), memory.pointer + length - byteLength, byteLength)
    const target = buffer.reserve(length)
    this.#codec.call.copy(target, memory.pointer, length)
    buffer.commit(target, length)
  }

  #build(pointer: number, first: number, payload: Uint8Array): number {
    const header = headerBytes(payload.length) + this.#keyBytes
    this.#codec.write(pointer + header, payload)
    this.#around(pointer, first, header, payload.length)
    return header + payload.length
  }

  /** Makes a frame of a payload that lies behind the room for its header; a client masks it where it lies. */
  #around(pointer: number, first: number, header: number, length: number): void {
    const { call } = this.#codec
    if (this.#keys === undefined) call.header(pointer, first, length)
    else call.maskedFrame(pointer, first, pointer + header, length, this.#keys.next())
  }
}

/** The first byte of a message that is sent whole. */
export function firstOf({ isText }: { readonly isText: boolean }): number {
  return FIN | (isText ? OPCODE_TEXT : OPCODE_BINARY)
}

/** Room enough for a text in UTF-8. */
export function mostBytes(text: string): number {
  return text.length <= SHORT_STRING ? text.length * 3 : Buffer.byteLength(text)
}

/** The bytes of what an application sends, whichever realm made them. Throws a TypeError for what is none. */
export function bytesOf(data: ArrayBufferView | ArrayBuffer | SharedArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  // The view has a fixed length, because another thread may make the memory longer while the frame is built.
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data, 0, data.byteLength)
  throw callerError(
    'ERR_ARGUMENT_KIND',
    `cannot send ${data === null ? 'null' : typeof data}: use a string, bytes or a Message`,
  )
}

const encoders = new Map<Role, Encoder>()

/** The encoder of this thread for one side, made on first use. */
export function encoderOfThread(role: Role): Encoder {
  const made = encoders.get(role) ?? new Encoder(codecOfThread(), role)
  encoders.set(role, made)
  return made
}
