// One peer: the halves of a connection, its transport, its limits and its deadlines, put together. What happens is decided
// by its parts: Lifecycle and Ending, Pressure and Vitals, Sender, Incoming and Delivery.
import type { AsyncResource } from 'node:async_hooks'
import { Buffer } from 'node:buffer'
import { OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG } from '../codec/frames.js'
import { inboxOfThread } from '../memory/inbox.js'
import { CloseCode } from '../protocol/closeCode.js'
import { Lifecycle } from '../protocol/lifecycle.js'
import { requestInternals, type UpgradeRequest } from '../protocol/upgradeRequest.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Receiver, Transport } from '../transport/transport.js'
import { openHandler, openHandlerOutside } from './callbacks.js'
import type { Connection } from './connection.js'
import { Ending } from './ending.js'
import { Pings } from './pings.js'
import { Pressure } from './pressure.js'
import { type Inside, PublicConnection } from './publicConnection.js'
import { Reason } from './reason.js'
import { Delivery } from './receiving/delivery.js'
import type { Incoming } from './receiving/incoming.js'
import { openForFirstBytes, openIncoming } from './receiving/openIncoming.js'
import type { FrameBuffer } from './sending/encoder.js'
import { openSender } from './sending/openSender.js'
import type { Sender } from './sending/sender.js'
import type { Opening, RouteContext } from './shared.js'
import { leaveTopics } from './subscriptions.js'
import { silence, Vitals } from './vitals.js'

export class Peer<Data> implements Inside<Data>, Receiver {
  due = 0
  place = 0
  held = 0
  /** What the application is given. */
  readonly connection: Connection<Data>
  readonly request: UpgradeRequest
  readonly protocol: string
  context: AsyncResource | undefined
  readonly shared: RouteContext<Data>
  readonly #transport: Transport
  readonly #lifecycle: Lifecycle
  #sender: Sender | undefined // made when something is sent: many connections only listen
  #end: Ending | undefined // made when something of the end is to be done
  readonly #vitals: Vitals
  #pressure: Pressure | undefined // made for the first bytes, or the first reason to pause
  #incoming: Incoming | undefined // made for the first bytes that come: many connections only listen
  #delivery: Delivery<Data> | undefined
  #pings: Pings | undefined

  constructor(shared: RouteContext<Data>, transport: Transport, opening: Opening<Data>) {
    this.connection = new PublicConnection(opening.data, this)
    this.request = opening.request
    this.protocol = opening.protocol
    this.shared = shared
    this.#transport = transport
    this.#lifecycle = new Lifecycle(shared.encoder.role)
    this.#vitals = new Vitals(shared)
    shared.heap.expectSlot()
    if (opening.deflate === undefined) return
    this.#sender = openSender(opening.deflate, shared, transport, this.#lifecycle, this)
    this.#incoming = openIncoming(this, opening) // its windows count from now on
  }

  /** Opens, once `respond` has written what goes first, and takes what came early. Throws OutOfMemory, as `respond` does. */
  start(early: Uint8Array, respond?: (output: FrameBuffer) => void): void {
    const { turn, connections, deadlines } = this.shared
    turn.begin()
    try {
      respond?.(this.#sender?.outgoing ?? turn.greeting.of(this))
      connections.add(this.connection)
      deadlines.setTick(this, this.#vitals.next)
      this.#transport.open(this)
      inboxOfThread().deliverAfter(this.#transport.outside === true ? openHandlerOutside : openHandler, this, early)
    } finally {
      if (!turn.greeting.leave(this, this.#transport)) this.terminate()
      turn.end()
    }
  }

  /** Gives back all memory of a connection that could not be started. */
  discard(): void {
    this.#incoming?.free()
  }

  get isOpen(): boolean {
    return this.#lifecycle.isOpen
  }

  get remoteAddress(): string | undefined {
    return this.#lifecycle.isGone ? undefined : (requestInternals.client(this.request) ?? this.#transport.remoteAddress)
  }

  get sender(): Sender {
    this.#sender ??= openSender(undefined, this.shared, this.#transport, this.#lifecycle, this)
    return this.#sender
  }

  get pressure(): Pressure {
    this.#pressure ??= new Pressure(this.#transport, this.#lifecycle, this.#vitals, this)
    return this.#pressure
  }

  get delivery(): Delivery<Data> {
    this.#delivery ??= new Delivery(this.shared, this, this.pressure)
    if (this.gone) this.#delivery.end()
    return this.#delivery
  }

  private get ending(): Ending {
    this.#end ??= new Ending(this.shared, this.#transport, this.#lifecycle, this.sender, this)
    return this.#end
  }

  get pings(): Pings {
    this.#pings ??= new Pings(this.shared.budget, this)
    return this.#pings
  }

  close(code: number | undefined, reason: string): void {
    this.ending.close(code, reason)
  }

  terminate(): void {
    this.ending.perform(this.#lifecycle.terminate())
  }

  /** Its deadline: of the closing handshake, or the next look at its vitals (Expiring). */
  expired(): void {
    if (!this.isOpen) return this.ending.perform(this.#lifecycle.expires())
    const { deadlines, limits } = this.shared
    const verdict = this.#vitals.look(this.#sender?.outgoing, this.#transport)
    if (verdict === 'lifetime') return this.close(CloseCode.goingAway, `maxLifetime is ${limits.maxLifetime} ms`)
    if (verdict === 'ping') this.sender.control(OPCODE_PING, new Uint8Array(0))
    else if (verdict !== 'nothing') return this.violated(silence(verdict, limits))
    deadlines.setTick(this, this.#vitals.next)
  }

  // What the transport tells (Receiver).
  received(start: number, end: number): void {
    if (!this.#lifecycle.delivers) return
    this.#vitals.heard()
    this.#incoming ??= openForFirstBytes(this)
    this.#incoming?.receive(start, end)
  }

  get frugal(): boolean {
    return this.shared.budget.frugal
  }

  /** That nothing is read meanwhile is ours: the peer is neither silent nor slow. */
  awaitsTurn(awaits: boolean): void {
    this.#vitals.heard()
    if (this.#pressure?.stopped !== true) this.#incoming?.noteArrival(!awaits)
  }

  waits(bytes: number): boolean {
    const { budget } = this.shared
    if (bytes < 0) budget.release(this, -bytes)
    if (bytes < 0 || (this.#lifecycle.delivers && budget.keep(this, bytes))) return true
    this.violated(new ProtocolViolation('MEMORY_SPENT'))
    return false
  }

  ended(): void {
    this.ending.perform(this.#lifecycle.peerEnds())
  }

  written(status: number): void {
    this.ending.perform(this.#lifecycle.progress())
    this.#sender?.goesOn(status)
  }

  closed(): void {
    const { callbacks, connections, deadlines, budget } = this.shared
    this.#lifecycle.transportGone()
    connections.delete(this.connection)
    deadlines.clear(this)
    this.#incoming?.free()
    if (this.#sender !== undefined) leaveTopics(this.shared, this.#sender, this)
    this.#sender?.free()
    this.#pings?.close()
    this.#delivery?.end()
    budget.leave(this)
    const { code, reason } = this.#lifecycle.outcome
    callbacks.close(this, code, reason)
    this.shared.closed(this.connection)
  }

  everythingWritten(): void {
    this.ending.perform(this.#lifecycle.flushed())
  }

  drained(): void {
    this.shared.callbacks.drain(this)
  }

  control(opcode: number, pointer: number, length: number): void {
    const view = this.shared.codec.view(pointer, length)
    if (opcode === OPCODE_CLOSE) return this.ending.closeReceived(Buffer.from(view))
    if (opcode === OPCODE_PONG) this.#pings?.answered(view)
    else if (this.isOpen) this.sender.pong(pointer, length)
    else return
    this.shared.callbacks.control(this, opcode === OPCODE_PONG ? 'pong' : 'ping', view)
  }

  violated(violation: ProtocolViolation): void {
    if (!this.#lifecycle.delivers) return
    this.shared.callbacks.peerFailed(this, violation)
    this.ending.fail(violation.closeCode, violation.message)
  }

  budgetFreed(): void {
    this.pressure.resume(Reason.budget)
  }

  get gone(): boolean {
    return this.#lifecycle.isGone
  }

  /** This peer makes the server hold the most, and others need the room: it ends, and its waiting output is dropped. */
  evicted(): void {
    if (this.gone) return
    this.ending.evict()
    this.delivery.end()
  }

  payloadStalled(why: string): void {
    this.violated(new ProtocolViolation('PAYLOAD_STALLED', why))
  }

  handlerFailed(error: unknown): void {
    if (this.#delivery?.hasInvalidJson(error) === true) return this.violated(new ProtocolViolation('INVALID_JSON'))
    this.shared.callbacks.handlerFailed(this, error)
    this.ending.fail(CloseCode.internalError, '')
  }

  deliveryEnds(): void {
    this.#incoming?.drop()
    this.#pressure?.drain()
  }

  reading(goesOn: boolean): void {
    this.#incoming?.noteArrival(goesOn && this.#transport.awaitsTurn !== true)
    if (!goesOn && this.isOpen) this.shared.deadlines.hasten(this, this.#vitals.next)
  }

  deliverParked(): void {
    this.#incoming?.deliverParked()
  }
}
