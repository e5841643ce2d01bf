// The class Sender of ws: makes frames, and writes them to a stream. A WebSocket sends by itself, and has one of these for programs
// that send frames which were made before.
import type { Buffer } from 'node:buffer'
import {
  LONGEST_7_BIT,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../codec/frames.js'
import { BlobQueue } from './blobQueue.js'
import { closePayload } from './closePayload.js'
import { byteLengthOf, type Payload, payloadOf } from './data.js'
import { DeflatingSender } from './deflatingSender.js'
import { controlTooLong } from './errors.js'
import { type FrameOptions, madeFrame } from './madeFrame.js'
import { PerMessageDeflate } from './perMessageDeflate.js'
import type { SendCallback } from './sendCallbacks.js'

/** The stream that is written to. */
export interface FrameTarget {
  cork(): void
  uncork(): void
  write(bytes: string | Uint8Array, callback?: (error?: Error | null) => void): unknown
  destroy(error?: Error): unknown
}

/** How a message is sent. */
export interface SenderOptions {
  readonly binary?: boolean | undefined
  readonly compress?: boolean | undefined
  readonly fin?: boolean | undefined
  readonly mask?: boolean | undefined
}

type Masking = Pick<FrameOptions, 'generateMask'>

export class Sender {
  readonly _socket: FrameTarget | undefined
  readonly #deflate: PerMessageDeflate | undefined
  readonly #masking: Masking
  /** Sends messages that may be compressed. */
  #deflating: DeflatingSender | undefined
  #blobs: BlobQueue | undefined
  /** Whether a message in fragments is under way. */
  #amid = false

  /** `extensions` are what was agreed on, by their names; `generateMask` fills the masking key of a frame. */
  constructor(
    socket?: FrameTarget,
    extensions: Readonly<Record<string, PerMessageDeflate>> = {},
    generateMask?: (key: Buffer) => void,
  ) {
    this._socket = socket
    this.#deflate = extensions[PerMessageDeflate.extensionName]
    this.#masking = generateMask === undefined ? {} : { generateMask }
  }

  /** Makes a frame: a list of Buffers that are sent one after the other. */
  static frame(data: string | Buffer, options: FrameOptions): Buffer[] {
    return madeFrame(data, options)
  }

  /** Bytes that wait for a Blob which is being read. */
  get _bufferedBytes(): number {
    return this.#blobs?.bytes ?? 0
  }

  /** Sends a frame that was made before. */
  sendFrame(list: readonly (string | Uint8Array)[], callback?: SendCallback): void {
    const socket = this._socket
    const last = list.length - 1
    if (last > 0) socket?.cork()
    for (const [at, part] of list.entries()) {
      if (at === last && callback !== undefined) socket?.write(part, (error) => callback(error ?? null))
      else socket?.write(part)
    }
    if (last > 0) socket?.uncork()
  }

  /** Sends a message, or a fragment of one. */
  send(data: unknown, options: SenderOptions, callback?: SendCallback): void {
    const { binary = false, compress = false, fin = false, mask = false } = options
    const opcode = this.#amid ? OPCODE_CONTINUATION : binary ? OPCODE_BINARY : OPCODE_TEXT
    this.#amid = !fin
    this.#inTurn(payloadOf(data), callback, (payload) => {
      const deflating = this.#deflating ?? this.#madeDeflating(mask)
      if (deflating !== undefined) deflating.send(payload, { binary, compress, fin }, callback)
      else this.#frame(opcode, payload, fin, mask, callback)
    })
  }

  ping(data?: unknown, mask?: boolean, callback?: SendCallback): void {
    this.#control(OPCODE_PING, data, mask, callback)
  }

  pong(data?: unknown, mask?: boolean, callback?: SendCallback): void {
    this.#control(OPCODE_PONG, data, mask, callback)
  }

  /** Sends a Close frame. Throws a TypeError for a wrong code or reason, and a RangeError for a long reason. */
  close(code?: number, reason?: string | Uint8Array, mask?: boolean, callback?: SendCallback): void {
    this.#send(OPCODE_CLOSE, closePayload(code, reason), mask, callback)
  }

  #control(opcode: number, data: unknown, mask: boolean | undefined, callback: SendCallback | undefined): void {
    const payload = payloadOf(data)
    if (byteLengthOf(payload) > LONGEST_7_BIT) throw controlTooLong()
    this.#send(opcode, payload, mask, callback)
  }

  #send(opcode: number, payload: Payload, mask: boolean | undefined, callback: SendCallback | undefined): void {
    this.#inTurn(payload, callback, (bytes) => this.#frame(opcode, bytes, true, mask === true, callback))
  }

  #frame(
    opcode: number,
    payload: string | Uint8Array,
    fin: boolean,
    mask: boolean,
    callback: SendCallback | undefined,
  ): void {
    const readOnly = typeof payload !== 'string' // it is the caller's
    this.sendFrame(madeFrame(payload, { opcode, fin, mask, rsv1: false, readOnly, ...this.#masking }), callback)
  }

  /** Sends something now, or after the Blobs that are being read. */
  #inTurn(payload: Payload, callback: SendCallback | undefined, use: (payload: string | Uint8Array) => void): void {
    if (this.#blobs?.reads !== true && (typeof payload === 'string' || payload instanceof Uint8Array))
      return use(payload)
    this.#blobs ??= new BlobQueue((error) => this._socket?.destroy(error))
    this.#blobs.add({ payload, callback, use })
  }

  #madeDeflating(masks: boolean): DeflatingSender | undefined {
    const deflate = this.#deflate
    if (deflate === undefined) return undefined
    this.#deflating = new DeflatingSender((bytes) => this._socket?.write(bytes), masks, deflate.agreed)
    return this.#deflating
  }
}

/** What sends the frames of a WebSocket. */
export interface RawSender {
  raw(parts: readonly (string | Uint8Array)[], callback: SendCallback | undefined): void
}

/** The Sender of a WebSocket. */
export class SocketSender extends Sender {
  readonly #frames: RawSender

  constructor(frames: RawSender) {
    super()
    this.#frames = frames
  }

  override sendFrame(list: readonly (string | Uint8Array)[], callback?: SendCallback): void {
    this.#frames.raw(list, callback)
  }
}
