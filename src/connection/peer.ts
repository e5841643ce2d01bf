// One peer: the protocol, a transport, the limits and the deadlines, put together.
import type { AsyncResource } from 'node:async_hooks'
import { Buffer } from 'node:buffer'
import { OutOfMemory } from '../codec/codec.js'
import { OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG } from '../codec/frames.js'
import { inboxOfThread } from '../memory/inbox.js'
import { Account } from '../payload/account.js'
import { CloseCode, readClosePayload, writeClosePayload } from '../protocol/closeCode.js'
import { InvalidJson } from '../protocol/invalidJson.js'
import { Action, Lifecycle } from '../protocol/lifecycle.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Receiver, Transport } from '../transport/transport.js'
import type { Connection } from './connection.js'
import { Delivery } from './delivery.js'
import type { FrameBuffer } from './encoder.js'
import { ConnectionEnded } from './ended.js'
import { Incoming } from './incoming.js'
import { Pings } from './pings.js'
import { Pressure } from './pressure.js'
import { type Inside, PublicConnection } from './publicConnection.js'
import { Reason } from './reason.js'
import { Sender } from './sender.js'
import type { Opening, Shared } from './shared.js'
import { leaveTopics } from './subscriptions.js'
import { silence, Vitals } from './vitals.js'

const NOTHING = new Uint8Array(0)

/** A slow peer whose unfinished write holds no more may still be told why it is ended. */
const LITTLE = 65_536

export class Peer<Data> implements Inside<Data>, Receiver {
  due = 0
  held = 0
  /** What the application is given. */
  readonly connection: Connection<Data>
  readonly request: UpgradeRequest
  readonly protocol: string
  context: AsyncResource | undefined
  readonly shared: Shared<Data>
  readonly sender: Sender
  readonly pressure: Pressure
  readonly delivery: Delivery<Data>
  readonly #transport: Transport
  readonly #clientAddress: string | undefined
  readonly #lifecycle: Lifecycle
  readonly #vitals: Vitals
  readonly #incoming: Incoming
  #pings: Pings | undefined

  constructor(shared: Shared<Data>, transport: Transport, opening: Opening<Data>) {
    this.connection = new PublicConnection(opening.data, this)
    this.request = opening.request
    this.protocol = opening.protocol
    this.#clientAddress = opening.clientAddress
    this.shared = shared
    this.#transport = transport
    this.#lifecycle = new Lifecycle(shared.encoder.role)
    this.#vitals = new Vitals(shared)
    this.pressure = new Pressure(transport, this.#lifecycle, this.#vitals, this)
    this.sender = new Sender(shared, transport, this.#lifecycle, this.pressure, this)
    this.delivery = new Delivery(shared, this, this.pressure)
    this.#incoming = new Incoming(shared, this, this.delivery, shared.encoder.role)
  }

  /**
   * Opens, once `respond` has written what goes before the first frame, and takes the frames that came with the request.
   * Throws OutOfMemory, before anything is sent, where `respond` does.
   */
  start(early: Uint8Array, respond?: (output: FrameBuffer) => void): void {
    const { turn, connections, deadlines, callbacks } = this.shared
    turn.begin()
    try {
      respond?.(this.sender.outgoing)
      connections.add(this.connection)
      deadlines.setTick(this, this.#vitals.next)
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
    return this.#lifecycle.isOpen
  }

  get remoteAddress(): string | undefined {
    return this.#lifecycle.isGone ? undefined : (this.#clientAddress ?? this.#transport.remoteAddress)
  }

  get pings(): Pings {
    this.#pings ??= new Pings(new Account(this.shared.budget, this))
    return this.#pings
  }

  close(code: number, reason: string): void {
    writeClosePayload(code, reason) // throws for what may not be sent
    if (!this.isOpen) return
    this.sender.catchUp() // after Close, nothing can be sent
    this.#do(this.#lifecycle.sendClose({ code, reason }))
  }

  terminate(): void {
    this.#do(this.#lifecycle.terminate())
  }

  /** Its deadline: of the closing handshake, or the next look at its vitals (Expiring). */
  expired(): void {
    if (!this.isOpen) return this.#do(this.#lifecycle.expires())
    const { deadlines, limits } = this.shared
    const { outgoing } = this.sender
    const verdict = this.#vitals.look(outgoing, outgoing.taken(this.#transport.unsent))
    if (verdict === 'lifetime') return this.close(CloseCode.goingAway, `maxLifetime is ${limits.maxLifetime} ms`)
    if (verdict === 'idle' || verdict === 'unread' || verdict === 'starved')
      return this.violated(silence(verdict, limits))
    if (verdict === 'ping') this.sender.control(OPCODE_PING, NOTHING)
    deadlines.setTick(this, this.#vitals.next)
  }

  // What the transport tells (Receiver).

  received(start: number, end: number): void {
    if (!this.#lifecycle.delivers) return
    const { turn, slices } = this.shared
    this.#vitals.heard()
    turn.begin()
    slices.begin(this)
    try {
      this.#incoming.receive(start, end)
    } catch (error) {
      this.#memorySpent(error)
    }
    this.#incoming.noteArrival(!this.pressure.stopped)
    turn.end()
  }

  get frugal(): boolean {
    return this.shared.budget.frugal
  }

  waits(bytes: number): boolean {
    const { budget } = this.shared
    if (bytes < 0) budget.forget(this, -bytes)
    else if (!this.#lifecycle.delivers || !budget.keep(this, bytes)) {
      this.violated(new ProtocolViolation('MEMORY_SPENT'))
      return false
    }
    return true
  }

  ended(): void {
    this.#do(this.#lifecycle.peerEnds())
  }

  written(status: number): void {
    this.#do(this.#lifecycle.progress())
    this.sender.goesOn(status)
  }

  closed(): void {
    const { callbacks, connections, deadlines, budget } = this.shared
    this.#lifecycle.transportGone()
    connections.delete(this.connection)
    deadlines.clear(this)
    this.#incoming.free()
    leaveTopics(this.shared, this.sender, this)
    this.sender.free()
    this.#pings?.abandon()
    this.delivery.end()
    budget.leave(this)
    const { code, reason } = this.#lifecycle.outcome
    callbacks.close(this, code, reason)
    this.shared.closed(this.connection)
  }

  // What the sending half tells (Owner).

  everythingWritten(): void {
    this.#do(this.#lifecycle.flushed())
  }

  drained(): void {
    this.shared.callbacks.drain(this)
  }

  // What the receiving half tells (Owner, Sink).

  get accepts(): boolean {
    return !this.pressure.stopped && this.#lifecycle.delivers
  }

  get done(): boolean {
    return !this.#lifecycle.delivers
  }

  control(opcode: number, pointer: number, length: number): void {
    if (opcode === OPCODE_PING) this.#answerPing(pointer, length)
    else if (opcode === OPCODE_PONG) this.#takePong(pointer, length)
    else if (opcode === OPCODE_CLOSE) this.#receiveClose(Buffer.from(this.shared.codec.view(pointer, length)))
  }

  violated(violation: ProtocolViolation): void {
    if (!this.#lifecycle.delivers) return
    this.shared.callbacks.error(this, violation, false)
    this.#fail(violation.closeCode, violation.message)
  }

  sliceOver(): void {
    const { slices } = this.shared
    if (this.pressure.stopped) return
    this.pressure.pause(Reason.slice)
    slices.later(() => this.pressure.resumeNow(Reason.slice))
  }

  budgetSpent(): void {
    this.pressure.pause(Reason.budget)
  }

  budgetFreed(): void {
    this.pressure.resume(Reason.budget)
  }

  get gone(): boolean {
    return this.#lifecycle.isGone
  }

  /** It makes the server hold the most, and others need the room: it ends, and what it has not been sent is given up. */
  evicted(): void {
    if (this.#lifecycle.isGone) return
    const { turn } = this.shared
    const { outgoing } = this.sender
    const slow = outgoing.blocked
    outgoing.drop()
    turn.begin()
    this.violated(new ProtocolViolation(slow ? 'OUTPUT_FULL' : 'MEMORY_SPENT', 'others need the memory'))
    turn.end()
    this.delivery.end()
    if (this.held > LITTLE) this.#transport.close()
  }

  payloadStalled(): void {
    this.violated(new ProtocolViolation('PAYLOAD_STALLED', `payloadTimeout is ${this.shared.limits.payloadTimeout} ms`))
  }

  // Receiving.

  /** Section 5.5.3: a pong carries what its ping carried. */
  #answerPing(pointer: number, length: number): void {
    if (this.isOpen) this.sender.pong(pointer, length)
  }

  #takePong(pointer: number, length: number): void {
    const { callbacks, codec } = this.shared
    if (this.#pings === undefined && !callbacks.hasPong) return
    const payload = Buffer.from(codec.view(pointer, length))
    this.#pings?.answered(payload)
    if (callbacks.hasPong) callbacks.pong(this, payload)
  }

  #receiveClose(payload: Buffer): void {
    const status = readClosePayload(payload)
    if (status instanceof ProtocolViolation) return this.violated(status)
    this.sender.catchUp()
    this.#do(this.#lifecycle.receiveClose(status))
  }

  handlerFailed(error: unknown): void {
    if (error instanceof InvalidJson) return this.violated(new ProtocolViolation('INVALID_JSON'))
    // Of a peer that has left, its handlers can't but hear: that is no mistake of theirs.
    this.shared.callbacks.error(this, error, this.isOpen || !(error instanceof ConnectionEnded))
    this.#fail(CloseCode.internalError, '')
  }

  // How it ends.

  #fail(code: number, reason: string): void {
    if (!this.#lifecycle.delivers) return
    this.sender.catchUp()
    this.#do(this.#lifecycle.fail({ code, reason }))
  }

  /** Does what the lifecycle has answered to an event. */
  #do(actions: number): void {
    if (actions === Action.none) return
    if ((actions & Action.sayClose) !== 0) this.#sayClose()
    if ((actions & Action.limitTime) !== 0) this.shared.deadlines.set(this, this.shared.limits.closeTimeout)
    if ((actions & Action.stopDelivery) !== 0) this.#stopDelivery()
    if ((actions & Action.flush) !== 0) this.sender.outgoing.touch()
    if ((actions & Action.halfClose) !== 0) this.#transport.end()
    if ((actions & Action.destroy) !== 0) {
      this.sender.end()
      this.#transport.close()
    }
  }

  #sayClose(): void {
    const { code, reason } = this.#lifecycle.closeFrame
    this.sender.control(OPCODE_CLOSE, writeClosePayload(code === CloseCode.none ? undefined : code, reason))
    this.sender.end()
  }

  #stopDelivery(): void {
    this.sender.end()
    this.#incoming.drop()
    this.pressure.drain()
  }

  /** No memory is left for what came, or for the answer: that is this peer's end, not the process's. */
  #memorySpent(error: unknown): void {
    if (error instanceof OutOfMemory) this.violated(new ProtocolViolation('MEMORY_SPENT', error.message))
    else this.handlerFailed(error)
  }

  // Whether it is read from (PressureListener).

  readingStopped(): void {
    this.#incoming.noteArrival(false)
    const { deadlines } = this.shared
    const { next } = this.#vitals
    if (this.isOpen && next !== 0 && (this.due === 0 || next < this.due)) deadlines.setTick(this, next)
  }

  deliverParked(): void {
    const { turn, slices } = this.shared
    turn.begin()
    slices.begin(this)
    try {
      inboxOfThread().exclusively(() => this.#incoming.resume())
    } catch (error) {
      this.#memorySpent(error)
    }
    turn.end()
  }

  readingStarted(): void {
    this.#incoming.noteArrival(true)
  }
}
