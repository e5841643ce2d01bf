// What one WebSocket sends: frames just as the application asks for them, in order, with their callbacks. Nothing is
// refused here, and nothing dropped.
import type { Duplex } from 'node:stream'
import { OutOfMemory } from '../codec/codec.js'
import { FIN, OPCODE_CONTINUATION } from '../codec/frames.js'
import { Deflation, type DeflationShared, encodedBy, firstOfFragment } from '../connection/sending/deflation.js'
import { type Encoder, encoderOfThread } from '../connection/sending/encoder.js'
import type { Outgoing } from '../connection/sending/outgoing.js'
import { BlobQueue, type SendQueue, type Unsent } from './blobQueue.js'
import { byteLengthOf, type Payload } from './data.js'
import { EndedQueue } from './endedQueue.js'
import { blobError, compressionError, endedError } from './errors.js'
import type { FrameSenderOwner } from './frameSenderOwner.js'
import { append, LEAST_LENT, lend } from './lent.js'
import { LongMessage } from './longMessage.js'
import { serverHeader } from './madeFrame.js'
import { type SendCallback, SendCallbacks } from './sendCallbacks.js'
import { Flag, opcodeFor } from './sendFlags.js'
import type { Parts } from './sharedList.js'
import type { SocketContext } from './socketContext.js'
import { isDestroyed } from './socketEvents.js'

/** Bytes that wait for the end of the turn; above it, they are written at once. */
const MOST_IN_TURN = 1024 * 1024

export class FrameSender {
  readonly outgoing: Outgoing
  readonly #shared: SocketContext
  readonly #owner: FrameSenderOwner
  readonly #deflation: Deflation | undefined
  readonly #least: number // messages with fewer bytes are not compressed
  #callbacks: SendCallbacks | undefined
  /** Whether a message in fragments is under way, and whether that one is compressed. */
  #amid = false
  #compresses = false
  /** What waits for a Blob that is being read, or for a message that is compressed. */
  #blobs: SendQueue | undefined
  #long: LongMessage | undefined
  #ended = false
  /** Bytes of what was compressed in this turn, as they were sent, and as frames; and what was buffered before the first of it. */
  #deflated = 0
  #deflatedAs = 0
  #before = 0
  #lost = false // what was compressed has been given up
  unsendable = 0 // bytes that were sent when nothing could be sent any more

  constructor(
    shared: SocketContext,
    owner: FrameSenderOwner,
    outgoing: Outgoing,
    deflation: DeflationShared | undefined,
  ) {
    this.#shared = shared
    this.#owner = owner
    this.outgoing = outgoing
    this.#deflation = deflation && new Deflation(encodedBy(shared.encoder, deflation))
    this.#least = deflation === undefined || deflation.takesOver ? 0 : deflation.threshold
  }

  /**
   * Bytes that were sent and have not left. What leaves with this turn counts as gone, as far as it is little; but for what is
   * compressed, which ws does behind the back of this turn: that counts as long as it was.
   */
  get buffered(): number {
    if (this.#deflated === 0) this.writeOut()
    const { buffered, waits } = this.outgoing
    const plain = this.#deflated === 0 || waits ? buffered - this.#deflatedAs : 0
    return plain + this.#deflated + this.waiting + this.unsendable
  }

  get waiting(): number {
    return this.#blobs?.bytes ?? 0 // for a Blob which is being read, or for what is compressed
  }

  get committed(): number {
    return this.outgoing.completed + this.outgoing.buffered
  }

  /** Writes what would be written at the end of the turn. */
  writeOut(): void {
    const { outgoing } = this
    if (!outgoing.waits && outgoing.buffered > 0) outgoing.flush()
  }

  /** The connection ends at once: what was sent leaves before that, but for what was compressed in this turn, and what is behind it. */
  leave(): void {
    const loses = this.#deflated > 0 && this.outgoing.isWithin(Number.POSITIVE_INFINITY)
    if (loses) this.outgoing.cut(this.#before)
    this.#lost ||= loses
    if (this.outgoing.buffered > 0) this.outgoing.flush(true)
  }

  /** Whether a Blob is being read: what was sent after it has not been framed. */
  get reads(): boolean {
    return this.doing !== 0
  }

  /** A message, or a fragment of one; `flags` has bits of Flag. */
  send(payload: Payload, flags: number, callback: SendCallback | undefined): void {
    const isData = typeof payload === 'string' || payload instanceof Uint8Array
    if (this.#blobs?.reads !== true && isData && !this.#isLong(payload, flags)) this.#send(payload, flags, callback)
    else {
      const work = (data: string | Uint8Array): Promise<void> | undefined => this.#compress(data, flags)
      this.#wait(payload, callback, (data) => this.#send(data, flags, callback), work)
    }
  }

  /** A control frame. */
  control(opcode: number, payload: Payload, callback: SendCallback | undefined, otherMask = false): void {
    const use = (data: string | Uint8Array): void => this.#control(opcode, data, callback, otherMask)
    if (this.#blobs?.reads !== true && (typeof payload === 'string' || payload instanceof Uint8Array)) use(payload)
    else this.#wait(payload, callback, use)
  }

  /** Bytes as they are: frames that were made elsewhere, which wait for no Blob, nor for what is compressed. */
  raw(parts: Parts, callback: SendCallback | undefined): void {
    if (this.#ended) {
      if (callback !== undefined) process.nextTick(callback, endedError())
      return
    }
    this.#framed(() => append(this.outgoing, this.#shared, parts), callback)
  }

  /** The program has ended the socket itself: what is sent from now on is written to that, which tells that it has ended. */
  socketEnds(socket: Duplex): void {
    this.#blobs?.end(endedError())
    this.#blobs = new EndedQueue(socket, this.waiting)
  }

  /** 1 while a message is compressed elsewhere, 2 while a Blob is read, 0 otherwise. */
  get doing(): 0 | 1 | 2 {
    return this.#blobs?.doing ?? 0
  }

  /** Whether a message in fragments is under way. */
  get isAmid(): boolean {
    return this.#amid
  }

  /** Tells those whose bytes have left. */
  hasLeft(): void {
    this.#deflated = this.#deflatedAs = 0
    this.#callbacks?.hasLeft(this.outgoing.completed)
  }

  /** The connection ends at once: what waits for a Blob is not sent. */
  giveUp(): void {
    this.#blobs?.end(this.#long === undefined ? blobError() : compressionError())
    this.#long?.giveUp()
    this.#long = undefined
  }

  /** Nothing leaves any more, as the transport is gone: tells those who wait why; `isCut` is whether a write under way was cut. */
  end(cause?: Error, isCut = false): void {
    this.#ended = true
    this.hasLeft()
    this.giveUp()
    this.#callbacks?.end(this.#lost ? compressionError() : cause, isCut)
    this.#deflation?.free()
    this.outgoing.free()
  }

  /** Does something behind all callbacks, when nothing leaves any more. */
  afterCallbacks(work: () => void): void {
    if (this.#callbacks === undefined) work()
    else this.#callbacks.afterwards(work)
  }

  #send(data: string | Uint8Array, flags: number, callback: SendCallback | undefined): void {
    if ((flags & Flag.otherMask) === 0) this.#shared.encoder.prepare()
    const opcode = opcodeFor(flags)
    if (this.#amid || (flags & (Flag.fin | Flag.otherMask)) !== Flag.fin)
      return this.#framed(() => this.#fragment(opcode, data, flags), callback)
    try {
      this.#frame(FIN | opcode, data, (flags & Flag.compress) !== 0)
    } catch (error) {
      return this.#spent(error, callback)
    }
    this.#done(callback)
  }

  #frame(first: number, data: string | Uint8Array, compress: boolean): void {
    const { encoder } = this.#shared
    if (this.#frameLong()) return
    if (this.#deflation !== undefined && compress) this.#deflate(this.#deflation, first, data)
    else if (typeof data === 'string') encoder.text(this.outgoing, first, data)
    else if (data.length >= LEAST_LENT && !encoder.masks) lend(this.outgoing, serverHeader(first, data.length), data)
    else encoder.bytes(this.outgoing, first, data)
  }

  /** Frames what was compressed elsewhere; false if nothing was. */
  #frameLong(): boolean {
    const long = this.#long
    this.#long = undefined
    return long?.frame(this.outgoing) === true
  }

  #deflate(deflation: Deflation, first: number, data: string | Uint8Array): void {
    const { outgoing } = this
    const before = outgoing.buffered
    if (this.#deflated === 0) this.#before = before
    deflation.whole(outgoing, first, data, this.#least)
    const length = byteLengthOf(data)
    if (length < this.#least) return
    this.#deflated += length
    this.#deflatedAs += outgoing.buffered - before
  }

  /** Whether a message, or a fragment of one, is compressed elsewhere. */
  #isLong(data: string | Uint8Array, flags: number): boolean {
    if (this.#deflation === undefined || this.#ended) return false
    if (!(this.#amid ? this.#compresses : (flags & Flag.compress) !== 0)) return false
    const least = this.#amid ? 0 : this.#least
    return data.length >= Math.max(this.#deflation.shared.engines.long, least) // a text has no fewer bytes than units
  }

  /** Compresses a message, or a fragment of one, if that is done elsewhere, and there is memory for it. */
  #compress(data: string | Uint8Array, flags: number): Promise<void> | undefined {
    const deflation = this.#deflation
    if (deflation === undefined || !this.#isLong(data, flags)) return undefined
    const first = firstOfFragment(this.#amid ? OPCODE_CONTINUATION : opcodeFor(flags), (flags & Flag.fin) !== 0)
    if (deflation.goesPlain(first)) return undefined
    try {
      this.#long = new LongMessage(this.#shared, deflation, first, data)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      return undefined
    }
    return this.#long.run()
  }

  #fragment(opcode: number, data: string | Uint8Array, flags: number): void {
    const fin = (flags & Flag.fin) !== 0
    const actual = this.#amid ? OPCODE_CONTINUATION : opcode
    if (!this.#amid) this.#compresses = this.#compressesFrom(data, flags)
    if (!this.#frameLong()) {
      const encoder = (flags & Flag.otherMask) === 0 ? this.#shared.encoder : this.#other
      if (this.#compresses) this.#deflation?.fragment(this.outgoing, actual, data, fin)
      else encoder.fragment(this.outgoing, actual, data, fin)
    }
    this.#amid = !fin
  }

  /** Whether a message in fragments is compressed, by its first one: without takeover, a short one says that it is not. */
  #compressesFrom(data: string | Uint8Array, flags: number): boolean {
    return this.#deflation !== undefined && (flags & Flag.compress) !== 0 && byteLengthOf(data) >= this.#least
  }

  #control(opcode: number, payload: string | Uint8Array, callback: SendCallback | undefined, otherMask: boolean): void {
    if (!otherMask) this.#shared.encoder.prepare()
    this.#framed(() => {
      if (otherMask) this.#other.fragment(this.outgoing, opcode, payload, true)
      else this.#frame(FIN | opcode, payload, false)
    }, callback)
  }

  /** Frames as the other side of a connection does. */
  get #other(): Encoder {
    return encoderOfThread(this.#shared.encoder.masks ? 'server' : 'client')
  }

  /** Frames something; its callback is called when it has left. */
  #framed(frame: () => void, callback: SendCallback | undefined): void {
    try {
      frame()
    } catch (error) {
      return this.#spent(error, callback)
    }
    this.#done(callback)
  }

  #done(callback: SendCallback | undefined): void {
    const { outgoing, committed } = this
    if (callback !== undefined) {
      this.#callbacks ??= new SendCallbacks(this, outgoing.waits ? committed - 1 : 0)
      this.#callbacks.add(committed, callback)
    }
    if (outgoing.isWithin(MOST_IN_TURN) || outgoing.waits) return
    outgoing.flush()
    if (outgoing.buffered > 0) this.#callbacks?.stands(committed)
  }

  #spent(error: unknown, callback: SendCallback | undefined): void {
    if (!(error instanceof OutOfMemory)) throw error
    if (callback !== undefined) process.nextTick(callback, error)
    this.#owner.memorySpent(error)
  }

  /** Sends this after the Blobs that are being read and what is compressed, or when it is read and compressed itself. */
  #wait(
    payload: Payload,
    callback: SendCallback | undefined,
    use: (data: string | Uint8Array) => void,
    work?: Unsent['work'],
  ): void {
    const isGone = (): boolean => isDestroyed(this.#owner.socket)
    this.#blobs ??= new BlobQueue((error) => this.#owner.blobFailed(error), isGone)
    this.#blobs.add({ payload, callback, use, work })
  }
}
