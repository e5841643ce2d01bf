// The sending side of a connection as the application uses it: frames what is sent, and holds it to the output limit.
import { Buffer } from 'node:buffer'
import { checkOptions } from '../../checks/check.js'
import { everywhere, streamOptions } from '../../checks/tables.js'
import { OutOfMemory } from '../../codec/codec.js'
import { FIN, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_PONG, OPCODE_TEXT } from '../../codec/frames.js'
import type { Lifecycle } from '../../protocol/lifecycle.js'
import { ProtocolViolation } from '../../protocol/violation.js'
import type { Transport } from '../../transport/transport.js'
import type { Sendable, SendResult } from '../connection.js'
import { leaveOut } from '../leftOut.js'
import { Message, messageInternals } from '../message.js'
import type { Owner } from '../owner.js'
import { Reason } from '../reason.js'
import type { DeflatedBytes, SharedMemory, Subscriber, Tally } from '../subscriber.js'
import type { Backlog } from './backlog.js'
import { bytesOf } from './encoder.js'
import { Outgoing } from './outgoing.js'
import { mostBuffered, type OutgoingOwner } from './outgoingShared.js'
import { PreparedMessage, preparedInternals } from './prepared.js'
import { encode, exactBytes, type FragmentData } from './sendable.js'
import type { SenderContext } from './senderShared.js'
import { openSource, type SendStreamOptions, type StreamSource } from './streamSource.js'
import { type FragmentSender, Unfinished } from './unfinished.js'

export class Sender implements FragmentSender, OutgoingOwner, Subscriber {
  readonly outgoing: Outgoing
  protected readonly shared: SenderContext
  protected readonly lifecycle: Lifecycle
  readonly holder: Owner // the connection
  protected drainOwed = false // `send` has answered `'buffered'`, so `drain` is to be told
  #holding = false // reading has been stopped because of the output
  /** Something could not be sent, which ends the connection, soon or now: nothing may follow it, only Close. */
  #failed = false
  /** The message under way that is sent in parts, made for the first. */
  protected unfinished: Unfinished | undefined

  constructor(shared: SenderContext, transport: Transport, lifecycle: Lifecycle, owner: Owner) {
    this.shared = shared
    this.lifecycle = lifecycle
    this.holder = owner
    this.outgoing = new Outgoing(transport, shared, this, owner)
  }

  /** Bytes that were taken and that the system has not, those behind an unfinished message included. */
  get buffered(): number {
    return this.outgoing.buffered + (this.unfinished?.waiting ?? 0)
  }

  send(data: Sendable, _compress?: boolean): SendResult {
    try {
      return this.#send(data)
    } catch (error) {
      return this.memorySpent(error)
    }
  }

  #send(data: Sendable): SendResult {
    this.catchUp()
    if (this.unfinished?.underWay === true) return this.#sendAmid(this.unfinished, data)
    if (typeof data !== 'string' && data instanceof Message) return this.#message(data)
    return this.#payload(data)
  }

  #payload(data: Exclude<Sendable, Message>): SendResult {
    if (typeof data !== 'string' && data instanceof PreparedMessage) return this.#prepared(data)
    const { encoder } = this.shared
    const payload = typeof data === 'string' ? data : bytesOf(data)
    const refused = this.refused(payload)
    if (refused !== undefined) return refused
    if (typeof payload === 'string') encoder.text(this.outgoing, FIN | OPCODE_TEXT, payload)
    else encoder.bytes(this.outgoing, FIN | OPCODE_BINARY, payload)
    return this.framed()
  }

  /** Another message is under way: what is sent waits behind a stream, and has no place amid fragments. */
  #sendAmid(unfinished: Unfinished, data: Sendable): SendResult {
    const length = exactBytes(data) // throws for what can't be sent
    if (!this.#open) return 'closed'
    unfinished.checkWaiting()
    return this.#wait(unfinished, length, (backlog) => encode(this.shared.encoder, backlog, data))
  }

  /** Something is about to be sent: what topics have published before it goes first. */
  catchUp(): void {
    const { topics } = this.shared
    if (topics.pending) topics.catchUp(this)
  }

  /** What a topic has encoded, for this connection among others. Never throws. */
  deliver(memory: SharedMemory, pointer: number, length: number, _deflated?: DeflatedBytes, tally?: Tally): SendResult {
    try {
      if (this.unfinished?.underWay !== true) return this.#sendFrames(memory, pointer, length, tally)
      return this.#wait(this.unfinished, length, (backlog) => backlog.add(memory, pointer, length))
    } catch (error) {
      return this.memorySpent(error)
    }
  }

  leftOut(topic: string, publications: number): void {
    leaveOut(this.shared.counts, this.holder, topic, publications)
  }

  /** A fragment of a message (section 5.4): its first decides whether it is text. */
  sendFragment(data: FragmentData, last: boolean): SendResult {
    const unfinished = this.#parts
    unfinished.checkNoStream()
    this.catchUp()
    const payload = typeof data === 'string' ? data : bytesOf(data)
    if (!this.admits()) return 'closed' // else a message that has begun must be ended: it can't be dropped
    unfinished.checkKind(payload)
    if (this.shared.outputPolicy === 'close' && this.refused(payload) !== undefined) return 'closed'
    return unfinished.fragment(payload, last)
  }

  /** Answers a ping of the peer; not where a message would be dropped: a later pong stands for this one (section 5.5.3). */
  pong(pointer: number, length: number): void {
    if (this.overflows(length) !== undefined) return
    this.#frameControl(() => this.shared.encoder.payload(this.outgoing, FIN | OPCODE_PONG, pointer, length))
  }

  /** Sends what `source` yields as one message; see `Connection.sendStream`. */
  sendStream(source: StreamSource, options: SendStreamOptions): Promise<void> {
    checkOptions(options, streamOptions, everywhere)
    this.#parts.checkNone()
    return this.#parts.stream(openSource(source), options.binary, () => this.catchUp())
  }

  get #parts(): Unfinished {
    this.unfinished ??= new Unfinished(this.shared, this.lifecycle, this, this.holder)
    return this.unfinished
  }

  /** Nothing more can be sent: a stream hears of it at once, and what waits behind it is given up. */
  end(): void {
    this.unfinished?.end()
  }

  flushed(): void {
    const { outputLimit } = this.shared.limits
    if (this.buffered > outputLimit) this.hold()
    else if (this.#holding && this.buffered <= outputLimit / 2) this.hold(false)
    if (!this.lifecycle.delivers && this.outgoing.buffered === 0) this.holder.everythingWritten()
  }

  writeFailed(): void {
    this.holder.terminate()
  }

  /** Writes what waits, perhaps after a write with this `status`; then a stream goes on, and `drain` may be due. */
  goesOn(status?: number): void {
    const { turn, limits } = this.shared
    turn.begin()
    if (status === undefined) this.outgoing.flush()
    else this.outgoing.written(status)
    if (this.outgoing.buffered <= limits.outputLimit / 2) this.unfinished?.relieved()
    this.drained()
    turn.end()
  }

  /** A control frame of this side's making: Close, or another one where the connection is open. */
  control(opcode: number, payload: Uint8Array): void {
    this.catchUp()
    if (opcode !== OPCODE_CLOSE && !this.lifecycle.isOpen) return // what was published before has failed it
    this.#frameControl(() => this.shared.encoder.control(this.outgoing, opcode, payload))
  }

  /** Without memory even for a control frame, the connection ends at once, and its peer sees 1006. */
  #frameControl(frame: () => void): void {
    try {
      frame()
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      return this.holder.terminate()
    }
    this.relieve()
  }

  /** There is no memory for what is to be sent: that is this connection's end, whoever has called. */
  memorySpent(error: unknown): 'closed' {
    if (!(error instanceof OutOfMemory)) throw error
    return this.#fail(new ProtocolViolation('MEMORY_SPENT', error.message))
  }

  /** Once, also if the `error` handler goes on sending. */
  #fail(violation: ProtocolViolation): 'closed' {
    if (this.#failed) return 'closed'
    this.#failed = true
    this.shared.turn.afterwards(() => this.holder.violated(violation))
    return 'closed'
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.end()
    this.outgoing.free()
  }

  /** Tells, once, that everything has left which `send` answered `'buffered'` for. */
  drained(): void {
    if (!this.drainOwed || this.buffered > 0) return
    this.drainOwed = false
    if (this.lifecycle.isOpen) this.holder.drained()
  }

  /** Above the output limit, writes at once what the turn has piled up, or stops reading if that can't be written. */
  relieve(): void {
    if (this.outgoing.buffered <= this.shared.limits.outputLimit) return
    if (this.outgoing.blocked) this.hold()
    else this.outgoing.flush()
  }

  /** The output is above its limit, and can't be written: nothing is read until that is over. */
  protected hold(holding = true): void {
    if (this.shared.outputPolicy !== 'pause') return
    this.#holding = holding
    if (holding) this.holder.pressure.pause(Reason.output)
    else this.holder.pressure.resume(Reason.output)
  }

  get #open(): boolean {
    return this.lifecycle.isOpen && !this.#failed
  }

  /** Whether anything can be sent. A peer that lets output pile up to the ceiling, whatever was done about it, is gone. */
  admits(): boolean {
    if (!this.#open) return false
    if (this.outgoing.waiting + (this.unfinished?.waiting ?? 0) <= this.shared.limits.outputCeiling) return true
    this.holder.terminate()
    return false
  }

  /** Keeps a message until the one under way has been sent: buffered bytes like all others, under the same policy. */
  #wait(unfinished: Unfinished, length: number, add: (backlog: Backlog) => void): SendResult {
    const limit = unfinished.waiting > 0 ? this.shared.limits.outputLimit : undefined
    const refused = this.admits() ? this.overflows(length, limit, this.buffered) : 'closed'
    if (refused !== undefined) return refused
    add(unfinished.backlog)
    this.drainOwed = true
    if (this.buffered > this.shared.limits.outputLimit) this.hold()
    return 'buffered'
  }

  #sendFrames(memory: SharedMemory, pointer: number, length: number, tally?: Tally): SendResult {
    const refused = this.admits() ? this.overflows(length) : 'closed'
    if (refused === undefined) this.outgoing.addFrames(memory, pointer, length, tally)
    return refused ?? this.framed()
  }

  /** From where it lies, for many connections; a client's frame is masked, and so its own. */
  #prepared(message: PreparedMessage): SendResult {
    const { memory, length } = preparedInternals.frame(message)
    if (!this.shared.encoder.masks) return this.#sendFrames(memory, memory.pointer, length)
    const refused = this.refused(message)
    if (refused === undefined) encode(this.shared.encoder, this.outgoing, message)
    return refused ?? this.framed()
  }

  #message(message: Message): SendResult {
    const pointer = messageInternals.pointer(message) // throws for one that is gone
    const refused = this.refused(message)
    if (refused === undefined) this.shared.encoder.message(this.outgoing, message, pointer)
    return refused ?? this.framed()
  }

  /** What `send` answers for what is framed. */
  framed(): SendResult {
    return this.outgoing.isWithin(this.shared.limits.outputLimit) ? 'sent' : this.#framedMore()
  }

  #framedMore(): SendResult {
    this.relieve()
    if (!this.outgoing.waits) return 'sent'
    this.drainOwed = true
    return 'buffered'
  }

  /** What `send` answers instead of sending: the connection is closed, or its output full and the policy is not to wait. */
  protected refused(data: string | { readonly byteLength: number }): SendResult | undefined {
    if (!this.outgoing.waits && !this.#failed && this.lifecycle.isOpen) return undefined // for nearly every message
    return this.#refusal(data)
  }

  #refusal(data: string | { readonly byteLength: number }): SendResult | undefined {
    // Without a write that stands still, the rest only waits for its turn: the peer may be reading.
    if (this.shared.outputPolicy === 'pause' && this.#open && !this.outgoing.blocked) return undefined
    if (!this.admits()) return 'closed'
    return this.overflows(typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength)
  }

  /** What becomes of `length` bytes more where others wait already; undefined if they are taken. */
  protected overflows(length: number, limit?: number, buffered = this.outgoing.buffered): SendResult | undefined {
    const { limits, outputPolicy } = this.shared
    const most = limit ?? mostBuffered(this.outgoing, limits)
    if (outputPolicy === 'pause' || buffered + length <= most) return undefined
    if (outputPolicy === 'drop') return 'dropped'
    const name = most === limits.outputLimit ? 'outputLimit' : 'outputCeiling'
    return this.#fail(new ProtocolViolation('OUTPUT_FULL', `${name} is ${most} bytes`))
  }
}
