// A message encoded once, to be sent to many: its frame lies in the codec's memory until nobody has it any more.
import { Buffer } from 'node:buffer'
import { type Codec, codecOfThread, type Heap, heapOfThread } from '../codec/codec.js'
import { FIN, OPCODE_BINARY, OPCODE_TEXT } from '../codec/wasm.generated.js'
import { bytesOf, LONGEST_HEADER } from './framing.js'
import { Message } from './message.js'
import { SharedBlock } from './sharedBlock.js'

/** An encoded frame, and its memory. */
interface Frame {
  readonly memory: SharedBlock
  readonly length: number
}

function encode(codec: Codec, heap: Heap, opcode: number, payload: Uint8Array): Frame {
  const memory = new SharedBlock(heap, payload.length + LONGEST_HEADER)
  const header = codec.call.header(memory.pointer, FIN | opcode, payload.length)
  codec.write(memory.pointer + header, payload)
  return { memory, length: header + payload.length }
}

const collected = new FinalizationRegistry<SharedBlock>((memory) => memory.release())

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
    this.#frame = encode(codecOfThread(), heapOfThread(), isText ? OPCODE_TEXT : OPCODE_BINARY, payload)
    collected.register(this, this.#frame.memory, this)
  }

  /** Frees its memory now, and not when the garbage collector comes by. It can't be sent after this. */
  release(): void {
    collected.unregister(this)
    this.#frame?.memory.release()
    this.#frame = undefined
  }

  /** The payload where it lies. @internal */
  static bytes(message: PreparedMessage): Uint8Array {
    const { memory, length } = PreparedMessage.frame(message)
    const end = memory.pointer + length
    return codecOfThread().bytes.subarray(end - message.byteLength, end)
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
