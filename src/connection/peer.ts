// One peer: the protocol, a transport, the limits and the deadlines, put together.
import type { AsyncResource } from 'node:async_hooks'
import { Buffer } from 'node:buffer'
import { OutOfMemory } from '../codec/codec.js'
import { OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG } from '../codec/frames.js'
import { inboxOfThread } from '../memory/inbox.js'
import { Account } from '../payload/account.js'
import { CloseCode, readClosePayload, writeClosePayload } from '../protocol/closeCode.js'
import { InvalidJson } from '../protocol/invalidJson.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Receiver, Transport } from '../transport/transport.js'
import type { Sendable, SendResult } from './connection.js'
import { Delivery, type Recipient } from './delivery.js'
import type { FrameBuffer } from './encoder.js'
import { ConnectionEnded } from './ended.js'
import { Ending, type EndingOwner } from './ending.js'
import type { Opening, Shared } from './handlers.js'
import { Incoming, type Sink } from './incoming.js'
import type { MessageLoop } from './messageLoop.js'
import { Pings, pingPayload, refusedPing } from './pings.js'
import { type Reader, Reading, Reason, silence } from './reading.js'
import { Sender, type SenderOwner } from './sender.js'
import type { SharedMemory } from './sharedBlock.js'
import type { SendStreamOptions, StreamSource } from './streamSource.js'
import { leaveTopics, subscribe, unsubscribe } from './subscriptions.js'

const NOTHING = new Uint8Array(0)

/** A slow peer whose unfinished write holds no more may still be told why it is ended. */
const LITTLE = 65_536

export class Peer<Data> implements Recipient<Data>, Receiver, Sink, SenderOwner, Reader, EndingOwner {
  data: Data
  due = 0
  held = 0
  readonly request: UpgradeRequest
  readonly protocol: string
  context: AsyncResource | undefined
  readonly #shared: Shared<Data>
  readonly #transport: Transport
  readonly #clientAddress: string | undefined
  readonly #incoming: Incoming
  readonly #sender: Sender
  readonly #ending: Ending
  readonly #reading: Reading
  readonly #delivery: Delivery<Data>
  #pings: Pings | undefined

  constructor(shared: Shared<Data>, transport: Transport, opening: Opening<Data>) {
    this.data = opening.data
    this.request = opening.request
    this.protocol = opening.protocol
    this.#clientAddress = opening.clientAddress
    this.#shared = shared
    this.#transport = transport
    this.#sender = new Sender(shared, transport, this)
    this.#ending = new Ending(shared, transport, this.#sender, this)
    this.#reading = new Reading(transport, shared.deadlines, this)
    this.#delivery = new Delivery(shared, this, this.#reading)
    this.#incoming = new Incoming(shared, this, this.#delivery, shared.encoder.role)
  }

  /**
   * Opens, once `respond` has written what goes before the first frame, and takes the frames that came with the request.
   * Throws OutOfMemory, before anything is sent, where `respond` does.
   */
  start(early: Uint8Array, respond?: (output: FrameBuffer) => void): void {
    const { turn, connections, deadlines, times, callbacks } = this.#shared
    turn.begin()
    try {
      respond?.(this.#sender.outgoing)
      connections.add(this)
      deadlines.setTick(this, this.#reading.next(times))
      this.#transport.open(this)
      inboxOfThread().deliverAfter(() => callbacks.open(this), this, early)
    } finally {
      turn.end()
    }
  }

  /** Gives back what it has, where it could not be started. */
  discard(): void {
    this.#incoming.free()
  }

  get isOpen(): boolean {
    return this.#ending.isOpen
  }

  get bufferedAmount(): number {
    return this.#sender.buffered
  }

  get remoteAddress(): string | undefined {
    return this.#ending.gone ? undefined : (this.#clientAddress ?? this.#transport.remoteAddress)
  }

  send(data: Sendable): SendResult {
    return this.#sender.send(data)
  }

  sendFragment(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer, last: boolean): SendResult {
    return this.#sender.sendFragment(data, last)
  }

  sendStream(source: StreamSource, options: SendStreamOptions = {}): Promise<void> {
    const sent = this.#sender.sendStream(source, options)
    sent.catch((error: unknown) => {
      if (this.isOpen) this.handlerFailed(error)
    })
    return sent
  }

  subscribe(topic: string): void {
    if (!this.#ending.gone && !subscribe(this.#shared, this, topic))
      this.violated(new ProtocolViolation('MEMORY_SPENT'))
  }

  unsubscribe(topic: string): void {
    unsubscribe(this.#shared, this, topic)
  }

  isSubscribed(topic: string): boolean {
    return this.#shared.topics.isSubscribed(this, topic)
  }

  publish(topic: string, data: Sendable): number {
    return this.#shared.topics.publish(topic, data, this)
  }

  deliver(memory: SharedMemory, pointer: number, length: number): void {
    this.#sender.deliver(memory, pointer, length)
  }

  ping(data?: string | ArrayBufferView | ArrayBuffer): Promise<number> {
    const payload = pingPayload(data)
    if (!this.#sender.admits()) return refusedPing()
    this.#pings ??= new Pings(new Account(this.#shared.budget, this))
    const roundTrip = this.#pings.sent(payload)
    this.#sender.control(OPCODE_PING, payload)
    return roundTrip
  }

  pause(): void {
    this.#reading.pause(Reason.application)
  }

  resume(): void {
    this.#reading.resume(Reason.application)
  }

  messages(): MessageLoop {
    return this.#delivery.messages()
  }

  close(code: number = CloseCode.normal, reason = ''): void {
    const payload = writeClosePayload(code, reason)
    if (this.isOpen) this.#ending.sayClose({ code, reason }, payload)
  }

  terminate(): void {
    this.#ending.terminate()
  }

  /** Its deadline: of the closing handshake, or the next look at its vitals (Expiring). */
  expired(): void {
    if (!this.isOpen) return this.terminate()
    const { deadlines, times, limits } = this.#shared
    const { outgoing } = this.#sender
    const verdict = this.#reading.look(outgoing, outgoing.taken(this.#transport.unsent), times)
    if (verdict === 'lifetime') return this.close(CloseCode.goingAway, `maxLifetime is ${limits.maxLifetime} ms`)
    if (verdict === 'idle' || verdict === 'unread' || verdict === 'starved')
      return this.violated(silence(verdict, limits))
    if (verdict === 'ping') this.#sender.control(OPCODE_PING, NOTHING)
    deadlines.setTick(this, this.#reading.next(times))
  }

  // What the transport tells (Receiver).

  received(start: number, end: number): void {
    if (this.#ending.done) return
    const { turn, slices, deadlines } = this.#shared
    this.#reading.seen = deadlines.now
    turn.begin()
    slices.begin(this)
    try {
      this.#incoming.receive(start, end)
    } catch (error) {
      this.#memorySpent(error)
    }
    this.#incoming.noteArrival(!this.#reading.stopped)
    turn.end()
  }

  get frugal(): boolean {
    return this.#shared.budget.frugal
  }

  waits(bytes: number): boolean {
    const { budget } = this.#shared
    if (bytes < 0) budget.forget(this, -bytes)
    else if (this.#ending.done || !budget.keep(this, bytes)) {
      this.violated(new ProtocolViolation('MEMORY_SPENT'))
      return false
    }
    return true
  }

  ended(): void {
    this.#ending.peerHalfCloses()
  }

  written(status: number): void {
    this.#ending.progress()
    this.#write(() => this.#sender.outgoing.written(status))
  }

  closed(): void {
    const { callbacks, connections, deadlines, budget } = this.#shared
    this.#ending.leave()
    connections.delete(this)
    deadlines.clear(this)
    this.#incoming.free()
    leaveTopics(this.#shared, this)
    this.#sender.free()
    this.#pings?.abandon()
    this.#delivery.end()
    budget.leave(this)
    const { code, reason } = this.#ending.outcome
    callbacks.close(this, code, reason)
    this.#shared.closed(this)
  }

  // What the sending half tells (SenderOwner).

  flushed(): void {
    const { buffered, outgoing } = this.#sender
    const { outputLimit } = this.#shared.limits
    if (buffered > outputLimit) this.#sender.hold()
    else if (buffered <= outputLimit / 2) this.#reading.resume(Reason.output)
    if (outgoing.buffered === 0) this.#ending.everythingWritten()
  }

  drained(): void {
    if (this.bufferedAmount === 0 && this.#sender.takePromise() && this.isOpen) this.#shared.callbacks.drain(this)
  }

  goesOn(): void {
    this.#write(() => this.#sender.outgoing.flush())
  }

  outputFull(): void {
    this.#reading.pause(Reason.output)
  }

  writeFailed(): void {
    this.terminate()
  }

  // What the receiving half tells (Sink).

  get accepts(): boolean {
    return !this.#reading.stopped && !this.#ending.done
  }

  get done(): boolean {
    return this.#ending.done
  }

  control(opcode: number, pointer: number, length: number): void {
    if (opcode === OPCODE_PING) this.#answerPing(pointer, length)
    else if (opcode === OPCODE_PONG) this.#takePong(pointer, length)
    else if (opcode === OPCODE_CLOSE) this.#receiveClose(Buffer.from(this.#shared.codec.view(pointer, length)))
  }

  violated(violation: ProtocolViolation): void {
    if (this.#ending.done) return
    this.#shared.callbacks.error(this, violation, false)
    this.#ending.fail({ code: violation.closeCode, reason: violation.message })
  }

  sliceOver(): void {
    const { slices } = this.#shared
    if (this.#reading.stopped) return
    this.#reading.pause(Reason.slice)
    slices.later(() => this.#reading.resumeNow(Reason.slice))
  }

  budgetSpent(): void {
    this.#reading.pause(Reason.budget)
  }

  budgetFreed(): void {
    this.#reading.resume(Reason.budget)
  }

  get gone(): boolean {
    return this.#ending.gone
  }

  /** It makes the server hold the most, and others need the room: it ends, and what it has not been sent is given up. */
  evicted(): void {
    if (this.#ending.gone) return
    const { turn } = this.#shared
    const { outgoing } = this.#sender
    const slow = outgoing.blocked
    outgoing.drop()
    turn.begin()
    this.violated(new ProtocolViolation(slow ? 'OUTPUT_FULL' : 'MEMORY_SPENT', 'others need the memory'))
    turn.end()
    this.#delivery.end()
    if (this.held > LITTLE) this.#transport.close()
  }

  payloadStalled(): void {
    this.violated(
      new ProtocolViolation('PAYLOAD_STALLED', `payloadTimeout is ${this.#shared.limits.payloadTimeout} ms`),
    )
  }

  // Receiving.

  /** Section 5.5.3: a pong carries what its ping carried. */
  #answerPing(pointer: number, length: number): void {
    if (!this.#ending.closeSent) this.#sender.pong(pointer, length)
  }

  #takePong(pointer: number, length: number): void {
    const { callbacks, codec } = this.#shared
    if (this.#pings === undefined && !callbacks.hasPong) return
    const payload = Buffer.from(codec.view(pointer, length))
    this.#pings?.answered(payload)
    if (callbacks.hasPong) callbacks.pong(this, payload)
  }

  #receiveClose(payload: Buffer): void {
    const status = readClosePayload(payload)
    if (status instanceof ProtocolViolation) return this.violated(status)
    this.#ending.closeReceived(status)
  }

  handlerFailed(error: unknown): void {
    if (error instanceof InvalidJson) return this.violated(new ProtocolViolation('INVALID_JSON'))
    // Of a peer that has left, its handlers can't but hear: that is no mistake of theirs.
    this.#shared.callbacks.error(this, error, this.isOpen || !(error instanceof ConnectionEnded))
    this.#ending.fail({ code: CloseCode.internalError, reason: '' })
  }

  // What ends tells (EndingOwner).

  deliveryEnds(): void {
    this.#incoming.drop()
    this.#reading.drain()
  }

  /** No memory is left for what came, or for the answer: that is this peer's end, not the process's. */
  #memorySpent(error: unknown): void {
    if (error instanceof OutOfMemory) this.violated(new ProtocolViolation('MEMORY_SPENT', error.message))
    else this.handlerFailed(error)
  }

  /** Writes what waits; then streams go on, and the application if it was promised to hear of it. */
  #write(work: () => void): void {
    const { turn } = this.#shared
    turn.begin()
    work()
    this.#sender.wake()
    this.drained()
    turn.end()
  }

  // Reading (Reader).

  readingStops(): void {
    this.#incoming.noteArrival(false)
    const { deadlines, times } = this.#shared
    const next = this.#reading.next(times)
    if (this.isOpen && next !== 0 && (this.due === 0 || next < this.due)) deadlines.setTick(this, next)
  }

  deliverParked(): void {
    const { turn, slices } = this.#shared
    turn.begin()
    slices.begin(this)
    try {
      inboxOfThread().exclusively(() => this.#incoming.resume())
    } catch (error) {
      this.#memorySpent(error)
    }
    turn.end()
  }

  readingStarts(): void {
    this.#incoming.noteArrival(true)
  }
}
