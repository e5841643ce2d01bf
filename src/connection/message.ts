// A message as the handler sees it. Its bytes lie in shared memory that is used again as soon as the handler returns,
// so every access goes through here: what is no longer there is refused, never another peer's bytes.
import { callerError } from '../checks/errors.js'
import type { Codec, Region } from '../codec/codec.js'
import { isAscii, isText } from '../codec/frames.js'
import type { OwnBytes } from '../codec/ownBytes.js'
import { parseJson } from '../protocol/invalidJson.js'
import { ConnectionEnded } from './ended.js'

/** In the place of a pointer: the payload was given up, as its connection has ended and its memory was needed. */
const LOST = -1

/** In the place of a pointer: the payload is no longer in the codec's memory, and only a copy may be left. */
const GONE = -2

/** The connection that a message came from. Its identity tells it from others. @internal */
export interface MessageSource {
  readonly codec: Codec
}

/** What only millrace itself may do with a message. They are not its methods: every program could reach those. @internal */
interface MessageInternals {
  /** Where the payload lies in the codec's memory; 0 if only its copy is left. */
  pointer(message: Message): number
  /** The region that the payload lies in, if it has one. */
  region(message: Message): Region | undefined
  /**
   * Calls `use` with what `pointer` says. Until it returns the payload stays there, even if `use` asks for memory for which
   * this very message is given up: otherwise whatever gets that memory would be read in its place.
   */
  hold(message: Message, use: (pointer: number) => void): void
  /** Keeps the message usable while its handler's promise is pending; returns the bytes copied for that. */
  keep(message: Message): number
  /** The bytes that a copy of the payload would cost; 0 if there is one. */
  copyCost(message: Message): number
  /** Gives up the payload, and says so to those who ask for it. What `bytes` has given is the application's own. */
  lose(message: Message): void
  /** The connection has ended, but not its handler: moves the payload out of the codec's memory. */
  detach(message: Message): void
  /** The handler is done with it. */
  release(message: Message): void
}

let internals: MessageInternals

/**
 * A message from a client, as your handler sees it. It can be read until the handler returns or, if the handler returns
 * a promise, until that promise settles.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 *
 * const server = createServer({
 *   message(connection, message) {
 *     if (!message.isText) return connection.close(1003, 'only text, please')
 *     const { name } = message.json()
 *     connection.send(`hello ${name}`)
 *   },
 * })
 * ```
 */
export class Message {
  /** The length of the payload in bytes. */
  readonly byteLength: number
  readonly #info: number
  readonly #source: MessageSource
  #pointer: number
  #region: Region | undefined
  #copy: OwnBytes | undefined

  static {
    internals = {
      pointer(message) {
        return message.#pointer < 0 ? withoutPointer(message.#pointer, message.#copy) : message.#pointer
      },
      region(message) {
        return message.#region
      },
      hold(message, use) {
        const pointer = internals.pointer(message)
        const region = message.#region
        region?.retain()
        try {
          use(pointer)
        } finally {
          region?.release()
        }
      },
      keep(message) {
        if (message.#region !== undefined) return 0
        const copied = internals.copyCost(message)
        message.#copy ??= copyOf(message.#source, message.#pointer, message.byteLength)
        message.#pointer = GONE
        return copied
      },
      copyCost(message) {
        return message.#copy === undefined ? message.byteLength : 0
      },
      lose(message) {
        message.#copy = undefined
        message.#pointer = LOST
        internals.release(message)
      },
      detach(message) {
        if (message.#region === undefined) return
        message.#copy ??= copyOf(message.#source, message.#pointer, message.byteLength)
        internals.release(message)
      },
      release(message) {
        if (message.#pointer !== LOST) message.#pointer = GONE
        message.#region?.release()
        message.#region = undefined
      },
    }
  }

  /** Made by a connection. @internal */
  constructor(source: MessageSource, info: number, pointer: number, length: number, region: Region | undefined) {
    this.byteLength = length
    this.#source = source
    this.#info = info
    this.#pointer = pointer
    this.#region = region
  }

  /** Whether this is a text message. Otherwise it is binary. */
  get isText(): boolean {
    return isText(this.#info)
  }

  /**
   * The payload as a string, decoded from UTF-8. Throws an Error when the message can no longer be read, unless you
   * have asked for `bytes` before. A message can no longer be read when its handler is done with it; if its connection
   * has ended, also when its memory is needed for others.
   */
  text(): string {
    if (this.#copy !== undefined) return this.#copy.toString('utf8')
    const { bytes } = codecFor(this.#source, this.#pointer)
    const end = this.#pointer + this.byteLength
    // The codec has seen every byte: ASCII needs no decoding.
    return bytes.toString(isAscii(this.#info) ? 'latin1' : 'utf8', this.#pointer, end)
  }

  /**
   * The payload, parsed as JSON. Throws a SyntaxError if the payload is not JSON. That is the client's fault, so if the
   * error leaves a handler of the connection that sent it, that connection is closed with 1007. Throws an Error when
   * the message can no longer be read.
   */
  json<Value = unknown>(): Value {
    return parseJson(this.text(), this.#source)
  }

  /**
   * The payload in memory of its own, which is yours to keep. It is copied when you first ask for it. Throws an Error
   * when the message can no longer be read.
   */
  get bytes(): OwnBytes {
    this.#copy ??= copyOf(this.#source, this.#pointer, this.byteLength)
    return this.#copy
  }

  /**
   * The payload where it lies, without a copy. It is valid only until the handler returns, and not after an `await`:
   * then it shows bytes of other messages. The memory is shared, so some APIs do not accept it; use `bytes` for them.
   */
  get view(): Uint8Array {
    return this.#copy ?? codecFor(this.#source, this.#pointer).view(this.#pointer, this.byteLength)
  }
}

// Functions, and not methods: private methods would cost each message a field and a step of its construction.

/** The codec in whose memory the payload lies. Throws an Error if it lies there no longer. */
function codecFor(source: MessageSource, pointer: number): Codec {
  if (pointer < 0) throw goneError(pointer)
  return source.codec
}

function copyOf(source: MessageSource, pointer: number, length: number): OwnBytes {
  return codecFor(source, pointer).copyOf(pointer, length)
}

/** Stands for the address of a payload that is only in its copy. Throws an Error without one. */
function withoutPointer(pointer: number, copy: OwnBytes | undefined): 0 {
  if (copy === undefined) throw goneError(pointer)
  return 0
}

function goneError(pointer: number): Error {
  if (pointer === LOST)
    return new ConnectionEnded('the handler was done, and the message is gone: its memory was needed')
  return callerError(
    'ERR_MESSAGE_GONE',
    'the message is gone: its handler has returned. Ask for message.bytes in the handler to keep it, or return a promise',
  )
}

/** @internal */
export const messageInternals: MessageInternals = internals
