// The sending side of a connection as the application uses it: frames what is sent, and holds it to the output limit.
import { Buffer } from 'node:buffer'
import type { Codec } from '../codec/codec.js'
import { FIN, OPCODE_BINARY, OPCODE_CONTINUATION, OPCODE_PONG, OPCODE_TEXT } from '../codec/wasm.generated.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Transport } from '../transport/transport.js'
import type { Sendable, SendResult } from './connection.js'
import { bytesOf, frameBytes, frameMessage, framePayload, frameText } from './framing.js'
import type { ConnectionLimits, OutputPolicy } from './handlers.js'
import { Message } from './message.js'
import { Outgoing, type OutgoingOwner, type OutgoingShared } from './outgoing.js'
import { PreparedMessage, prepare } from './prepared.js'
import type { SharedMemory } from './sharedBlock.js'
import { type StreamSource, textOrBytes } from './streamSource.js'
import type { Publisher, Subscriber } from './subscriber.js'

/** The connection that a sender belongs to. */
export interface SenderOwner extends OutgoingOwner, Subscriber {
  readonly isOpen: boolean
  /** The output is above its limit, and can't be written: read nothing until it has gone. */
  outputFull(): void
  violated(violation: ProtocolViolation): void
  terminate(): void
}

/** What all senders of a route share. */
export interface SenderShared extends OutgoingShared {
  readonly codec: Codec
  readonly limits: ConnectionLimits
  readonly outputPolicy: OutputPolicy
  readonly topics: Pick<Publisher, 'pending' | 'catchUp'>
}

type FragmentData = string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer

/** Encoded frames. */
interface Frames {
  readonly memory: SharedMemory
  readonly pointer: number
  readonly length: number
}

/** What waits for the end of a message in fragments. */
interface Behind {
  /** A stream is being sent, which whoever sends another message need not know. */
  readonly streaming: boolean
  readonly frames: Frames[]
  bytes: number
}

const EMPTY = new Uint8Array(0)

export class Sender {
  readonly outgoing: Outgoing
  readonly #shared: SenderShared
  readonly #owner: SenderOwner
  /** The opcode of the fragmented message under way, or 0. */
  #fragmented = 0
  /** Half a character at the end of the last text fragment: the other half begins the next. */
  #surrogate = ''
  #promised = false
  /** The policy has ended the connection: once, also if the `error` handler goes on sending. */
  #overflowed = false
  #behind: Behind | undefined
  #waiting: (() => void)[] | undefined

  constructor(shared: SenderShared, transport: Transport, owner: SenderOwner) {
    this.#shared = shared
    this.#owner = owner
    this.outgoing = new Outgoing(transport, shared, owner)
  }

  send(data: Sendable): SendResult {
    this.catchUp()
    if (this.#behind !== undefined || this.#fragmented !== 0) return this.#sendAmid(data)
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
    if (this.#behind?.streaming === true) {
      const prepared = data instanceof PreparedMessage ? data : prepare(data)
      const { memory, length } = PreparedMessage.frame(prepared)
      const result = this.#wait({ memory, pointer: memory.pointer, length }, this.#behind)
      if (prepared !== data) prepared.release()
      return result
    }
    if (!this.#owner.isOpen) return 'closed'
    throw new Error('a fragmented message is under way: end it with sendFragment(data, true) before the next message')
  }

  /** Something is about to be sent: what topics have published before it goes first. */
  catchUp(): void {
    const { topics } = this.#shared
    if (topics.pending) topics.catchUp(this.#owner)
  }

  /** What a topic has encoded, for this connection among others. Never throws. */
  deliver(memory: SharedMemory, pointer: number, length: number): void {
    if (this.#behind === undefined && this.#fragmented === 0) this.#sendFrames(memory, pointer, length)
    else {
      this.#behind ??= { streaming: false, frames: [], bytes: 0 }
      this.#wait({ memory, pointer, length }, this.#behind)
    }
  }

  /** A fragment of a message (section 5.4): its first decides whether it is text. */
  sendFragment(data: FragmentData, last: boolean): SendResult {
    if (this.#behind?.streaming === true) {
      throw new Error('a stream is being sent: wait for its end before the next message in fragments')
    }
    this.catchUp()
    const result = this.#fragment(data, last)
    if (this.#fragmented === 0) this.#sendBehind()
    return result
  }

  #fragment(data: FragmentData, last: boolean): SendResult {
    const { codec } = this.#shared
    const payload = typeof data === 'string' ? data : bytesOf(data)
    const opcode = typeof payload === 'string' ? OPCODE_TEXT : OPCODE_BINARY
    if (this.#fragmented !== 0 && this.#fragmented !== opcode) {
      throw new TypeError('all fragments of a message are text, or all are bytes')
    }
    if (!this.admits()) return 'closed'
    // A message that has begun must be ended: it can't be dropped.
    if (this.#shared.outputPolicy === 'close' && this.#refused(payload) !== undefined) return 'closed'
    const first = (last ? FIN : 0) | (this.#fragmented === 0 ? opcode : OPCODE_CONTINUATION)
    if (typeof payload === 'string') frameText(codec, this.outgoing, first, this.#wholeCharacters(payload, last))
    else frameBytes(codec, this.outgoing, first, payload)
    this.#fragmented = last ? 0 : opcode
    return this.#sent()
  }

  /** Answers a ping of the peer; not where a message would be dropped: a later pong stands for this one (section 5.5.3). */
  pong(pointer: number, length: number): void {
    if (this.#overflows(length) !== undefined) return
    framePayload(this.#shared.codec, this.outgoing, FIN | OPCODE_PONG, pointer, length)
    this.relieve()
  }

  /**
   * Sends what `source` yields as one message, in fragments, at the pace at which the peer reads. Other messages wait
   * until it is done. Rejects with what the source throws, or if the connection ends. Throws an Error where another
   * message is under way.
   */
  sendStream(source: StreamSource, binary: boolean | undefined): Promise<void> {
    if (this.#behind !== undefined || this.#fragmented !== 0) {
      throw new Error('another message is under way: wait for its end')
    }
    this.catchUp()
    this.#behind = { streaming: true, frames: [], bytes: 0 }
    return this.#pump(source, binary)
  }

  async #pump(source: StreamSource, binary: boolean | undefined): Promise<void> {
    let isText = binary === undefined ? undefined : !binary
    try {
      for await (const chunk of textOrBytes(source, binary)) {
        isText ??= typeof chunk === 'string'
        const result = this.#fragment(chunk, false)
        if (result === 'closed') throw new Error('the connection ended before the stream was sent')
        if (result === 'buffered') await this.#relieved()
      }
      if (this.#fragment(isText === true ? '' : EMPTY, true) === 'closed') {
        throw new Error('the connection ended before the stream was sent')
      }
    } finally {
      this.#sendBehind()
    }
  }

  /** The message in fragments is sent, or never will be: what waited behind it follows. */
  #sendBehind(): void {
    const behind = this.#behind
    this.#behind = undefined
    for (const { memory, pointer, length } of behind?.frames ?? []) {
      if (this.#fragmented === 0) this.#sendFrames(memory, pointer, length)
      memory.release()
    }
  }

  /** Output has left, or never will: streams go on. */
  wake(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const { buffered } = this.outgoing
    if (buffered > this.#shared.limits.outputLimit / 2 && this.#owner.isOpen) return
    this.#waiting = undefined
    for (const resolve of waiting) resolve()
  }

  /** A control frame of this side's making; the connection must be open. */
  control(opcode: number, payload: Uint8Array): void {
    this.catchUp()
    frameBytes(this.#shared.codec, this.outgoing, FIN | opcode, payload)
    this.relieve()
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.outgoing.free()
    this.#sendBehind()
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

  /** Whether anything can be sent. A peer that lets output pile up to the ceiling, whatever was done about it, is gone. */
  admits(): boolean {
    if (!this.#owner.isOpen) return false
    if (this.outgoing.waiting <= this.#shared.limits.outputCeiling) return true
    this.#owner.terminate()
    return false
  }

  #relieved(): Promise<void> {
    this.#waiting ??= []
    const waiting = this.#waiting
    return new Promise((resolve) => waiting.push(resolve))
  }

  /** Keeps frames until the message in fragments that is under way has been sent. */
  #wait(frames: Frames, behind: Behind): SendResult {
    if (!this.admits()) return 'closed'
    if (behind.bytes + frames.length > this.#shared.limits.outputCeiling) {
      this.#owner.terminate()
      return 'closed'
    }
    frames.memory.retain()
    behind.bytes += frames.length
    behind.frames.push(frames)
    this.#promised = true
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
    if (!this.outgoing.blocked) return this.#owner.isOpen ? undefined : 'closed'
    if (!this.admits()) return 'closed'
    if (this.#shared.outputPolicy === 'pause') return undefined
    return this.#overflows(typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength)
  }

  /** What becomes of `length` bytes more for a peer that does not read; undefined if they are sent. */
  #overflows(length: number): SendResult | undefined {
    const { limits, outputPolicy, turn } = this.#shared
    if (!this.outgoing.blocked || outputPolicy === 'pause') return undefined
    if (this.outgoing.buffered + length <= limits.outputLimit) return undefined
    if (outputPolicy === 'drop') return 'dropped'
    if (!this.#overflowed) {
      this.#overflowed = true
      const violation = new ProtocolViolation('OUTPUT_FULL', `outputLimit is ${limits.outputLimit} bytes`)
      turn.afterwards(() => this.#owner.violated(violation))
    }
    return 'closed'
  }

  /** A pair of surrogates that a fragment cuts travels with the next one. */
  #wholeCharacters(text: string, last: boolean): string {
    const whole = this.#surrogate + text
    const cut = !last && /[\ud800-\udbff]$/.test(whole)
    this.#surrogate = cut ? whole.slice(-1) : ''
    return cut ? whole.slice(0, -1) : whole
  }
}
