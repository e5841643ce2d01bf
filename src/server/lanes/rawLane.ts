// The first lane of the opening handshake: connections accepted at the handle, whose upgrade request came whole in one
// read and reads the same for everyone. All others go to the second lane with what was read.
import { Buffer } from 'node:buffer'
import type { Server as NetServer } from 'node:net'
import { codecOfThread, INBOX } from '../../codec/codec.js'
import type { Slices } from '../../connection/slices.js'
import { acceptHandles } from '../../internals/accept.js'
import { isOutside } from '../../internals/context.js'
import type { StreamHandle } from '../../internals/node.js'
import { type HandleReader, startReading } from '../../internals/stream.js'
import type { Budget } from '../../memory/budget.js'
import type { PlainHeads } from '../../protocol/knownHeads.js'
import { type Refusal, refuse } from '../../protocol/openingHandshake.js'
import type { Deadlines, Expiring } from '../../time/deadlines.js'
import { HandleTransport, readFirst } from '../../transport/handle.js'
import type { Transport } from '../../transport/transport.js'
import type { Arrivals, Arrival as Newcomer } from '../admission/arrivals.js'
import type { AcceptedUpgrade, UpgradeVerdict } from '../admission/endpoint.js'
import type { Gate } from '../admission/gate.js'
import { CROWDED, PendingUpgrade, type WaitingLane } from './pendingUpgrade.js'
import { type Respond, writeAcceptance } from './responseHead.js'
import type { Upgraded } from './upgraded.js'

export interface RawLaneOptions {
  readonly slices: Slices
  readonly deadlines: Deadlines
  readonly gate: Gate
  /** Time for the opening handshake, in milliseconds. */
  readonly handshakeTimeout: number
  /** The longest time without reading from a peer that may have left, in milliseconds. */
  readonly pauseTimeout: number
  /** Reads request heads. Those that are too long are for the second lane to refuse. */
  readonly heads: PlainHeads
  /** Counts what peers send before they are accepted. */
  readonly budget: Budget
  /** The connections of all lanes that have not finished their handshake. */
  readonly arrivals: Arrivals
  readonly upgraded: Upgraded
  /** A connection was accepted. */
  arrived(): void
  refused(handle: StreamHandle, refusal: Refusal): void
  /** This lane can't decide: the second lane does, until the tick `due`. */
  handedOver(handle: StreamHandle, read: Buffer, due: number): void
}

interface ArrivalOptions extends RawLaneOptions {
  /** Whether the connection was accepted in no async context. */
  readonly outside: boolean
}

export class RawLane {
  readonly #options: RawLaneOptions
  /** Whether what is accepted in this tick is in no async context, and the tick. */
  #outside = false
  #asked = 0

  constructor(options: RawLaneOptions) {
    this.#options = options
  }

  /**
   * Accepts for a listening server; false if its handle can't be taken over, and everything goes the second way. What this
   * lane can't decide goes to `handedOver`.
   */
  attach(
    server: NetServer,
    failed: (status: number) => void,
    handedOver: RawLaneOptions['handedOver'] = this.#options.handedOver,
  ): boolean {
    const within = { ...this.#options, handedOver, outside: false }
    const outside = { ...within, outside: true }
    return acceptHandles(server, (handle) => this.#arrive(handle, this.#isOutside(handle) ? outside : within), failed)
  }

  /** Closes the connections whose handshake is not done. */
  close(): void {
    for (const arrival of this.#options.arrivals) if (arrival instanceof RawArrival) arrival.close()
  }

  /** To ask costs more than the hash of the key, so the first connection of each tick is asked for all of them. */
  #isOutside(handle: StreamHandle): boolean {
    const { deadlines } = this.#options
    if (this.#asked !== deadlines.now) {
      this.#asked = deadlines.now
      this.#outside = isOutside(handle)
      deadlines.start() // the ticks go on, although the handshake may take for ever
    }
    return this.#outside
  }

  #arrive(handle: StreamHandle, options: ArrivalOptions): void {
    options.arrived()
    new RawArrival(handle, options)
  }
}

/** Bytes that a connection costs that has sent no request. */
const COST = 2048

/** What comes with nearly every request besides. */
const NOTHING = Buffer.alloc(0)

/** A handshake may take as long as so many small messages, and as one more for so many bytes: the clock is asked each time. */
const WORTH = 16
const BYTES_OF_ONE = 128

/** A connection from its acceptance to the end of its handshake. */
class RawArrival implements Expiring, HandleReader, WaitingLane, Newcomer {
  due = 0
  place = 0
  cost = COST
  readonly #handle: StreamHandle
  readonly #options: ArrivalOptions
  #pending: PendingUpgrade | undefined
  /** The key of its request, once `upgrade` has promised an answer. */
  #key = ''
  /** Set while its request has come and waits for its turn. */
  #inLine = false

  constructor(handle: StreamHandle, options: ArrivalOptions) {
    this.#handle = handle
    this.#options = options
    options.deadlines.set(this, options.handshakeTimeout)
    readFirst(handle, this)
    options.arrivals.add(this)
    if (!startReading(handle)) this.expired()
  }

  get remoteAddress(): string | undefined {
    return new HandleTransport(this.#handle).remoteAddress
  }

  /** A read has landed in the inbox, or nothing more will come: the peer has gone, or half-closed. */
  read(status: number): undefined {
    if (status < 0) this.expired()
    else if (status > 0) this.take(status)
    return undefined
  }

  private take(status: number): void {
    const codec = codecOfThread()
    const pending = this.#pending
    if (pending !== undefined) return pending.received(codec.copyOf(INBOX, status))
    const { slices } = this.#options
    slices.begin(this)
    if (slices.spend(WORTH + ((status / BYTES_OF_ONE) | 0))) this.wait(codec.copyOf(INBOX, status))
    else this.decide(codec.bytes, INBOX, INBOX + status)
  }

  /** Many requests come at once: this one waits for a later turn. */
  private wait(chunk: Buffer): void {
    const { arrivals, slices } = this.#options
    this.#handle.readStop()
    this.#inLine = true
    arrivals.delete(this)
    this.cost += chunk.length
    arrivals.add(this)
    slices.later(() => {
      this.#inLine = false
      if (!arrivals.has(this)) return
      if (startReading(this.#handle)) this.decide(chunk, 0, chunk.length)
      else this.expired()
    })
  }

  /** Nothing came in time, or the peer has gone. */
  expired(): void {
    this.leave()
    this.#pending?.peerLeft('the peer has left')
    this.#handle.close()
  }

  /** The server closes. */
  close(): void {
    if (this.#pending !== undefined) this.#pending.cancel()
    else if (this.#inLine) this.refuse(refuse(503, 'the server is closing'))
    else this.expired()
  }

  giveWay(): boolean {
    if (this.#pending === undefined) this.expired()
    else this.#pending.cancel(CROWDED)
    return true
  }

  full(): void {
    this.#handle.readStop()
  }

  settled(verdict: UpgradeVerdict, early: Buffer): void {
    if ('status' in verdict) return this.refuse(verdict)
    this.leave()
    this.upgrade(new HandleTransport(this.#handle), verdict, early, this.#key)
  }

  private refuse(refusal: Refusal): void {
    this.leave()
    this.#options.refused(this.#handle, refusal)
  }

  private upgrade(transport: Transport, accepted: AcceptedUpgrade, early: Buffer, key: string): void {
    const respond: Respond = (output) => writeAcceptance(output, key, accepted)
    const refusal = this.#options.upgraded(transport, accepted, early, respond)
    if (refusal !== undefined) this.#options.refused(this.#handle, refusal)
  }

  /** What was read lies in `bytes` from `start` to `end`, until the application is asked: it may have others read. */
  private decide(bytes: Buffer, start: number, end: number): void {
    const { gate, deadlines, budget, heads, handedOver, outside } = this.#options
    const head = heads.read(bytes, start, end)
    if (head === undefined) {
      const { due } = this
      this.leave()
      return handedOver(this.#handle, Buffer.from(bytes.subarray(start, end)), due)
    }
    const { length, key } = head
    const early = start + length === end ? NOTHING : Buffer.from(bytes.subarray(start + length, end))
    const transport = new HandleTransport(this.#handle)
    const decision = gate.decide(head.request, head, transport)
    if (!this.#options.arrivals.has(this)) return // `upgrade` itself has closed the server, and so this connection
    const { verdict } = decision
    if (verdict instanceof Promise) {
      const patience = { deadlines, budget, head: length, due: this.due, limits: this.#options }
      deadlines.clear(this)
      this.#key = key
      this.#pending = new PendingUpgrade(decision, early, patience, this)
    } else if ('status' in verdict) this.refuse(verdict)
    else {
      this.leave()
      if (outside && !decision.endpoint.asks) transport.isOutside()
      this.upgrade(transport, verdict, early, key)
    }
  }

  private leave(): void {
    this.#options.arrivals.delete(this)
    this.#options.deadlines.clear(this)
  }
}
