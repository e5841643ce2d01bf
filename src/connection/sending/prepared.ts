// A message encoded once, as a server sends it, to be sent to many: its frame lies in the codec's memory until nobody
// has it any more.
import { Buffer } from 'node:buffer'
import { callerError } from '../../checks/errors.js'
import { codecOfThread, heapOfThread, OutOfMemory } from '../../codec/codec.js'
import type { SharedBlock } from '../../memory/sharedBlock.js'
import { Message } from '../message.js'
import { bytesOf, encoderOfThread, type Frame, firstOf } from './encoder.js'

const collected = new FinalizationRegistry<SharedBlock>((memory) => memory.release())

/** What only millrace itself may do with a prepared message. They are not its methods: every program could reach those. @internal */
interface PreparedInternals {
  /** The payload where it lies. */
  bytes(message: PreparedMessage): Uint8Array
  /** The encoded frame. Throws an Error for a message that is released, and OutOfMemory where it can't be encoded. */
  frame(message: PreparedMessage): Frame
}

let internals: PreparedInternals

/** A message that is encoded. Belongs to the thread that made it; its memory is free when it is garbage, or released. */
export class PreparedMessage {
  /** Whether it is a text message; otherwise it is binary. */
  readonly isText: boolean
  /** Payload length in bytes. */
  readonly byteLength: number
  #frame: Frame | undefined
  /** The payload where there was no memory to encode it: whoever sends it tries again. */
  #payload: Uint8Array | undefined

  static {
    internals = {
      bytes(message) {
        if (message.#payload !== undefined) return message.#payload
        const { memory, length } = internals.frame(message)
        const end = memory.pointer + length
        return codecOfThread().bytes.subarray(end - message.byteLength, end)
      },
      frame(message) {
        if (message.#frame !== undefined) return message.#frame
        if (message.#payload === undefined)
          throw callerError('ERR_PREPARED_RELEASED', 'the prepared message is released')
        return message.#encode(message.#payload)
      },
    }
  }

  /** Made by `prepare`. @internal */
  constructor(payload: Uint8Array, isText: boolean) {
    this.isText = isText
    this.byteLength = payload.length
    try {
      this.#encode(payload)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      this.#payload = Buffer.from(payload)
    }
  }

  /** Frees its memory now, and not when the garbage collector comes by. It can't be sent after this. */
  release(): void {
    collected.unregister(this)
    this.#frame?.memory.release()
    this.#frame = undefined
    this.#payload = undefined
  }

  #encode(payload: Uint8Array): Frame {
    const frame = encoderOfThread('server').alone(heapOfThread(), firstOf(this), payload)
    this.#frame = frame
    this.#payload = undefined
    collected.register(this, frame.memory, this)
    return frame
  }
}

/** @internal */
export const preparedInternals: PreparedInternals = internals

/**
 * Encodes a message once, to be sent to many connections of this thread: `connection.send(prepare('news'))`.
 * Throws a TypeError for anything that can't be sent, and an Error for a Message whose handler has returned. Where there is
 * no memory left for it, it is encoded when it is sent.
 */
export function prepare(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Message): PreparedMessage {
  if (data instanceof Message) return new PreparedMessage(data.view, data.isText)
  if (typeof data === 'string') return new PreparedMessage(Buffer.from(data), true)
  return new PreparedMessage(bytesOf(data), false)
}
