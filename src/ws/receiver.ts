// The class Receiver of ws: a Writable that is given what a peer has sent, and tells what it says. A WebSocket reads its frames
// by itself, and has one of these for programs that reach for it.
import type { Buffer } from 'node:buffer'
import { Writable } from 'node:stream'
import type { SocketOptions } from './adoption.js'
import { BINARY_TYPES, type BinaryType } from './data.js'
import { FrameReader, type Taken } from './frameReader.js'
import { PerMessageDeflate } from './perMessageDeflate.js'
import { socketContext } from './socketContext.js'

/** How frames are read. */
export interface ReceiverOptions extends SocketOptions {
  /** As what binary messages are told. Default: 'nodebuffer'. */
  readonly binaryType?: BinaryType | undefined
  /** What was agreed on, by the names of the extensions. */
  readonly extensions?: Readonly<Record<string, PerMessageDeflate>> | undefined
  /** Whether frames must be masked. Default: false. */
  readonly isServer?: boolean | undefined
}

/**
 * Emits 'message' with the data and whether it is binary, 'ping' and 'pong' with their payloads, and 'conclude' with the code and
 * the reason of a Close frame. A frame that breaks a rule is an 'error', with a `code`.
 */
export class Receiver extends Writable {
  readonly _isServer: boolean
  /** The longest message in bytes; 0 is any length. */
  readonly _maxPayload: number
  _binaryType: BinaryType
  readonly #options: ReceiverOptions
  #reader: FrameReader | undefined

  constructor(options: ReceiverOptions = {}) {
    super()
    this._isServer = Boolean(options.isServer)
    this._maxPayload = Number(options.maxPayload) | 0
    this._binaryType = options.binaryType || (BINARY_TYPES[0] ?? 'nodebuffer')
    this.#options = options
  }

  get binaryType(): BinaryType {
    return this._binaryType
  }

  /** What a Close frame has said. @internal */
  concluded(code: number, reason: Buffer): void {
    this.emit('conclude', code, reason)
    this.end()
  }

  override _write(chunk: Uint8Array, _encoding: string, taken: Taken): void {
    this.#reader ??= this.#made()
    this.#reader.write(chunk, taken)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#reader?.free()
    done(error)
  }

  #made(): FrameReader {
    const deflate = this.#options.extensions?.[PerMessageDeflate.extensionName]
    const context = socketContext(this.#options, this._isServer ? 'server' : 'client')
    return new FrameReader(this, context, deflate?.agreed)
  }
}
