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
import { callbackOf } from './callbackOf.js'
import { closePayload } from './closePayload.js'
import { byteLengthOf, givenPayload, type Payload } from './data.js'
import { compressionError, controlTooLong } from './errors.js'
import { type FrameOptions, madeFrame, unmaskedFrame } from './madeFrame.js'
import { PerMessageDeflate } from './perMessageDeflate.js'
import type { SendCallback } from './sendCallbacks.js'

/** The stream that is written to. */
export interface FrameTarget {
  readonly destroyed?: boolean
  cork(): void
  uncork(): void
  write(bytes: string | Uint8Array, callback?: (error?: Error | null) => void): unknown
}

/** How a message is sent. */
export interface SenderOptions {
  readonly binary?: boolean | undefined
  readonly compress?: boolean | undefined
  readonly fin?: boolean | undefined
  readonly mask?: boolean | undefined
}

type Masking = Pick<FrameOptions, 'generateMask'>

/** A frame that waits to be sent. */
interface Frame {
  readonly opcode: number
  readonly fin: boolean
  readonly mask: boolean
  /** What is to be compressed of it, if anything is; `first` says whether it begins a message. */
  readonly deflate?: { readonly by: PerMessageDeflate; readonly first: boolean } | undefined
}

export class Sender {
  readonly #socket: FrameTarget | undefined
  readonly _extensions: Readonly<Record<string, PerMessageDeflate>>
  /** Is told of a Blob that can't be read. */
  onerror: (error: Error) => void = () => undefined
  readonly #masking: Masking
  #blobs: BlobQueue | undefined
  /** Whether a message in fragments is under way, and whether it is compressed. */
  #amid = false
  #compresses = false

  /** `extensions` are what was agreed on, by their names; `generateMask` fills the masking key of a frame. */
  constructor(
    socket?: FrameTarget,
    extensions: Readonly<Record<string, PerMessageDeflate>> = {},
    generateMask?: (key: Buffer) => void,
  ) {
    this.#socket = socket
    this._extensions = extensions
    this.#masking = generateMask === undefined ? {} : { generateMask }
  }

  /** Makes a frame: a list of Buffers that are sent one after the other. */
  static frame(data: string | Buffer, options: FrameOptions): Buffer[] {
    return madeFrame(data, options)
  }

  /** The stream that is written to. */
  get _socket(): FrameTarget | undefined {
    return this.#socket
  }

  /** Whether the next frame of data begins a message. */
  get _firstFragment(): boolean {
    return !this.#amid
  }

  /** Bytes that wait for a Blob which is being read, or for what is compressed. */
  get _bufferedBytes(): number {
    return this.#blobs?.bytes ?? 0
  }

  /** 0 where nothing waits, 1 while something is compressed, 2 while a Blob is read. */
  get _state(): 0 | 1 | 2 {
    return this.#blobs?.doing ?? 0
  }

  /** Sends a frame that was made before. */
  sendFrame(list: readonly (string | Uint8Array)[], callback?: SendCallback): void {
    const socket = this._socket
    const [first = '', second] = list
    const written = callback as ((error?: Error | null) => void) | undefined
    if (list.length !== 2 || second === undefined) return void socket?.write(first, written)
    socket?.cork()
    socket?.write(first)
    socket?.write(second, written)
    socket?.uncork()
  }

  /** Sends a message, or a fragment of one. */
  send(data: unknown, options: SenderOptions, callback?: SendCallback): void {
    const { binary = false, fin = false, mask = false } = options
    const payload = givenPayload(data)
    const first = !this.#amid
    const by = this._extensions[PerMessageDeflate.extensionName]
    if (first) this.#compresses = options.compress === true && by?.compresses(byteLengthOf(payload)) === true
    const opcode = first ? (binary ? OPCODE_BINARY : OPCODE_TEXT) : OPCODE_CONTINUATION
    this.#amid = !fin
    const deflate = by !== undefined && this.#compresses ? { by, first } : undefined
    this.#send({ opcode, fin, mask, deflate }, payload, callback)
  }

  ping(data?: unknown, mask?: boolean, callback?: SendCallback): void {
    this.#control(OPCODE_PING, data, mask, callback)
  }

  pong(data?: unknown, mask?: boolean, callback?: SendCallback): void {
    this.#control(OPCODE_PONG, data, mask, callback)
  }

  /** Sends a Close frame. Throws a TypeError for a wrong code or reason, and a RangeError for a long reason. */
  close(code?: number, reason?: string | Uint8Array, mask = false, callback?: SendCallback): void {
    this.#send({ opcode: OPCODE_CLOSE, fin: true, mask }, closePayload(code, reason), callback)
  }

  #control(opcode: number, data: unknown, mask = false, callback: SendCallback | undefined): void {
    const payload = givenPayload(data)
    if (byteLengthOf(payload) > LONGEST_7_BIT) throw controlTooLong()
    this.#send({ opcode, fin: true, mask }, payload, callback)
  }

  /** Sends something now, or after the Blobs that are being read and what is compressed. */
  #send(frame: Frame, payload: Payload, callback: SendCallback | undefined): void {
    const { deflate } = frame
    const isData = typeof payload === 'string' || payload instanceof Uint8Array
    if (isData && deflate === undefined && this.#blobs?.reads !== true) return this.#write(frame, payload, callback)
    let compressed: Buffer | undefined
    const use = (data: string | Uint8Array): void => this.#write(frame, compressed ?? data, callback)
    const work = (data: string | Uint8Array): Promise<void> | undefined =>
      deflate &&
      new Promise((resolve) => {
        deflate.by.compress(data, frame.fin, (_error, bytes) => {
          compressed = bytes
          if (this._socket?.destroyed) this.#blobs?.end(compressionError())
          resolve()
        })
      })
    const isGone = (): boolean => this._socket?.destroyed === true
    this.#blobs ??= new BlobQueue((error) => this.onerror(error), isGone)
    this.#blobs.add({ payload, callback, use, work })
  }

  #write(
    { opcode, fin, mask, deflate }: Frame,
    payload: string | Uint8Array,
    callback: SendCallback | undefined,
  ): void {
    const options = { opcode, fin, mask, rsv1: deflate?.first === true, ...this.#masking }
    const readOnly = typeof payload !== 'string' && deflate === undefined // it is the caller's
    const list = mask ? madeFrame(payload, { ...options, readOnly }) : unmaskedFrame(payload, options)
    this.sendFrame(list, callback)
  }
}

/** What sends the frames of a WebSocket. */
export interface RawSender {
  /** Bytes that wait for a Blob which is being read, or for what is compressed. */
  readonly waiting: number
  readonly doing: 0 | 1 | 2
  readonly isAmid: boolean
  raw(parts: readonly (string | Uint8Array)[], callback: SendCallback | undefined): void
}

/** The Sender of a WebSocket. */
export class SocketSender extends Sender {
  readonly #frames: RawSender
  readonly #expose: () => FrameTarget

  /** `expose` gives the socket, which nobody has looked at before, perhaps. */
  constructor(frames: RawSender, expose: () => FrameTarget) {
    super()
    this.#frames = frames
    this.#expose = expose
  }

  override get _socket(): FrameTarget {
    return this.#expose()
  }

  override get _firstFragment(): boolean {
    return !this.#frames.isAmid
  }

  override get _state(): 0 | 1 | 2 {
    return this.#frames.doing
  }

  override get _bufferedBytes(): number {
    return this.#frames.waiting
  }

  override sendFrame(list: readonly (string | Uint8Array)[], callback?: SendCallback): void {
    this.#frames.raw(list, callbackOf(callback))
  }
}
