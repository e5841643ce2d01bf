// A large message as the application's module sees it, in a thread of the pool: a view of the shared region, copied
// nowhere. It is gone when the function that got it has returned.
import { Buffer } from 'node:buffer'
import { callerError } from '../checks/errors.js'
import type { OwnBytes } from '../codec/ownBytes.js'
import { parseJson } from '../protocol/invalidJson.js'

/** What only millrace itself may do with a large message. They are not its methods: every program could reach those. @internal */
interface LargeMessageInternals {
  /** The function has returned. */
  release(message: LargeMessage): void
}

let internals: LargeMessageInternals

/**
 * A large message, as the module of the option `large` gets it. It can be read until the function returns or, if the
 * function returns a promise, until that promise settles.
 */
export class LargeMessage {
  /** Whether this is a text message. Then its payload is valid UTF-8. */
  readonly isText: boolean
  /** The length of the payload in bytes. */
  readonly byteLength: number
  #bytes: Buffer | undefined

  static {
    internals = {
      release(message) {
        message.#bytes = undefined
      },
    }
  }

  /** Made by the pool. @internal */
  constructor(memory: SharedArrayBuffer, pointer: number, length: number, isText: boolean) {
    this.isText = isText
    this.byteLength = length
    this.#bytes = Buffer.from(memory, pointer, length)
  }

  /**
   * The payload where it lies, in shared memory. It is valid until the function returns, or until its promise settles;
   * after that it shows bytes of other messages. Some APIs do not accept shared memory; use `bytes` for them.
   */
  get view(): Uint8Array {
    return this.#alive()
  }

  /** The payload in memory of its own. It is copied at each access. */
  get bytes(): OwnBytes {
    const bytes = this.#alive()
    const copy = Buffer.allocUnsafeSlow(bytes.length)
    if (bytes.length > 0) copy.fill(bytes) // one memcpy, which `copy` is not for shared memory (see codec/instance.ts)
    return copy
  }

  /** The payload as a string, decoded from UTF-8. */
  text(): string {
    return this.#alive().toString('utf8')
  }

  /**
   * The payload, parsed as JSON. Throws a SyntaxError if the payload is not JSON. That is the client's fault, so if the
   * error leaves the function that got the message, the connection is closed with 1007.
   */
  json<Value = unknown>(): Value {
    return parseJson(this.text(), this)
  }

  #alive(): Buffer {
    if (this.#bytes !== undefined) return this.#bytes
    throw callerError(
      'ERR_MESSAGE_GONE',
      'the message is gone: the function that got it has returned. Ask for message.bytes there to keep it',
    )
  }
}

/** @internal */
export const largeMessageInternals: LargeMessageInternals = internals

/** What the function gets besides the message. */
export interface LargeContext<Context = unknown> {
  /** What the option `context` returned for the connection. It is a copy. */
  readonly data: Context
}

/**
 * What the function may return. A string is sent as text, bytes are sent as binary, the message itself is sent back as
 * it came, and for undefined nothing is sent.
 */
export type LargeReply = string | Uint8Array | ArrayBuffer | LargeMessage | undefined

/**
 * The default export of the module of the option `large`. What it returns is sent, or given to the `largeResult`
 * handler.
 * @example
 * ```js
 * export default function handle(message, context) {
 *   const { items } = message.json()
 *   return `${items.length} items`
 * }
 * ```
 */
export type LargeHandler<Context = unknown, Result = LargeReply> = (
  message: LargeMessage,
  context: LargeContext<Context>,
) => Result | PromiseLike<Result>
