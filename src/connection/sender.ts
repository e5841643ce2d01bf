// The sending side of a connection as the application uses it: frames what is sent, and holds it to the output limit.

import { Buffer } from 'node:buffer'
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { everywhere, streamOptions } from '../checks/tables.js'
import { type Codec, OutOfMemory } from '../codec/codec.js'
import { FIN, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_CONTINUATION, OPCODE_PONG, OPCODE_TEXT } from '../codec/frames.js'
import { runOutside } from '../internals/context.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Transport } from '../transport/transport.js'
import { Backlog } from './backlog.js'
import { Characters } from './characters.js'
import type { Sendable, SendResult } from './connection.js'
import { bytesOf, frameBytes, frameMessage, framePayload, frameText } from './framing.js'
import type { ConnectionLimits, OutputPolicy } from './handlers.js'
import { Message } from './message.js'
import { Outgoing, type OutgoingOwner, type OutgoingShared } from './outgoing.js'
import { PreparedMessage } from './prepared.js'
import { encode, exactBytes } from './sendable.js'
import type { SharedMemory } from './sharedBlock.js'
import { StreamPump, type StreamTarget } from './streamPump.js'
import { openSource, type SendStreamOptions, type StreamSource } from './streamSource.js'
import type { Publisher, Subscriber } from './subscriber.js'

/** The connection that a sender belongs to. */
export interface SenderOwner extends OutgoingOwner, Subscriber {
  readonly isOpen: boolean
  /** The output is above its limit, and can't be written: read nothing until it has gone. */
  outputFull(): void
  violated(violation: ProtocolViolation): void
  terminate(): void
  /** What waited behind another message may have left: `drain` may be due. */
  drained(): void
}

/** What all senders of a route share. */
export interface SenderShared extends OutgoingShared {
  readonly codec: Codec
  readonly limits: ConnectionLimits
  readonly outputPolicy: OutputPolicy
  readonly topics: Pick<Publisher, 'pending' | 'catchUp'>
}

type FragmentData = string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer

export class Sender implements StreamTarget {
  readonly outgoing: Outgoing
  readonly #shared: SenderShared
  readonly #owner: SenderOwner
  /** The opcode of the fragmented message under way, or 0. */
  #fragmented = 0
  /** A character may be cut between fragments of text. */
  #characters: Characters | undefined
  #promised = false
  /** Something could not be sent, which ends the connection, soon or now: nothing may follow it, only Close. */
  #failed = false
  /** The stream that is being sent. */
  #pump: StreamPump | undefined
  /** What waits for the end of the message under way, if anything ever has. */
  #backlog: Backlog | undefined

  constructor(shared: SenderShared, transport: Transport, owner: SenderOwner) {
    this.#shared = shared
    this.#owner = owner
    this.outgoing = new Outgoing(transport, shared, owner)
  }

  /** Bytes that were taken and that the system has not, those behind an unfinished message included. */
  get buffered(): number {
    return this.outgoing.buffered + (this.#backlog?.bytes ?? 0)
  }

  /** Sends the response of the opening handshake. Throws OutOfMemory. */
  respond(response: string): void {
    if (response === '') return
    const pointer = this.outgoing.reserve(response.length)
    this.#shared.codec.bytes.write(response, pointer, 'latin1')
    this.outgoing.commit(pointer, response.length)
  }

  send(data: Sendable): SendResult {
    try {
      return this.#send(data)
    } catch (error) {
      return this.#memorySpent(error)
    }
  }

  #send(data: Sendable): SendResult {
    this.catchUp()
    if (this.#pump !== undefined || this.#fragmented !== 0) return this.#sendAmid(data)
    if (data instanceof Message) return this.#message(data)
    const { codec } = this.#shared
    if (typeof data === 'string') {
      const refused = this.#refused(data)
      if (refused !== undefined) return refused
      frameText(codec, this.outgoing, FIN | OPCODE_TEXT, data)
    } else if (data instanceof PreparedMessage) {
      const { memory, length } = PreparedMessage.frame(data)
      return this.#sendFrames(memory, memory.pointer, length)
    } else {
      const bytes = bytesOf(data)
      const refused = this.#refused(bytes)
      if (refused !== undefined) return refused
      frameBytes(codec, this.outgoing, FIN | OPCODE_BINARY, bytes)
    }
    return this.#sent()
  }

  /** Another message is under way: what is sent waits behind a stream, and has no place amid fragments. */
  #sendAmid(data: Sendable): SendResult {
    const length = exactBytes(data) // throws for what can't be sent
    if (!this.#open) return 'closed'
    if (this.#pump === undefined) {
      throw callerError(
        'ERR_MESSAGE_UNDER_WAY',
        'a fragmented message is under way: end it with sendFragment(data, true) before the next message',
      )
    }
    return this.#wait(length, (backlog) => encode(this.#shared.codec, backlog, data))
  }

  /** Something is about to be sent: what topics have published before it goes first. */
  catchUp(): void {
    const { topics } = this.#shared
    if (topics.pending) topics.catchUp(this.#owner)
  }

  /** What a topic has encoded, for this connection among others. Never throws. */
  deliver(memory: SharedMemory, pointer: number, length: number): void {
    try {
      if (this.#pump === undefined && this.#fragmented === 0) this.#sendFrames(memory, pointer, length)
      else this.#wait(length, (backlog) => backlog.add(memory, pointer, length))
    } catch (error) {
      this.#memorySpent(error)
    }
  }

  /** A fragment of a message (section 5.4): its first decides whether it is text. */
  sendFragment(data: FragmentData, last: boolean): SendResult {
    if (this.#pump !== undefined) {
      throw callerError(
        'ERR_MESSAGE_UNDER_WAY',
        'a stream is being sent: wait for its end before the next message in fragments',
      )
    }
    this.catchUp()
    const payload = typeof data === 'string' ? data : bytesOf(data)
    const opcode = typeof payload === 'string' ? OPCODE_TEXT : OPCODE_BINARY
    if (this.#fragmented !== 0 && this.#fragmented !== opcode) {
      throw callerError('ERR_FRAGMENT_KIND', 'all fragments of a message are text, or all are bytes')
    }
    if (!this.admits()) return 'closed'
    // A message that has begun must be ended: it can't be dropped.
    if (this.#shared.outputPolicy === 'close' && this.#refused(payload) !== undefined) return 'closed'
    return this.#fragment(payload, last)
  }

  /** A piece of the stream under way. No policy is asked: a stream waits for the peer, whatever becomes of other messages. */
  streamPart(piece: string | Uint8Array, last: boolean): SendResult {
    return this.admits() ? this.#fragment(piece, last) : 'closed'
  }

  #fragment(payload: string | Uint8Array, last: boolean): SendResult {
    try {
      return this.#frameFragment(payload, last)
    } catch (error) {
      return this.#memorySpent(error)
    }
  }

  #frameFragment(payload: string | Uint8Array, last: boolean): SendResult {
    const { codec } = this.#shared
    const opcode = typeof payload === 'string' ? OPCODE_TEXT : OPCODE_BINARY
    const first = (last ? FIN : 0) | (this.#fragmented === 0 ? opcode : OPCODE_CONTINUATION)
    if (typeof payload === 'string') {
      this.#characters ??= new Characters()
      frameText(codec, this.outgoing, first, this.#characters.whole(payload, last))
    } else frameBytes(codec, this.outgoing, first, payload)
    this.#fragmented = last ? 0 : opcode
    const result = this.#sent()
    if (last) this.#messageEnds()
    return result
  }

  /** Answers a ping of the peer; not where a message would be dropped: a later pong stands for this one (section 5.5.3). */
  pong(pointer: number, length: number): void {
    if (this.#overflows(length) !== undefined) return
    this.#frameControl(() => framePayload(this.#shared.codec, this.outgoing, FIN | OPCODE_PONG, pointer, length))
  }

  /**
   * Sends what `source` yields as one message, in fragments, at the pace at which the peer reads. Other messages wait
   * until it is done. Rejects with what the source throws, or if the connection ends. Throws a TypeError for what is no
   * source, and an Error where another message is under way.
   */
  sendStream(source: StreamSource, options: SendStreamOptions): Promise<void> {
    checkOptions(options, streamOptions, everywhere)
    if (this.#pump !== undefined || this.#fragmented !== 0) {
      throw callerError('ERR_MESSAGE_UNDER_WAY', 'another message is under way: wait for its end')
    }
    const pump = new StreamPump(openSource(source), options.binary, this)
    this.catchUp()
    if (!this.#owner.isOpen) pump.end()
    this.#pump = pump
    return this.#run(pump)
  }

  async #run(pump: StreamPump): Promise<void> {
    try {
      await pump.run()
    } finally {
      if (this.#pump === pump) this.#streamEnds()
    }
  }

  /** What waited behind a stream follows it, or ends the connection where there is no memory for that. */
  #streamEnds(): void {
    try {
      this.#messageEnds()
    } catch (error) {
      this.#memorySpent(error)
    }
  }

  /** The message under way is sent, or never will be: what waited behind it follows. */
  #messageEnds(): void {
    this.#pump = undefined
    const backlog = this.#backlog
    if (backlog === undefined || backlog.bytes === 0) return
    if (this.#fragmented !== 0 || !this.#owner.isOpen) return backlog.drop()
    backlog.moveTo(this.outgoing)
    this.#tellDrained()
  }

  /** What waited may leave with a turn's write, this one's or a later one's, of which nobody else would tell. */
  #tellDrained(): void {
    setImmediate(() => {
      const { outgoing } = this
      if (outgoing.buffered > 0 && !outgoing.blocked && this.#owner.isOpen) this.#tellDrained()
      else runOutside(() => this.#owner.drained())
    })
  }

  /** Nothing more can be sent: a stream hears of it at once, and what waits behind it is given up. */
  end(): void {
    this.#pump?.end()
    this.#backlog?.drop()
  }

  /** Output has left: a stream goes on. */
  wake(): void {
    if (this.outgoing.buffered <= this.#shared.limits.outputLimit / 2) this.#pump?.relieved()
  }

  /** A control frame of this side's making: Close, or another one where the connection is open. */
  control(opcode: number, payload: Uint8Array): void {
    this.catchUp()
    if (opcode !== OPCODE_CLOSE && !this.#owner.isOpen) return // what was published before has failed it
    this.#frameControl(() => frameBytes(this.#shared.codec, this.outgoing, FIN | opcode, payload))
  }

  /** Without memory even for a control frame, the connection ends at once, and its peer sees 1006. */
  #frameControl(frame: () => void): void {
    try {
      frame()
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      return this.#owner.terminate()
    }
    this.relieve()
  }

  /** There is no memory for what is to be sent: that is this connection's end, whoever has called. */
  #memorySpent(error: unknown): 'closed' {
    if (!(error instanceof OutOfMemory)) throw error
    return this.#fail(new ProtocolViolation('MEMORY_SPENT', error.message))
  }

  /** Once, also if the `error` handler goes on sending. */
  #fail(violation: ProtocolViolation): 'closed' {
    if (this.#failed) return 'closed'
    this.#failed = true
    this.#shared.turn.afterwards(() => this.#owner.violated(violation))
    return 'closed'
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.end()
    this.outgoing.free()
  }

  /** Whether something was answered with `buffered` since this was asked last. */
  takePromise(): boolean {
    const promised = this.#promised
    this.#promised = false
    return promised
  }

  /** Above the output limit, writes at once what the turn has piled up, or stops reading if that can't be written. */
  relieve(): void {
    const { outgoing } = this
    if (outgoing.buffered <= this.#shared.limits.outputLimit) return
    if (outgoing.blocked) this.hold()
    else outgoing.flush()
  }

  /** The output is above its limit, and can't be written. */
  hold(): void {
    if (this.#shared.outputPolicy === 'pause') this.#owner.outputFull()
  }

  get #open(): boolean {
    return this.#owner.isOpen && !this.#failed
  }

  /** Whether anything can be sent. A peer that lets output pile up to the ceiling, whatever was done about it, is gone. */
  admits(): boolean {
    if (!this.#open) return false
    const waiting = this.outgoing.waiting + (this.#backlog?.bytes ?? 0)
    if (waiting <= this.#shared.limits.outputCeiling) return true
    this.#owner.terminate()
    return false
  }

  /** Keeps a message until the one under way has been sent: buffered bytes like all others, under the same policy. */
  #wait(length: number, add: (backlog: Backlog) => void): SendResult {
    const { codec, heap, limits, budget } = this.#shared
    this.#backlog ??= new Backlog(codec, heap, budget, this.#owner)
    const waits = this.outgoing.blocked || this.#backlog.bytes > 0
    const refused = this.admits() ? this.#overflows(length, waits, this.buffered) : 'closed'
    if (refused !== undefined) return refused
    add(this.#backlog)
    this.#promised = true
    if (this.buffered > limits.outputLimit) this.hold()
    return 'buffered'
  }

  #sendFrames(memory: SharedMemory, pointer: number, length: number): SendResult {
    const refused = this.admits() ? this.#overflows(length) : 'closed'
    if (refused !== undefined) return refused
    this.outgoing.addFrames(this.#shared.codec, memory, pointer, length)
    return this.#sent()
  }

  #message(message: Message): SendResult {
    Message.pointer(message) // throws for one that is gone
    const refused = this.#refused(message)
    if (refused !== undefined) return refused
    frameMessage(this.#shared.codec, this.outgoing, message)
    return this.#sent()
  }

  /** What `send` answers for what it has framed. */
  #sent(): SendResult {
    this.relieve()
    if (!this.outgoing.blocked) return 'sent'
    this.#promised = true
    return 'buffered'
  }

  /** What `send` answers instead of sending: the connection is closed, or its output full and the policy is not to wait. */
  #refused(data: string | { readonly byteLength: number }): SendResult | undefined {
    if (!this.outgoing.blocked) return this.#open ? undefined : 'closed'
    if (!this.admits()) return 'closed'
    if (this.#shared.outputPolicy === 'pause') return undefined
    return this.#overflows(typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength)
  }

  /** What becomes of `length` bytes more where others wait already; undefined if they are taken. */
  #overflows(length: number, waits = this.outgoing.blocked, buffered = this.outgoing.buffered): SendResult | undefined {
    const { limits, outputPolicy } = this.#shared
    if (!waits || outputPolicy === 'pause') return undefined
    if (buffered + length <= limits.outputLimit) return undefined
    if (outputPolicy === 'drop') return 'dropped'
    return this.#fail(new ProtocolViolation('OUTPUT_FULL', `outputLimit is ${limits.outputLimit} bytes`))
  }
}
