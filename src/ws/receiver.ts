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
  readonly _allowSynchronousEvents: boolean
  readonly _extensions: Readonly<Record<string, PerMessageDeflate>>
  readonly _isServer: boolean
  /** The most parts that wait for the rest of a frame, and the most frames of a message; 0 is any number. */
  readonly _maxBufferedChunks: number
  readonly _maxFragments: number
  /** The longest message in bytes; 0 is any length. */
  _maxPayload: number
  readonly _skipUTF8Validation: boolean
  _binaryType: BinaryType
  readonly #options: ReceiverOptions
  #reader: FrameReader | undefined

  constructor(options: ReceiverOptions = {}) {
    super()
    this._allowSynchronousEvents = options.allowSynchronousEvents ?? true
    this._extensions = options.extensions ?? {}
    this._isServer = Boolean(options.isServer)
    this._maxBufferedChunks = Number(options.maxBufferedChunks) | 0
    this._maxFragments = Number(options.maxFragments) | 0
    this._maxPayload = Number(options.maxPayload) | 0
    this._skipUTF8Validation = Boolean(options.skipUTF8Validation)
    this._binaryType = options.binaryType || (BINARY_TYPES[0] ?? 'nodebuffer')
    this.#options = options
  }

  get binaryType(): BinaryType {
    return this._binaryType
  }

  /** Bytes that the message under way has with the whole of its frame under way. */
  get _totalPayloadLength(): number {
    return this.#reader?.total ?? 0
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
    const deflate = this._extensions[PerMessageDeflate.extensionName]
    const context = socketContext(this.#options, this._isServer ? 'server' : 'client')
    return new FrameReader(this, context, deflate?.agreed)
  }
}
