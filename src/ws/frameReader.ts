// Reads frames that no connection of this project's has read: what a Receiver is that somebody makes by hand. It is a peer's
// receiving half, without a socket.
import type { Buffer } from 'node:buffer'
import { INBOX_LENGTH } from '../codec/codec.js'
import { OPCODE_CLOSE, OPCODE_PING } from '../codec/frames.js'
import type { Agreed } from '../connection/deflateAgreements.js'
import { Pressure, type PressureListener } from '../connection/pressure.js'
import { Reason } from '../connection/reason.js'
import { Incoming } from '../connection/receiving/incoming.js'
import type { Sink } from '../connection/receiving/sink.js'
import { type InboxReader, inboxOfThread } from '../memory/inbox.js'
import { Lifecycle } from '../protocol/lifecycle.js'
import type { ProtocolViolation } from '../protocol/violation.js'
import type { Transport } from '../transport/transport.js'
import { ChunkCount } from './chunkCount.js'
import { readClose } from './closePayload.js'
import { chunksError, errorOf } from './errors.js'
import { EventDelivery } from './eventDelivery.js'
import type { SocketContext } from './socketContext.js'
import type { SocketOwner } from './socketOwner.js'

/** Who is told what the frames say. */
export interface FrameListener extends SocketOwner {
  /** The peer has said Close: nothing behind it is read. */
  concluded(code: number, reason: Buffer): void
}

/** Is called when all that was written has been dealt with, with an Error if it breaks a rule. */
export type Taken = (error?: Error) => void

export class FrameReader implements Sink, PressureListener, InboxReader {
  held = 0
  standing: number | undefined
  readonly #listener: FrameListener
  readonly #shared: SocketContext
  readonly #lifecycle: Lifecycle
  readonly #pressure: Pressure
  readonly #delivery: EventDelivery
  readonly #incoming: Incoming
  readonly #chunks = new ChunkCount()
  #taken: Taken | undefined
  /** Bytes of the write under way that have not been read. */
  #unread = 0
  #error: Error | undefined

  constructor(listener: FrameListener, shared: SocketContext, deflate: Agreed | undefined) {
    const { role } = shared.encoder
    this.#listener = listener
    this.#shared = shared
    this.#lifecycle = new Lifecycle(role)
    const transport = noTransport(() => this.#settle())
    this.#pressure = new Pressure(transport, this.#lifecycle, shared.vitals, this)
    this.#delivery = new EventDelivery(listener, this.#pressure, shared.synchronous)
    this.#incoming = new Incoming(shared, this, this.#delivery, this.#pressure, role, { deflate })
    this.#incoming.markFrames()
  }

  /** Reads bytes; one write at a time. */
  write(bytes: Uint8Array, taken: Taken): void {
    if (!this.#lifecycle.delivers) return taken()
    if (this.#chunks.isFull(this.#shared.mostChunks)) return taken(chunksError())
    this.#taken = taken
    this.#unread = bytes.length
    // Not in one call, which would leave all behind its first part to later turns.
    for (let at = 0; at < bytes.length; at += INBOX_LENGTH)
      inboxOfThread().deliver(this, bytes.subarray(at, at + INBOX_LENGTH))
    this.#settle()
  }

  /** Bytes of the message under way with the whole of the frame under way. */
  get total(): number {
    return this.#incoming.progress.total
  }

  received(start: number, end: number): void {
    this.#unread -= end - start
    if (this.#lifecycle.delivers) this.#incoming.receive(start, end)
    if (this.#lifecycle.delivers) this.#chunks.read(end - start, this.#incoming.progress)
    this.#settle()
  }

  /** Gives back everything. */
  free(): void {
    inboxOfThread().tell(this, () => {
      this.#lifecycle.transportGone()
      this.#incoming.free()
      this.#shared.budget.leave(this)
    })
  }

  control(opcode: number, pointer: number, length: number): void {
    const data = this.#shared.codec.copyOf(pointer, length)
    if (opcode !== OPCODE_CLOSE) return this.#delivery.tellControl(opcode === OPCODE_PING ? 'ping' : 'pong', data)
    const said = readClose(data, this.#shared.anyText)
    this.#end()
    if (said.error !== undefined) this.#error = said.error
    else this.#listener.concluded(said.code, said.reason)
  }

  violated(violation: ProtocolViolation): void {
    this.#error = errorOf(violation.code, this.#incoming.refused, violation.message)
    this.#end()
  }

  handlerFailed(error: unknown): void {
    this.#delivery.fault(error)
  }

  get gone(): boolean {
    return this.#lifecycle.isGone
  }

  evicted(): void {
    this.#end()
  }

  budgetFreed(): void {
    this.#pressure.resume(Reason.budget)
  }

  payloadStalled(): void {
    this.#end()
  }

  reading(goesOn: boolean): void {
    this.#incoming.noteArrival(goesOn)
  }

  deliverParked(): void {
    this.#incoming.deliverParked()
  }

  #end(): void {
    this.#lifecycle.terminate()
    this.#incoming.drop()
    this.#pressure.drain()
  }

  /** The write under way is over when all of it is told, or nothing more will be. */
  #settle(): void {
    const taken = this.#taken
    const waits = this.#unread > 0 || this.#pressure.stopped || this.#incoming.waits
    if (taken === undefined || (this.#lifecycle.delivers && waits)) return
    this.#taken = undefined
    taken(this.#error)
  }
}

/** Nothing is read from anywhere: to go on is all that there is to do. */
function noTransport(resume: () => void): Transport {
  const nothing = (): void => undefined
  const failed = (): number => -1
  const none = { remoteAddress: undefined, unsent: 0, secure: false, told: false }
  const ends = { end: nothing, endBoth: nothing, close: nothing, reset: nothing }
  return { ...none, ...ends, open: nothing, pause: nothing, resume, write: failed, writeViews: failed }
}
