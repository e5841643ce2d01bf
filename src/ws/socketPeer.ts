// The peer of one WebSocket: the core's halves of a connection, put together as ws promises it. Nothing limits it but what
// its options say, what its listeners throw is an uncaught exception, and a connection whose peer has not said Close has
// ended with 1006, whatever this side has said.
import type { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { OPCODE_CLOSE, OPCODE_PING } from '../codec/frames.js'
import { Pressure, type PressureListener } from '../connection/pressure.js'
import { Reason } from '../connection/reason.js'
import { Incoming } from '../connection/receiving/incoming.js'
import type { Sink } from '../connection/receiving/sink.js'
import { Outgoing } from '../connection/sending/outgoing.js'
import type { OutgoingOwner } from '../connection/sending/outgoingShared.js'
import { CloseCode } from '../protocol/closeCode.js'
import type { ProtocolViolation } from '../protocol/violation.js'
import { HandleTransport } from '../transport/handle.js'
import { CANCELED } from '../transport/systemError.js'
import type { Receiver, Transport } from '../transport/transport.js'
import { AutoPongs } from './autoPongs.js'
import { ChunkCount } from './chunkCount.js'
import { closePayload, readClose } from './closePayload.js'
import { chunksError, closeCodeOf, errorOf } from './errors.js'
import { EventDelivery } from './eventDelivery.js'
import { FrameSender } from './frameSender.js'
import { keepOrder } from './orderedSocket.js'
import { PeerLife } from './peerLife.js'
import { ReadPauses } from './readPauses.js'
import type { ReceiverOptions } from './receiver.js'
import { replaced } from './replaced.js'
import type { SocketContext } from './socketContext.js'
import { type Ending, SocketEnd } from './socketEnd.js'
import * as events from './socketEvents.js'
import type { ClosingOwner, SocketSettings } from './socketOwner.js'
import { SocketReceiver } from './socketReceiver.js'

export class SocketPeer extends PeerLife implements Receiver, Sink, PressureListener, OutgoingOwner, Ending {
  readonly socket: Duplex
  readonly frames: FrameSender
  readonly #owner: ClosingOwner
  readonly #settings: SocketSettings
  readonly context: SocketContext // what its options come to
  readonly transport: Transport
  readonly #pressure: Pressure
  readonly #delivery: EventDelivery
  readonly incoming: Incoming
  #pongs: AutoPongs | undefined
  #pauses: ReadPauses | undefined
  #chunks: ChunkCount | undefined
  #tells = false // something that was read is being told
  #isOver = false // the transport is gone, which is told when all is told that was read before
  #receiver: SocketReceiver | undefined
  #stood = false // a write has not been finished at once, so that 'drain' is to be told

  constructor(owner: ClosingOwner, settings: SocketSettings, shared: SocketContext, socket: Duplex) {
    super()
    const { deflate } = settings
    this.#owner = owner
    this.#settings = settings
    this.context = shared
    this.socket = socket
    this.transport = events.transportOver(socket)
    this.#pressure = new Pressure(this.transport, this.lifecycle, shared.vitals, this)
    this.frames = new FrameSender(shared, this, new Outgoing(this.transport, shared, this, this), deflate?.deflation)
    this.#delivery = new EventDelivery(owner, this.#pressure, shared.synchronous)
    this.incoming = new Incoming(shared, this, this.#delivery, this.#pressure, shared.encoder.role, settings)
  }

  /** Opens: `response` is written first. What came early, and all that comes, is delivered from the next tick on. */
  start(head: Buffer, response = ''): void {
    const early = events.readEarly(this.socket, head)
    this.transport.open(this)
    if (response !== '') this.frames.raw([response], undefined)
    if (!(this.transport instanceof HandleTransport)) this.frames.writeOut()
    events.deliverEarly(this.socket, early, this)
  }

  get closeTimeout(): number | undefined {
    return this.#settings.closeTimeout
  }

  get ending(): SocketEnd {
    this.end ??= new SocketEnd(this)
    return this.end
  }

  deliveryEnds(): void {
    this.incoming.drop()
    this.#pressure.drain()
  }

  closes(values: readonly [code?: number, reason?: Buffer]): void {
    const own = replaced(this.#owner, 'close')
    if (own !== undefined) this.#delivery.attempt(() => own(...values))
    else if (this.lifecycle.isOpen) this.ending.close(closePayload(...values))
  }

  /** Ends the connection at once; of what has been read, the rest is told. */
  terminate(): void {
    this.ending.perform(this.lifecycle.terminateAfterRest())
  }

  /** Pauses that the application asks for, once it has. */
  get pauses(): ReadPauses {
    this.#pauses ??= new ReadPauses(this, this.#pressure)
    return this.#pauses
  }

  /** Whether what was read is being told, or waits for the next turn, or for a thread. */
  get tells(): boolean {
    return this.#tells || (this.incoming.waits && this.#pressure.stopped)
  }

  /** Somebody looks at the socket: to pause it has its effect from now on, and what was sent is before all written to it. */
  expose(): Duplex {
    this.frames.writeOut()
    if (this.transport instanceof HandleTransport) this.pauses.expose()
    return events.withoutTimeout(this.socket)
  }

  /** What frames say is told to a Receiver from now on, which tells the WebSocket. */
  receiverFor(extensions: ReceiverOptions['extensions']): SocketReceiver {
    this.#receiver ??= this.#delivery.byWayOf(new SocketReceiver(this, this.#owner, extensions))
    return this.#receiver
  }

  // What the transport tells (Receiver).

  received(start: number, end: number): void {
    if (this.#chunks?.isFull(this.context.mostChunks)) this.#fail(CloseCode.policyViolation, chunksError())
    if (!this.lifecycle.delivers) return
    this.#tells = true
    this.#delivery.begins()
    this.incoming.receive(start, end)
    this.#told()
    const { progress } = this.incoming
    if (ChunkCount.begins(progress, this.context.mostChunks)) this.#chunks ??= new ChunkCount()
    this.#chunks?.read(end - start, progress)
  }

  #told(): void {
    this.#tells = false // or the rest of it waits
    this.#pauses?.settle()
    if (!this.#isOver) return
    this.#isOver = false
    process.nextTick(() => this.closed()) // behind an error of what was told last
  }

  ended(): void {
    this.#peerEnds()
    this.#tellSocket('end')
  }

  #peerEnds(): void {
    this.ending.peerEnded = true
    this.ending.perform(this.lifecycle.peerEnds())
  }

  allWritten(): void {
    process.nextTick(() => this.#tellSocket('finish'))
  }

  #tellSocket(event: 'end' | 'finish'): void {
    this.#delivery.attempt(() => events.tellSocket(this, event))
  }

  written(status: number): void {
    if (status < 0 && status !== CANCELED) this.ending.writeFailed = true
    this.context.turn.begin()
    this.frames.outgoing.written(status)
    this.context.turn.end()
  }

  closing(): void {
    events.closing(this.socket)
  }

  alsoOf(socket: Socket): void {
    this.frames.writeOut()
    keepOrder(socket, this.frames)
  }

  closed(): void {
    this.lifecycle.terminateAfterRest() // it was open perhaps, and must not be while callbacks are called
    this.#isOver = this.lifecycle.delivers && (this.end?.failed || this.incoming.waits || this.#delivery.waits)
    if (this.#isOver) return this.#pressure.resume(Reason.application)
    this.end?.over()
    this.incoming.free()
    this.frames.end(this.end?.cause, this.socket instanceof Socket && this.end?.writeFailed !== true)
    // Whoever listens to the socket hears of its end first, where that is sudden.
    if (events.isMade(this.socket) && this.end?.isSudden !== false) process.nextTick(() => this.#gone())
    else this.#gone()
  }

  #gone(): void {
    this.context.budget.leave(this)
    this.frames.afterCallbacks(() => this.#delivery.tellClose(() => this.#owner.emitClose()))
  }

  failing(error: Error): void {
    this.lifecycle.terminateAfterRest()
    this.ending.cause = error
  }

  // What the outgoing half tells (OutgoingOwner, FrameSenderOwner).

  flushed(): void {
    const { outgoing, reads } = this.frames
    if (outgoing.buffered > 0) this.#stood = true
    else if (this.#stood) {
      this.#stood = false
      events.tellDrain(this.socket) // ahead of the callbacks of what has left last, as a stream does
    }
    this.frames.hasLeft()
    if (!this.lifecycle.delivers && outgoing.buffered === 0 && !reads) this.ending.perform(this.lifecycle.flushed())
  }

  writeFailed(): void {
    if (!events.isDestroyed(this.socket)) this.terminate() // or the socket is about to say so
  }

  goesOn(): void {
    this.frames.outgoing.flush()
  }

  memorySpent(error: Error): void {
    if (this.lifecycle.isGone) return
    this.terminate()
    this.#delivery.tellLater('error', error)
  }

  /** The bytes of a Blob can't be had: what was sent before it still leaves, and what the peer sends is told. */
  blobFailed(error: Error): void {
    if (this.lifecycle.isGone) return
    this.frames.writeOut()
    if (this.frames.outgoing.buffered > 0) this.#peerEnds()
    else this.ending.perform(this.lifecycle.closeHalf())
    this.#delivery.tell('error', error)
  }

  // What the receiving half finds (Sink).

  control(opcode: number, pointer: number, length: number): void {
    const data = this.context.codec.copyOf(pointer, length)
    if (opcode === OPCODE_CLOSE) return this.#closeReceived(data)
    if (opcode !== OPCODE_PING) this.#delivery.tellControl('pong', data)
    else this.#delivery.tellControl('ping', data, this.#receiver === undefined ? this : undefined)
  }

  violated(violation: ProtocolViolation, inflating = false): void {
    this.#fail(closeCodeOf(violation), errorOf(violation.code, this.incoming.refused, violation.message), inflating)
  }

  handlerFailed(error: unknown): void {
    this.#delivery.fault(error)
  }

  // What the budget and the pressure ask (Claimant, PressureListener).

  budgetFreed(): void {
    this.#pressure.resume(Reason.budget)
  }

  reading(goesOn: boolean): void {
    this.incoming.noteArrival(goesOn)
  }

  deliverParked(): void {
    this.#tells = true
    this.#delivery.begins(true)
    this.incoming.deliverParked()
    this.#told()
  }

  #closeReceived(payload: Buffer): void {
    const said = readClose(payload, this.context.anyText)
    if (said.error !== undefined) return this.#fail(said.code, said.error)
    if (this.#receiver === undefined) this.ending.received(said.code, said.reason)
    else this.#delivery.tell('conclude', said.code, said.reason)
  }

  answer(data: Buffer): void {
    const { mostPongs } = this.#settings
    if (mostPongs === undefined || !this.lifecycle.isOpen) return
    this.#pongs ??= new AutoPongs(this.#owner, this)
    this.#pongs.answer(data, mostPongs)
  }

  /** Fails the connection when its error is due, and tells why: once, as nothing more is delivered. */
  #fail(code: number, error: Error, inflating = false): void {
    if (!this.lifecycle.delivers || this.ending.failed) return
    this.ending.failed = true
    this.#pressure.pause(Reason.handlers)
    this.#delivery.whenDue(inflating, () => {
      this.ending.fail(code)
      this.#delivery.tell('error', error)
      this.#receiver?.emit('error', error)
      this.#told()
    })
  }
}
