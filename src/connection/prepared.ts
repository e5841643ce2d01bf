// A message encoded once, to be sent to many: its frame lies in the codec's memory until nobody has it any more.
import { Buffer } from 'node:buffer'
import { type Codec, codecOfThread, type Heap, heapOfThread } from '../codec/codec.js'
import type { Block } from '../codec/heap.js'
import { FIN, OPCODE_BINARY, OPCODE_TEXT } from '../codec/wasm.generated.js'
import { bytesOf } from './framing.js'
import { Message } from './message.js'

/** An unmasked header takes at most 10 bytes. */
const LONGEST_HEADER = 10

/** A frame and its users: the message itself, and each unfinished write. */
class Frame {
  readonly block: Block
  readonly length: number
  readonly #heap: Heap
  #users = 1

  constructor(codec: Codec, heap: Heap, opcode: number, payload: Uint8Array) {
    this.#heap = heap
    this.block = heap.allocate(payload.length + LONGEST_HEADER)
    const { pointer } = this.block
    const header = codec.call.header(pointer, FIN | opcode, payload.length)
    codec.bytes.set(payload, pointer + header)
    this.length = header + payload.length
  }

  retain(): void {
    this.#users++
  }

  release(): void {
    if (--this.#users === 0) this.#heap.free(this.block)
  }
}

const collected = new FinalizationRegistry<Frame>((frame) => frame.release())

/** A message that is encoded. Belongs to the thread that made it; its memory is free when it is garbage, or released. */
export class PreparedMessage {
  /** Whether it is a text message; otherwise it is binary. */
  readonly isText: boolean
  /** Payload length in bytes. */
  readonly byteLength: number
  #frame: Frame | undefined

  /** Made by `prepare`. @internal */
  constructor(payload: Uint8Array, isText: boolean) {
    this.isText = isText
    this.byteLength = payload.length
    this.#frame = new Frame(codecOfThread(), heapOfThread(), isText ? OPCODE_TEXT : OPCODE_BINARY, payload)
    collected.register(this, this.#frame, this)
  }

  /** Frees its memory now, and not when the garbage collector comes by. It can't be sent after this. */
  release(): void {
    collected.unregister(this)
    this.#frame?.release()
    this.#frame = undefined
  }

  /** The payload of a message, or the message itself if it is binary. @internal */
  static payload(message: PreparedMessage): string | Uint8Array {
    const { block, length } = PreparedMessage.frame(message)
    const start = block.pointer + length - message.byteLength
    const payload = codecOfThread().bytes.subarray(start, start + message.byteLength)
    return message.isText ? payload.toString('utf8') : payload
  }

  /** The encoded frame. Throws an Error for a message that is released. @internal */
  static frame(message: PreparedMessage): Frame {
    if (message.#frame === undefined) throw new Error('the prepared message is released')
    return message.#frame
  }
}

/**
 * Encodes a message once, to be sent to many connections of this thread: `connection.send(prepare('news'))`.
 * Throws a TypeError for anything that can't be sent, and an Error for a Message whose handler has returned.
 */
export function prepare(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Message): PreparedMessage {
  if (data instanceof Message) return new PreparedMessage(data.view, data.isText)
  if (typeof data === 'string') return new PreparedMessage(Buffer.from(data), true)
  return new PreparedMessage(bytesOf(data), false)
}
