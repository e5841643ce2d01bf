// A message encoded once, as a server sends it, to be sent to many: its frame lies in the codec's memory until nobody
// has it any more.
import { Buffer } from 'node:buffer'
import { callerError } from '../../checks/errors.js'
import { codecOfThread, heapOfThread, OutOfMemory } from '../../codec/codec.js'
import { Message } from '../message.js'
import { DeflatedForm } from './deflatedForm.js'
import { deflatedFrames } from './deflatedFrames.js'
import { bytesOf, encoderOfThread, type Frame, firstOf } from './encoder.js'

const collected = new FinalizationRegistry<{ release(): void }>((memory) => memory.release())

/** What only millrace itself may do with a prepared message. They are not its methods: every program could reach those. @internal */
interface PreparedInternals {
  /** The payload where it lies. */
  bytes(message: PreparedMessage): Uint8Array
  /** The encoded frame. Throws an Error for a message that is released, and OutOfMemory where it can't be encoded. */
  frame(message: PreparedMessage): Frame
  /** The same, compressed. Throws as `frame` does. */
  deflated(message: PreparedMessage): Frame
  /** A long message as it is compressed elsewhere, once. Throws as `frame` does. */
  form(message: PreparedMessage): DeflatedForm
}

let internals: PreparedInternals

/**
 * A message that `prepare` has encoded. It belongs to the thread that made it. Its memory is freed when you release it,
 * or when the garbage collector finds that nobody uses it any more.
 */
export class PreparedMessage {
  /** Whether this is a text message. Otherwise it is binary. */
  readonly isText: boolean
  /** The length of the payload in bytes. */
  readonly byteLength: number
  #frame: Frame | undefined
  #deflated: Frame | undefined
  #form: DeflatedForm | undefined
  /** The payload, if there was no memory to encode it: the next `send` tries again. */
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
      deflated(message) {
        if (message.#deflated !== undefined) return message.#deflated
        const { memory, length } = internals.frame(message)
        const row = { pointer: memory.pointer, end: memory.pointer + length, threshold: 0 }
        const frame = deflatedFrames(heapOfThread(), row)
        message.#deflated = frame
        collected.register(message, frame.memory, message)
        return frame
      },
      form(message) {
        if (message.#form !== undefined) return message.#form
        const { memory, length } = internals.frame(message)
        const form = new DeflatedForm(memory, memory.pointer, length)
        message.#form = form
        collected.register(message, form, message)
        return form
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

  /** Frees the memory now instead of at the next garbage collection. After this, the message can no longer be sent. */
  release(): void {
    collected.unregister(this)
    this.#frame?.memory.release()
    this.#frame = undefined
    this.#deflated?.memory.release()
    this.#deflated = undefined
    this.#form?.release()
    this.#form = undefined
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
 * Encodes a message once, so that it can be sent to many connections of this thread. Throws a TypeError for anything
 * that can't be sent, and an Error for a Message whose handler has returned. If no memory is left, the message is
 * encoded when it is sent.
 * @example
 * ```js
 * import { createServer, prepare } from 'millrace'
 *
 * const server = createServer()
 * const news = prepare('news')
 * for (const connection of server.connections) connection.send(news)
 * news.release()
 * ```
 */
export function prepare(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Message): PreparedMessage {
  if (data instanceof Message) return new PreparedMessage(data.view, data.isText)
  if (typeof data === 'string') return new PreparedMessage(Buffer.from(data), true)
  return new PreparedMessage(bytesOf(data), false)
}
