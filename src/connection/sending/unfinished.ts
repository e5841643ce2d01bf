// The message of a connection that is not sent to its end yet: one in fragments, or a stream. RFC 6455, section 5.4:
// nothing but control frames may come between its fragments. So what is sent meanwhile waits until it has ended.
import { callerError } from '../../checks/errors.js'
import type { Heap } from '../../codec/codec.js'
import { OPCODE_BINARY, OPCODE_CONTINUATION, OPCODE_TEXT } from '../../codec/frames.js'
import type { Budget, Holder } from '../../memory/budget.js'
import type { Lifecycle } from '../../protocol/lifecycle.js'
import type { SendResult } from '../connection.js'
import { Backlog, type FrameTarget } from './backlog.js'
import { Characters } from './characters.js'
import { tellDrained } from './drained.js'
import type { Encoder, FrameBuffer } from './encoder.js'
import type { Outgoing } from './outgoing.js'
import { StreamPump, type StreamTarget } from './streamPump.js'
import type { OpenSource } from './streamSource.js'

/** What all connections of a route share, as far as their unfinished messages need it. */
export interface UnfinishedContext {
  readonly encoder: Encoder
  readonly heap: Heap
  readonly budget: Budget
}

/** Whatever frames fragments: the encoder, or who compresses them. */
export interface FragmentFramer {
  fragment(buffer: FrameBuffer, opcode: number, payload: string | Uint8Array, last: boolean): void
}

/** The sending half of the connection that a message belongs to. */
export interface FragmentSender {
  readonly outgoing: Outgoing
  /** Compresses fragments, if that was agreed on. */
  readonly framer?: FragmentFramer
  /** Where what follows the message goes, if what was sent before is not in the output yet. */
  readonly behind?: FrameTarget | undefined
  /** Whether anything can be sent. */
  admits(): boolean
  /** A fragment is framed: what its sender is told. */
  framed(): SendResult
  /** There is no memory for what is to be sent. Throws any other error. */
  memorySpent(error: unknown): 'closed'
  /** Output that waited may have been written: `drain` may be due. */
  drained(): void
}

export class Unfinished implements StreamTarget {
  readonly #shared: UnfinishedContext
  readonly #lifecycle: Lifecycle
  readonly #sender: FragmentSender
  readonly #holder: Holder
  /** The opcode of the message in fragments that is under way, or 0. */
  #opcode = 0
  /** A character may be cut between fragments of text. */
  #characters: Characters | undefined
  /** The stream that is being sent. */
  #pump: StreamPump | undefined
  /** What waits for the end of the message under way, if anything ever has. */
  #backlog: Backlog | undefined

  constructor(shared: UnfinishedContext, lifecycle: Lifecycle, sender: FragmentSender, holder: Holder) {
    this.#shared = shared
    this.#lifecycle = lifecycle
    this.#sender = sender
    this.#holder = holder
  }

  /** Whether a message is under way. */
  get underWay(): boolean {
    return this.#pump !== undefined || this.#opcode !== 0
  }

  /** Bytes that wait until it has ended. */
  get waiting(): number {
    return this.#backlog?.bytes ?? 0
  }

  /** Where frames go that must wait until it has ended. */
  get backlog(): Backlog {
    this.#backlog ??= new Backlog(this.#shared, this.#holder)
    return this.#backlog
  }

  /** Throws an Error while a message in fragments is under way: others may wait for the end of a stream only. */
  checkWaiting(): void {
    if (this.#pump !== undefined) return
    throw callerError(
      'ERR_MESSAGE_UNDER_WAY',
      'a fragmented message is under way: end it with sendFragment(data, true) before the next message',
    )
  }

  /** Throws an Error while a stream is under way. */
  checkNoStream(): void {
    if (this.#pump === undefined) return
    throw callerError(
      'ERR_MESSAGE_UNDER_WAY',
      'a stream is being sent: wait for its end before the next message in fragments',
    )
  }

  /** Throws an Error while any message is under way. */
  checkNone(): void {
    if (this.underWay) throw callerError('ERR_MESSAGE_UNDER_WAY', 'another message is under way: wait for its end')
  }

  /** Throws a TypeError where the message under way is of another kind than this fragment of it. */
  checkKind(piece: string | Uint8Array): void {
    if (this.#opcode !== 0 && this.#opcode !== opcodeFor(piece))
      throw callerError('ERR_FRAGMENT_KIND', 'all fragments of a message are text, or all are bytes')
  }

  /** A fragment: the first decides whether the message is text. */
  fragment(piece: string | Uint8Array, last: boolean): SendResult {
    try {
      return this.#frame(piece, last)
    } catch (error) {
      return this.#sender.memorySpent(error)
    }
  }

  #frame(piece: string | Uint8Array, last: boolean): SendResult {
    const { outgoing, framer = this.#shared.encoder } = this.#sender
    const opcode = opcodeFor(piece)
    const payload = typeof piece === 'string' ? this.#whole(piece, last) : piece
    framer.fragment(outgoing, this.#opcode === 0 ? opcode : OPCODE_CONTINUATION, payload, last)
    this.#opcode = last ? 0 : opcode
    const result = this.#sender.framed()
    if (last) this.#ends()
    return result
  }

  #whole(piece: string, last: boolean): string {
    this.#characters ??= new Characters()
    return this.#characters.whole(piece, last)
  }

  /** A piece of the stream under way. No policy is asked: a stream waits for the peer, whatever becomes of other messages. */
  streamPart(piece: string | Uint8Array, last: boolean): SendResult {
    return this.#sender.admits() ? this.fragment(piece, last) : 'closed'
  }

  /** Sends what a source yields, once `begin` has been called. Rejects with what it throws, or if the connection ends. */
  stream(source: OpenSource, binary: boolean | undefined, begin: () => void): Promise<void> {
    if (this.underWay) source.leave() // to open it has called the application, which has begun another message
    this.checkNone()
    const pump = new StreamPump(source, binary, this)
    begin()
    if (!this.#lifecycle.isOpen) pump.end()
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

  /** The frames that waited for the stream follow it; without memory for that, the connection ends. */
  #streamEnds(): void {
    try {
      this.#ends()
    } catch (error) {
      this.#sender.memorySpent(error)
    }
  }

  /**
   * The message under way is sent, or never will be: the frames that waited for it follow. A stream that has failed amid its
   * message stays: until the connection ends, which is soon, nobody may end that message, nor begin another.
   */
  #ends(): void {
    if (this.#opcode === 0) this.#pump = undefined
    const backlog = this.#backlog
    if (backlog === undefined || backlog.bytes === 0) return
    if (this.#opcode !== 0 || !this.#lifecycle.isOpen) return backlog.drop()
    backlog.moveTo(this.#sender.behind ?? this.#sender.outgoing)
    tellDrained(this.#sender, this.#lifecycle)
  }

  /** Output has been written: a stream goes on. */
  relieved(): void {
    this.#pump?.relieved()
  }

  /** Nothing more can be sent: the stream is told at once, and the frames that wait for it are dropped. */
  end(): void {
    this.#pump?.end()
    this.#backlog?.drop()
  }
}

function opcodeFor(piece: string | Uint8Array): number {
  return typeof piece === 'string' ? OPCODE_TEXT : OPCODE_BINARY
}
