// What the connections of a load with sequence numbers share: batches whose frames are encoded once, and of which only the stamps
// are written anew, into the masked bytes where they lie.
import { Buffer } from 'node:buffer'
import type { Heap } from '../codec/codec.js'
import type { Answers } from '../codec/counter.js'
import { FIN, headerBytes, KEY_BYTES, OPCODE_BINARY, OPCODE_TEXT, RSV1 } from '../codec/frames.js'
import type { Block } from '../codec/heap.js'
import { halvesOf, ofHalves } from './clock.js'
import { type EncodedMessages, encodeBatch, type PayloadKind, payloadOf } from './payload.js'

/** In front of the stamp in text, so that what is sent looks like the JSON that it is a part of. */
const PREFIX = '{"seq":"'
/** A stamp of text that a server has put into text of its own, in which quotes may be escaped. */
const WRAPPED = /seq\\*":\s*\\*"((?:[\da-f]{16}){1,2})\\*"/
const HEX_WORDS = Array.from({ length: 65_536 }, (_, value) => {
  const digits = value.toString(16).padStart(4, '0')
  return [3, 2, 1, 0].reduce((word, at) => (word << 8) | digits.charCodeAt(at), 0)
})

/** The stamp is the message's number on its connection and the connection's: bytes, or hexadecimal digits in text. */
const BINARY_STAMP = 8
const TEXT_STAMP = 16

function widthOf(kind: PayloadKind, timed: boolean): number {
  return (kind === 'binary' ? BINARY_STAMP : TEXT_STAMP) * (timed ? 2 : 1)
}

/** Whether a message of `size` bytes has room for a stamp, which has a time in it if it is `timed`. */
export function hasRoom(kind: PayloadKind, size: number, timed = false): boolean {
  return size >= widthOf(kind, timed) + (kind === 'binary' ? 0 : PREFIX.length + 2)
}

export class SequenceMaterial {
  readonly heap: Heap
  readonly isText: boolean
  readonly verify: boolean
  readonly batch: EncodedMessages
  readonly payload: Buffer
  /** Where the stamp lies in the payload, and how long it is. */
  readonly offset: number
  readonly width: number
  /** Bytes of an answer's frame, and of its header, and that header as two bytes and the rest. */
  readonly frame: number
  readonly header: number
  readonly first: number
  readonly #timed: boolean
  readonly #stride: number
  readonly #keys: Int32Array
  readonly #free: Block[] = []
  #view: DataView

  /** With `timed`, the time follows the two numbers in the stamp. */
  constructor(heap: Heap, kind: PayloadKind, size: number, messages: number, verify: boolean, timed = false) {
    this.heap = heap
    this.#timed = timed
    this.isText = kind !== 'binary'
    this.verify = verify
    this.payload = stamped(kind, size, widthOf(kind, timed))
    this.offset = this.isText ? PREFIX.length : 0
    this.width = widthOf(kind, timed)
    this.header = headerBytes(size)
    this.frame = this.header + size
    this.first = FIN | (this.isText ? OPCODE_TEXT : OPCODE_BINARY)
    this.#stride = this.header + KEY_BYTES + size
    const encoded = encodeBatch(heap, kind, this.payload, messages)
    // With RSV1 in it, the counter shows all messages, piece by piece.
    const answers: Answers = {
      first: this.first | RSV1,
      length: size,
      pointer: 0,
      compressed: Number.MAX_SAFE_INTEGER,
    }
    this.batch = { ...encoded, answers }
    this.#view = new DataView(heap.codec.bytes.buffer)
    this.#keys = Int32Array.from({ length: messages }, (_, message) =>
      heap.codec.bytes.readInt32LE(encoded.pointer + message * this.#stride + this.header),
    )
  }

  /** The codec's memory, as it is now. */
  get view(): DataView {
    const { buffer } = this.heap.codec.bytes
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer)
    return this.#view
  }

  /** A batch to be stamped, which must be given back. */
  take(): Block {
    const kept = this.#free.pop()
    if (kept !== undefined) return kept
    const { pointer, length } = this.batch
    const block = this.heap.allocate(length)
    this.heap.codec.call.copy(block.pointer, pointer, length)
    return block
  }

  giveBack(block: Block): void {
    this.#free.push(block)
  }

  /** Writes the numbers from `number` on into the frames of a batch, and the time. */
  stamp(block: Block, number: number, connection: number, time = 0): void {
    const [low, high] = halvesOf(time)
    const { view } = this
    const keys = this.#keys
    let at = block.pointer + this.header + KEY_BYTES + this.offset
    for (let message = 0; message < keys.length; message++, at += this.#stride) {
      const key = keys[message] ?? 0
      const value = (number + message) >>> 0
      if (this.isText) {
        view.setInt32(at, word(value >>> 16) ^ key, true)
        view.setInt32(at + 4, word(value & 0xffff) ^ key, true)
        view.setInt32(at + 8, word(connection >>> 16) ^ key, true)
        view.setInt32(at + 12, word(connection & 0xffff) ^ key, true)
        if (!this.#timed) continue
        view.setInt32(at + 16, word(low >>> 16) ^ key, true)
        view.setInt32(at + 20, word(low & 0xffff) ^ key, true)
        view.setInt32(at + 24, word(high >>> 16) ^ key, true)
        view.setInt32(at + 28, word(high & 0xffff) ^ key, true)
      } else {
        view.setInt32(at, value ^ key, true)
        view.setInt32(at + 4, connection ^ key, true)
        if (!this.#timed) continue
        view.setInt32(at + 8, low ^ key, true)
        view.setInt32(at + 12, high ^ key, true)
      }
    }
  }

  /** Whether a frame that begins there may be an answer: its header is that of one. */
  isHeader(view: DataView, at: number): boolean {
    const { first, frame, header } = this
    const size = frame - header
    if (view.getUint8(at) !== first) return false
    if (header === 2) return view.getUint8(at + 1) === size
    if (header === 4) return view.getUint8(at + 1) === 126 && view.getUint16(at + 2) === size
    return view.getUint8(at + 1) === 127 && view.getUint32(at + 2) === 0 && view.getUint32(at + 6) === size
  }

  /** Whether the stamp that lies at `at` is this one. */
  isStamp(view: DataView, at: number, number: number, connection: number): boolean {
    if (!this.isText) return view.getInt32(at, true) === (number | 0) && view.getInt32(at + 4, true) === connection
    return (
      view.getInt32(at + 4, true) === word(number & 0xffff) &&
      view.getInt32(at, true) === word(number >>> 16) &&
      view.getInt32(at + 12, true) === word(connection & 0xffff) &&
      view.getInt32(at + 8, true) === word(connection >>> 16)
    )
  }

  /** The stamp that text has somewhere, as it is in what was sent; undefined if it has none. */
  stampWithin(text: Buffer): Buffer | undefined {
    const [, found = ''] = (this.isText && WRAPPED.exec(text.toString('latin1'))) || []
    return found.length === this.width ? Buffer.from(found, 'latin1') : undefined
  }

  /** The number in a stamp; undefined if it is no stamp of this connection. */
  numberIn(stamp: Buffer, connection: number): number | undefined {
    if (!this.isText) return stamp.readUInt32LE(4) === connection ? stamp.readUInt32LE(0) : undefined
    const text = stamp.toString('latin1', 0, TEXT_STAMP)
    if (!/^[\da-f]{16}$/.test(text) || Number.parseInt(text.slice(8), 16) !== connection) return undefined
    return Number.parseInt(text.slice(0, 8), 16)
  }

  /** The time in a stamp; undefined if it is none. */
  timeIn(stamp: Buffer): number | undefined {
    if (!this.isText) return ofHalves(stamp.readUInt32LE(8), stamp.readUInt32LE(12))
    const text = stamp.toString('latin1', TEXT_STAMP)
    if (!/^[\da-f]{16}$/.test(text)) return undefined
    return ofHalves(Number.parseInt(text.slice(0, 8), 16), Number.parseInt(text.slice(8), 16))
  }

  /** Gives back the batches; none may be on its way any more. */
  free(): void {
    for (const block of this.#free.splice(0)) this.heap.free(block)
  }
}

function word(digits: number): number {
  return HEX_WORDS[digits] ?? 0
}

/** The payload with room for a stamp. */
function stamped(kind: PayloadKind, size: number, width: number): Buffer {
  const payload = payloadOf(kind, size)
  if (kind === 'binary') return payload
  const rest = payloadOf(kind, size - PREFIX.length - width - 2)
  payload.write(`${PREFIX}${'0'.repeat(width)}",`, 'latin1')
  rest.copy(payload, size - rest.length)
  return payload
}
