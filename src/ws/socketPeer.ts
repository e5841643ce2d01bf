// The peer of one WebSocket: the core's halves of a connection, put together as ws promises it. Nothing limits it but what
// its options say, what its listeners throw is an uncaught exception, and a connection whose peer has not said Close has
// ended with 1006, whatever this side has said.
import type { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import type { Region } from '../codec/codec.js'
import { isText, OPCODE_CLOSE, OPCODE_PING } from '../codec/frames.js'
import { Pressure, type PressureListener } from '../connection/pressure.js'
import { Reason } from '../connection/reason.js'
import { Incoming } from '../connection/receiving/incoming.js'
import type { Deliverer, Sink } from '../connection/receiving/sink.js'
import { Outgoing } from '../connection/sending/outgoing.js'
import type { OutgoingOwner } from '../connection/sending/outgoingShared.js'
import { runOutside } from '../internals/context.js'
import { inboxOfThread } from '../memory/inbox.js'
import { CloseCode } from '../protocol/closeCode.js'
import { Lifecycle } from '../protocol/lifecycle.js'
import type { ProtocolViolation } from '../protocol/violation.js'
import { earlyBytes, transportOf } from '../transport/adopt.js'
import { HandleTransport } from '../transport/handle.js'
import type { Receiver, Transport } from '../transport/transport.js'
import { AutoPongs } from './autoPongs.js'
import { readClose } from './closePayload.js'
import { binary, copied, EMPTY } from './data.js'
import { errorOf, throwLater } from './errors.js'
import { FrameSender } from './frameSender.js'
import type { SocketContext } from './socketContext.js'
import { type Ending, SocketEnd } from './socketEnd.js'
import { tellDrain } from './socketEvents.js'
import type { SocketOwner, SocketSettings } from './socketOwner.js'

export class SocketPeer implements Receiver, Sink, Deliverer, PressureListener, OutgoingOwner, Ending {
  held = 0
  readonly socket: Duplex
  readonly frames: FrameSender
  readonly #owner: SocketOwner
  readonly #settings: SocketSettings
  readonly #shared: SocketContext
  readonly transport: Transport
  readonly lifecycle: Lifecycle
  readonly #pressure: Pressure
  readonly #incoming: Incoming
  #end: SocketEnd | undefined
  #pongs: AutoPongs | undefined
  /** Whether a write has not been finished at once, so that 'drain' is to be told. */
  #stood = false

  constructor(owner: SocketOwner, settings: SocketSettings, shared: SocketContext, socket: Duplex) {
    const { deflate } = settings
    const { role } = shared.encoder
    this.#owner = owner
    this.#settings = settings
    this.#shared = shared
    this.socket = socket
    this.transport = transportOf(socket)
    this.lifecycle = new Lifecycle(role)
    this.#pressure = new Pressure(this.transport, this.lifecycle, shared.vitals, this)
    this.frames = new FrameSender(shared, this, new Outgoing(this.transport, shared, this, this), deflate?.deflation)
    this.#incoming = new Incoming(shared, this, this, this.#pressure, role, settings)
  }

  /** Opens: `response` is written first. What came early, and all that comes, is delivered from the next tick on. */
  start(head: Buffer, response = ''): void {
    const early = earlyBytes(this.socket, head)
    if (response !== '') this.frames.raw([response], undefined)
    this.transport.open(this)
    // A handle is read from by the event loop only; a stream of others may have something at once.
    if (early.length === 0 && this.#direct) return
    this.#pressure.pause(Reason.loop)
    if (early.length > 0) inboxOfThread().deliver(this, early)
    process.nextTick(() => runOutside(() => this.#pressure.resumeNow(Reason.loop)))
  }

  /** Whether the bytes pass the socket by. */
  get #direct(): boolean {
    return this.transport instanceof HandleTransport
  }

  /** As the class WebSocket counts: 1 is open, 2 closing, 3 closed. */
  get readyState(): 1 | 2 | 3 {
    if (this.lifecycle.isOpen) return 1
    return this.lifecycle.isGone ? 3 : 2
  }

  /** What the peer's Close frame has said. */
  get closeCode(): number {
    return this.#end?.code ?? CloseCode.abnormal
  }

  get closeTimeout(): number {
    return this.#settings.closeTimeout
  }

  get #ending(): SocketEnd {
    this.#end ??= new SocketEnd(this)
    return this.#end
  }

  deliveryEnds(): void {
    this.#incoming.drop()
    this.#pressure.drain()
  }

  /** Starts the closing handshake with the payload of a Close frame. */
  close(payload: Uint8Array): void {
    this.#ending.close(payload)
  }

  terminate(): void {
    this.#ending.perform(this.lifecycle.terminate())
  }

  pause(): void {
    this.#pressure.pause(Reason.application)
  }

  resume(): void {
    this.#pressure.resume(Reason.application)
  }

  // What the transport tells (Receiver).

  received(start: number, end: number): void {
    if (this.lifecycle.delivers) this.#incoming.receive(start, end)
  }

  ended(): void {
    this.#ending.perform(this.lifecycle.peerEnds())
  }

  written(status: number): void {
    const { turn } = this.#shared
    turn.begin()
    this.frames.outgoing.written(status)
    turn.end()
  }

  closed(): void {
    this.lifecycle.terminate() // it was open perhaps, and must not be while callbacks are called
    this.#end?.over()
    this.#incoming.free()
    this.frames.end()
    this.lifecycle.transportGone()
    this.#shared.budget.leave(this)
    this.#emit('close', this.closeCode, this.#end?.reason ?? EMPTY)
  }

  // What the outgoing half tells (OutgoingOwner, FrameSenderOwner).

  flushed(): void {
    const { outgoing, reads } = this.frames
    this.frames.hasLeft()
    if (outgoing.buffered > 0) this.#stood = true
    else if (this.#stood) this.#drained()
    if (!this.lifecycle.delivers && outgoing.buffered === 0 && !reads) this.#ending.perform(this.lifecycle.flushed())
  }

  #drained(): void {
    this.#stood = false
    if (this.#direct) tellDrain(this.socket)
  }

  writeFailed(): void {
    this.terminate()
  }

  goesOn(): void {
    this.frames.outgoing.flush()
  }

  memorySpent(error: Error): void {
    if (this.lifecycle.isGone) return
    this.terminate()
    process.nextTick(() => this.#emit('error', error))
  }

  /** The bytes of a Blob can't be had: what was sent before it still leaves. */
  blobFailed(error: Error): void {
    if (this.lifecycle.isGone) return
    this.#ending.perform(this.lifecycle.peerEnds())
    this.#emit('error', error)
  }

  // What the receiving half finds (Deliverer, Sink).

  take(info: number, pointer: number, length: number, region: Region | undefined): void {
    const text = isText(info)
    try {
      const data = text ? copied(pointer, length) : binary(this.#owner.binaryType, pointer, length)
      region?.release()
      this.#owner.emit('message', data, !text)
    } catch (error) {
      this.#fault(error)
    }
    if (!this.#shared.synchronous) this.#yield()
  }

  control(opcode: number, pointer: number, length: number): void {
    const data = this.#shared.codec.copyOf(pointer, length)
    if (opcode === OPCODE_CLOSE) return this.#closeReceived(data)
    if (opcode === OPCODE_PING) this.#answer(data)
    this.#emit(opcode === OPCODE_PING ? 'ping' : 'pong', data)
    if (!this.#shared.synchronous) this.#yield()
  }

  violated(violation: ProtocolViolation): void {
    const { code, closeCode, message } = violation
    this.#fail(closeCode, errorOf(code, this.#incoming.refused, message))
  }

  handlerFailed(error: unknown): void {
    this.#fault(error)
  }

  // No message is handed out in parts.
  streamBegins(): void {}
  streamPart(): void {}

  // What the budget and the pressure ask (Claimant, PressureListener). The budget has room for all.

  get gone(): boolean {
    return this.lifecycle.isGone
  }

  evicted(): void {
    this.terminate()
  }

  budgetFreed(): void {
    this.#pressure.resume(Reason.budget)
  }

  payloadStalled(): void {
    this.terminate()
  }

  readingStopped(): void {
    this.#incoming.noteArrival(false)
  }

  deliverParked(): void {
    this.#incoming.deliverParked()
  }

  readingStarted(): void {
    this.#incoming.noteArrival(true)
  }

  #closeReceived(payload: Buffer): void {
    const said = readClose(payload, this.#shared.anyText)
    if (said.error !== undefined) return this.#fail(said.code, said.error)
    this.#ending.received(said.code, said.reason, payload)
  }

  #answer(data: Buffer): void {
    const { mostPongs } = this.#settings
    if (mostPongs === undefined || !this.lifecycle.isOpen) return
    this.#pongs ??= new AutoPongs()
    if (!this.#pongs.answer(this.frames, data, mostPongs)) this.terminate()
  }

  /** Fails the connection, and tells why in the next tick: once, as nothing more is delivered. */
  #fail(code: number, error: Error): void {
    if (!this.lifecycle.delivers) return
    this.#ending.fail(code)
    process.nextTick(() => this.#emit('error', error))
  }

  #emit(event: string, ...values: unknown[]): void {
    try {
      this.#owner.emit(event, ...values)
    } catch (error) {
      this.#fault(error)
    }
  }

  /** A listener has thrown: that is an uncaught exception, before anything else is delivered. */
  #fault(error: unknown): void {
    throwLater(error)
    this.#yield()
  }

  /** Nothing more is delivered in this turn of the event loop. */
  #yield(): void {
    if (!this.lifecycle.delivers) return
    this.#pressure.pause(Reason.handlers)
    setImmediate(() => runOutside(() => this.#pressure.resumeNow(Reason.handlers)))
  }
}
