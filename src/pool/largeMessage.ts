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

export class LargeMessage {
  /** Whether it is a text message; its UTF-8 is valid. */
  readonly isText: boolean
  /** Payload length in bytes. */
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
   * The payload where it lies, in shared memory: valid until the function returns, or the promise it returned settles.
   * Later it shows other messages' bytes. Some APIs refuse shared memory; `bytes` is for them.
   */
  get view(): Uint8Array {
    return this.#alive()
  }

  /** The payload in memory of its own, copied at each access. */
  get bytes(): OwnBytes {
    const bytes = this.#alive()
    const copy = Buffer.allocUnsafeSlow(bytes.length)
    if (bytes.length > 0) copy.fill(bytes) // one memcpy, which `copy` is not for shared memory (see codec/instance.ts)
    return copy
  }

  /** The payload as a string, decoded as UTF-8. */
  text(): string {
    return this.#alive().toString('utf8')
  }

  /**
   * The payload parsed as JSON. Throws a SyntaxError where it is none, which is the peer's fault: where that leaves the
   * function, the connection is failed with 1007.
   */
  json<Value = unknown>(): Value {
    return parseJson(this.text())
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
  /** What the option `context` made of the connection. */
  readonly data: Context
}

/** What the function may return: a string is sent as text, bytes as binary, the message itself as what it is. */
export type LargeReply = string | Uint8Array | ArrayBuffer | LargeMessage | undefined

/** The module's default export. What it returns is sent, or given to the `largeResult` handler. */
export type LargeHandler<Context = unknown, Result = LargeReply> = (
  message: LargeMessage,
  context: LargeContext<Context>,
) => Result | PromiseLike<Result>
