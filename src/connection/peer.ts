// One peer: the protocol, a transport, the limits and the deadlines, put together.
import { Buffer } from 'node:buffer'
import type { Region } from '../codec/codec.js'
import {
  INBOX,
  INBOX_LENGTH,
  INFO_OPCODE,
  LONGEST_7_BIT,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../codec/wasm.generated.js'
import { runOutside } from '../internals/context.js'
import { CloseCode, type CloseStatus, readClosePayload, writeClosePayload } from '../protocol/closeCode.js'
import { ClosingHandshake } from '../protocol/closingHandshake.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Receiver, Transport } from '../transport/transport.js'
import type { Connection, Sendable, SendResult } from './connection.js'
import type { Expiring } from './deadlines.js'
import { bytesOf, frameBytes, frameMessage, framePayload, frameText } from './framing.js'
import { isThenable, type Shared } from './handlers.js'
import { Incoming, type Sink } from './incoming.js'
import { Message } from './message.js'
import { Outgoing, type OutgoingOwner } from './outgoing.js'

/** Why nothing is read, as bits; reading goes on when none is left. */
const OUTPUT = 1
const BUDGET = 2
const HANDLERS = 4

export class Peer<Data> implements Connection<Data>, Receiver, Sink, OutgoingOwner, Expiring {
  data: Data
  readonly #shared: Shared<Data>
  readonly #transport: Transport
  readonly #incoming: Incoming
  readonly #outgoing: Outgoing
  /** Made when somebody says Close: most connections spend their life without. */
  #closing: ClosingHandshake | undefined
  #pauses = 0
  #pendingHandlers = 0
  #resuming = false
  /** Nothing more is delivered: both have said Close, or the connection has failed, or the peer has half-closed. */
  #done = false
  /** The peer has half-closed. */
  #eof = false
  /** We have half-closed. */
  #ended = false
  #gone = false

  constructor(shared: Shared<Data>, transport: Transport, data: Data) {
    const { heap, outbox } = shared
    this.data = data
    this.#shared = shared
    this.#transport = transport
    this.#incoming = new Incoming(shared, this)
    this.#outgoing = new Outgoing(transport, heap, outbox, this)
  }

  /** Completes the opening handshake with `response`, opens, and takes the frames that came with the request. */
  start(response: string, early: Uint8Array): void {
    const { outbox, codec, connections, handlers } = this.#shared
    connections.add(this)
    outbox.enter()
    const pointer = this.#outgoing.reserve(response.length)
    codec.bytes.write(response, pointer, 'latin1')
    this.#outgoing.commit(pointer, response.length)
    this.#transport.open(this)
    if (handlers.open !== undefined) this.#run(() => handlers.open?.(this))
    for (let at = 0; at < early.length && !this.#done; at += INBOX_LENGTH) {
      const piece = early.subarray(at, at + INBOX_LENGTH)
      codec.bytes.set(piece, INBOX)
      this.received(INBOX, INBOX + piece.length)
    }
    outbox.leave()
  }

  get isOpen(): boolean {
    return !this.#gone && !this.#done && this.#closing?.sent !== true
  }

  get bufferedAmount(): number {
    return this.#outgoing.buffered
  }

  get remoteAddress(): string | undefined {
    return this.#transport.remoteAddress
  }

  send(data: Sendable): SendResult {
    if (data instanceof Message) return this.#sendMessage(data)
    const { codec } = this.#shared
    const payload = typeof data === 'string' ? data : bytesOf(data)
    if (!this.#admits()) return 'closed'
    if (typeof payload === 'string') frameText(codec, this.#outgoing, payload)
    else frameBytes(codec, this.#outgoing, OPCODE_BINARY, payload)
    return this.#relieve()
  }

  ping(data: string | ArrayBufferView | ArrayBuffer = ''): SendResult {
    const bytes = typeof data === 'string' ? Buffer.from(data) : bytesOf(data)
    if (bytes.length > LONGEST_7_BIT) throw new RangeError(`a ping takes 125 bytes, not ${bytes.length}`)
    if (!this.#admits()) return 'closed'
    frameBytes(this.#shared.codec, this.#outgoing, OPCODE_PING, bytes)
    return this.#relieve()
  }

  close(code: number = CloseCode.normal, reason = ''): void {
    const payload = writeClosePayload(code, reason)
    if (this.isOpen) this.#sayClose({ code, reason }, payload)
  }

  terminate(): void {
    this.#done = true
    this.#transport.close()
  }

  /** The peer did not end in time (Expiring). */
  expired(): void {
    this.terminate()
  }

  // What the transport tells (Receiver).

  received(start: number, end: number): void {
    if (this.#done) return
    const { outbox } = this.#shared
    outbox.enter()
    try {
      this.#incoming.receive(start, end)
    } catch (error) {
      this.#handlerFailed(error) // no memory left for what came, or for the answer: this peer's end, not the process's
    }
    this.#incoming.noteArrival(this.#pauses === 0)
    outbox.leave()
  }

  ended(): void {
    this.#eof = true
    this.#finish()
  }

  written(status: number): void {
    // A peer that goes on reading may take its time over what was buffered when it was told Close.
    if (this.#closing?.sent) this.#shared.deadlines.set(this, this.#shared.limits.closeTimeout)
    this.#outgoing.written(status)
  }

  closed(): void {
    const { handlers, connections, deadlines } = this.#shared
    this.#done = this.#gone = true
    connections.delete(this)
    deadlines.clear(this)
    this.#incoming.free()
    this.#outgoing.free()
    const { code, reason } = this.#closeHandshake().outcome
    if (handlers.close !== undefined) this.#run(() => handlers.close?.(this, code, reason))
    this.#shared.closed()
  }

  // What the sending half tells (OutgoingOwner).

  flushed(): void {
    const buffered = this.#outgoing.buffered
    const { outputLimit } = this.#shared.limits
    if (buffered > outputLimit) this.#pause(OUTPUT)
    else if (buffered <= outputLimit / 2) this.#resume(OUTPUT)
    if (this.#done && buffered === 0) this.#halfClose()
  }

  writeFailed(): void {
    this.#done = true
    this.#transport.close()
  }

  // What the receiving half tells (Sink).

  get accepts(): boolean {
    return this.#pauses === 0 && !this.#done
  }

  get done(): boolean {
    return this.#done
  }

  deliver(info: number, pointer: number, length: number, region: Region | undefined): void {
    const opcode = info & INFO_OPCODE
    if (opcode <= OPCODE_BINARY) this.#deliverMessage(info, pointer, length, region)
    else if (opcode === OPCODE_PING) this.#pong(pointer, length)
    else if (opcode === OPCODE_CLOSE) this.#receiveClose(Buffer.from(this.#shared.codec.view(pointer, length)))
  }

  violated(violation: ProtocolViolation): void {
    this.#report(violation, false)
    this.#fail({ code: violation.closeCode, reason: violation.message })
  }

  budgetSpent(): void {
    this.#pause(BUDGET)
  }

  budgetFreed(): void {
    this.#resume(BUDGET)
  }

  payloadStalled(): void {
    this.violated(new ProtocolViolation('PAYLOAD_STALLED'))
  }

  // Receiving.

  #deliverMessage(info: number, pointer: number, length: number, region: Region | undefined): void {
    const { handlers, codec } = this.#shared
    const message = new Message(codec, info, pointer, length, region)
    let result: unknown
    try {
      result = handlers.message?.(this, message)
    } catch (error) {
      this.#handlerFailed(error)
    }
    if (isThenable(result)) this.#await(message, result)
    else Message.release(message)
  }

  /** Keeps the message until the handler's promise settles, and the number of such messages within its limit. */
  #await(message: Message, result: PromiseLike<unknown>): void {
    const { budget, limits } = this.#shared
    const copied = Message.keep(message)
    budget.charge(copied)
    this.#pendingHandlers++
    if (this.#pendingHandlers >= limits.pendingHandlers || budget.spent) this.#pause(HANDLERS)
    const settle = (): void => {
      Message.release(message)
      budget.give(copied)
      this.#pendingHandlers--
      if (this.#pendingHandlers <= limits.pendingHandlers / 2) this.#resume(HANDLERS)
    }
    Promise.resolve(result).then(settle, (error: unknown) => {
      settle()
      this.#handlerFailed(error)
    })
  }

  /** Section 5.5.3: a pong carries what its ping carried. */
  #pong(pointer: number, length: number): void {
    if (this.#closing?.sent) return
    framePayload(this.#shared.codec, this.#outgoing, OPCODE_PONG, pointer, length)
    this.#relieve()
  }

  #receiveClose(payload: Buffer): void {
    const status = readClosePayload(payload)
    if (status instanceof ProtocolViolation) return this.violated(status)
    const closing = this.#closeHandshake()
    closing.receive(status)
    // Section 5.5.1: answer with the code that came.
    if (!closing.sent) this.#sayClose(status, writeClosePayload(closing.answer, ''))
    this.#finish()
  }

  // Handlers.

  /** Runs a handler other than `message`; what it throws, or its promise rejects with, is its connection's end. */
  #run(handler: () => unknown): void {
    try {
      const result = handler()
      if (isThenable(result)) Promise.resolve(result).catch((error: unknown) => this.#handlerFailed(error))
    } catch (error) {
      this.#handlerFailed(error)
    }
  }

  #handlerFailed(error: unknown): void {
    this.#report(error, true)
    this.#fail({ code: CloseCode.internalError, reason: '' })
  }

  /** Tells the `error` handler. Without one, or if it fails itself, mistakes of the application go to standard error. */
  #report(error: unknown, applications: boolean): void {
    const { handlers } = this.#shared
    if (handlers.error === undefined) {
      if (applications) console.error(error)
      return
    }
    try {
      const result = handlers.error(this, error)
      if (isThenable(result)) Promise.resolve(result).catch(console.error)
    } catch (second) {
      console.error(second)
    }
  }

  // Sending.

  /** Whether anything can be sent. A peer that lets output pile up to the ceiling, although nothing is read from it, is gone. */
  #admits(): boolean {
    if (!this.isOpen) return false
    if (this.#outgoing.waiting <= this.#shared.limits.outputCeiling) return true
    this.terminate()
    return false
  }

  #sendMessage(message: Message): SendResult {
    const { codec } = this.#shared
    const payload = Message.pointer(message) === 0 ? message.bytes : undefined // throws for one that is gone
    if (!this.#admits()) return 'closed'
    if (payload === undefined) frameMessage(codec, this.#outgoing, message)
    else frameBytes(codec, this.#outgoing, message.isText ? OPCODE_TEXT : OPCODE_BINARY, payload)
    return this.#relieve()
  }

  /** Above the output limit, writes at once what the turn has piled up, or stops reading if that can't be written. */
  #relieve(): SendResult {
    if (this.#outgoing.buffered > this.#shared.limits.outputLimit) {
      if (this.#outgoing.blocked) this.#pause(OUTPUT)
      else this.#outgoing.flush()
    }
    return this.#outgoing.blocked ? 'buffered' : 'sent'
  }

  // Closing.

  #closeHandshake(): ClosingHandshake {
    this.#closing ??= new ClosingHandshake()
    return this.#closing
  }

  #sayClose(status: CloseStatus, payload: Uint8Array): void {
    this.#closeHandshake().send(status)
    const { codec, deadlines, limits } = this.#shared
    frameBytes(codec, this.#outgoing, OPCODE_CLOSE, payload)
    deadlines.set(this, limits.closeTimeout)
  }

  /** Section 7.1.7: says why, delivers nothing more, and ends the connection. */
  #fail(status: CloseStatus): void {
    if (this.#done) return
    const closing = this.#closeHandshake()
    closing.fail()
    if (!closing.sent) this.#sayClose(status, writeClosePayload(status.code, status.reason))
    this.#finish()
  }

  /**
   * Nothing more is delivered. Ends the connection so that the peer really gets the Close frame: half-close after it,
   * then read on, throwing away what comes, until the peer ends too. Closing at once with unread bytes would make
   * the system send a reset, which overtakes the Close frame.
   */
  #finish(): void {
    this.#done = true
    this.#incoming.drop()
    this.#shared.deadlines.set(this, this.#shared.limits.closeTimeout)
    if (this.#pauses !== 0) {
      this.#pauses = 0
      this.#transport.resume()
    }
    this.#outgoing.touch()
  }

  #halfClose(): void {
    if (this.#eof) this.#transport.close()
    else if (!this.#ended) this.#transport.end()
    this.#ended = true
  }

  // Pausing.

  #pause(reason: number): void {
    if (this.#done) return
    if (this.#pauses === 0) this.#transport.pause()
    this.#pauses |= reason
    this.#incoming.noteArrival(false)
  }

  /** Takes back a reason to pause. Reading goes on in a turn of its own: this may be called from anywhere. */
  #resume(reason: number): void {
    if ((this.#pauses & reason) === 0) return
    this.#pauses &= ~reason
    if (this.#pauses !== 0 || this.#resuming) return
    this.#resuming = true
    setImmediate(() => runOutside(() => this.#deliverParked()))
  }

  #deliverParked(): void {
    this.#resuming = false
    if (this.#pauses !== 0 || this.#done) return
    const { outbox } = this.#shared
    outbox.enter()
    try {
      this.#incoming.resume()
    } catch (error) {
      this.#handlerFailed(error)
    }
    outbox.leave()
    if (this.#pauses !== 0 || this.#done) return
    this.#incoming.noteArrival(true)
    this.#transport.resume()
  }
}
