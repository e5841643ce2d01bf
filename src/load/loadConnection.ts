// One connection of a load: sends batches that are encoded already, and counts the answers. When it sends, and what the
// answers mean, a strategy says.
import type { Buffer } from 'node:buffer'
import type { Heap } from '../codec/codec.js'
import type { Answers } from '../codec/counter.js'
import { inboxOfThread } from '../memory/inbox.js'
import { CloseCode } from '../protocol/closeCode.js'
import { transportOf } from '../transport/adopt.js'
import { PENDING, type Receiver, type Transport } from '../transport/transport.js'
import { DeflatedLine } from './deflatedLine.js'
import type { DeflateMaterial } from './deflateMaterial.js'
import type { ClientSocket } from './dial.js'
import type { NumberedLine } from './line.js'
import { type CounterOwner, MessageCounter } from './messageCounter.js'
import type { EncodedMessages } from './payload.js'
import { Replies } from './replies.js'
import type { Sequence } from './sequence.js'
import { SequencedLine } from './sequencedLine.js'
import type { SequenceMaterial } from './sequenceMaterial.js'

/** How long a server may take to end a connection after Close, in milliseconds. */
const CLOSE_TIMEOUT = 500

/** What the connections of a load share. */
export interface LoadShared {
  readonly heap: Heap
  readonly batch: EncodedMessages
  /** What is sent instead where messages are compressed: each connection makes a batch of it for each sending. */
  readonly deflate?: DeflateMaterial | undefined
  /** What is sent instead where messages have sequence numbers. */
  readonly sequences?: SequenceMaterial | undefined
  /** Nothing is sent any more; what is on its way may still be answered. */
  readonly stopped?: boolean
  /** In nanoseconds. */
  readonly latency: { record(nanoseconds: number): void }
  /** Whether what happens now counts. */
  measuring: boolean
  /** Messages answered while measuring, and the bytes that came with them, headers of frames included. */
  messages: number
  bytes: number
  /** Bytes that were sent while measuring, headers of frames included. */
  sent: number
  /** Messages that the servers sent before the client had sent any, and the reads that brought them. */
  greetings: number
  heard: number
  /** The load can't go on: the server failed, or ended the connection. */
  failed(reason: string): void
}

/** When a connection sends, and what its answers mean. */
export interface Strategy {
  /** So many answers have come. */
  answered(messages: number): void
  /** So many messages were passed over: answers to later ones have come. */
  passed?(messages: number): void
  /** A pong has come, with this payload. */
  ponged?(payload: Buffer): void
  /** The batch under way has been written: the next batch may be sent. */
  writable(): void
}

/** Sending messages; waiting for the server's end after Close; or finished. */
type State = 'loading' | 'closing' | 'over'

export class LoadConnection implements Receiver, CounterOwner {
  readonly #shared: LoadShared
  readonly #transport: Transport
  readonly #counter: MessageCounter
  readonly #replies: Replies
  readonly #deflated: DeflatedLine | undefined
  readonly #sequenced: NumberedLine | undefined
  #writing = false
  #strategy: Strategy | undefined
  #state: State = 'loading'
  #gone = false
  #heardClose = false
  #late: NodeJS.Timeout | undefined
  #closed: () => void = () => undefined

  /**
   * `answers` says what the answers must be. Default: those to the batch. `number` is the connection's, in stamps. `line` makes
   * what is sent, and looks at what comes. Default: one for the numbers that are shared, if there are any.
   */
  constructor(
    shared: LoadShared,
    dialled: ClientSocket,
    answers: Answers = shared.batch.answers,
    number = 0,
    line: NumberedLine | undefined = shared.sequences && new SequencedLine(shared.sequences, number),
  ) {
    this.#shared = shared
    this.#deflated = shared.deflate && dialled.deflate && new DeflatedLine(shared.deflate, dialled.deflate.parameters)
    this.#sequenced = line
    this.#counter = new MessageCounter(shared.heap, answers, this, this.#deflated, this.#sequenced)
    this.#replies = new Replies(shared.heap)
    this.#transport = dialled.transport ?? transportOf(dialled.stream)
    this.#transport.open(this)
    inboxOfThread().deliver(this, dialled.early)
  }

  /** From now on, messages are answers, and `strategy` deals with them. */
  begin(strategy: Strategy): void {
    this.#strategy = strategy
    this.#counter.begin()
  }

  /** Whether a batch may be sent now. */
  get writable(): boolean {
    return !this.#writing && this.#state === 'loading' && this.#shared.stopped !== true
  }

  /** What has become of its messages, where they have numbers. */
  get sequence(): Sequence | undefined {
    return this.#sequenced?.sequence
  }

  /** Whether the server has answered this side's Close. */
  get heardClose(): boolean {
    return this.#heardClose
  }

  /** Sends a batch; it must be writable, and have begun. */
  send(): void {
    const shared = this.#shared
    const batch = this.#deflated?.next() ?? this.#sequenced?.next?.() ?? shared.batch
    if (shared.measuring) shared.sent += batch.length
    this.#write(batch)
    if (!this.#writing) this.#left()
  }

  /** Asks for a pong with this payload, as soon as what was sent has been written. */
  ping(payload: Buffer): void {
    this.#replies.ping(payload)
    if (!this.#writing) this.#reply()
  }

  /** What was sent is written, or given up. */
  #left(): void {
    this.#deflated?.written()
    this.#sequenced?.written()
  }

  /** Closes the connection, as a client should; resolves when it has ended. */
  end(): Promise<void> {
    if (this.#gone) return Promise.resolve()
    const ended = new Promise<void>((resolve) => {
      this.#closed = resolve
    })
    if (this.#state === 'loading') this.#close(CloseCode.normal)
    if (this.#state === 'over') this.#transport.close()
    else this.#late = setTimeout(() => this.#transport.close(), CLOSE_TIMEOUT)
    return ended
  }

  received(start: number, end: number): void {
    if (this.#state === 'over') return
    const { greetings } = this.#counter
    const messages = this.#counter.count(start, end)
    if (this.#strategy === undefined || greetings !== this.#counter.greetings)
      this.#greeted(this.#counter.greetings - greetings)
    if (this.#shared.measuring && this.#state === 'loading') this.#shared.bytes += end - start
    const passed = this.#sequenced?.takePassed() ?? 0
    if (passed > 0 && this.#state === 'loading') this.#strategy?.passed?.(passed)
    if (messages > 0 && this.#state === 'loading') this.#strategy?.answered(messages)
    if (!this.#writing) this.#reply()
  }

  ended(): void {
    if (this.#state === 'closing') this.#transport.close()
    else this.failed('the server ended the connection')
  }

  written(status: number): void {
    this.#writing = false
    this.#left()
    if (status < 0) return this.failed('the connection broke')
    this.#reply()
    if (this.writable) this.#strategy?.writable()
  }

  closed(): void {
    this.#gone = true
    clearTimeout(this.#late)
    this.#counter.free()
    this.#replies.free()
    this.#deflated?.free()
    this.#sequenced?.free()
    if (this.#state === 'loading') this.failed('the server ended the connection')
    this.#closed()
  }

  /** The server wants a sign of life. */
  pinged(payload: Buffer): void {
    this.#replies.pong(payload)
  }

  /** The server has given the sign of life that it was asked for, or gives one unasked. */
  ponged(payload: Buffer): void {
    if (this.#state === 'loading') this.#strategy?.ponged?.(payload)
  }

  saidClose(code: number | undefined, reason: string): void {
    this.#heardClose = true
    if (this.#state !== 'loading') return
    this.#close(code)
    const said = [code ?? 'without a code', reason].join(' ').trimEnd()
    this.#shared.failed(`the server sent Close ${said}`)
  }

  /** The load can't go on with this server. */
  failed(reason: string): void {
    const state = this.#state
    this.#state = 'over'
    if (state === 'loading') this.#shared.failed(reason)
    this.#transport.close()
  }

  #greeted(greetings: number): void {
    this.#shared.heard++
    this.#shared.greetings += greetings
  }

  #close(code: number | undefined): void {
    this.#state = 'closing'
    this.#replies.close(code)
    if (!this.#writing) this.#reply()
  }

  /** Sends the pong or Close that the server is owed, if no other write is under way. */
  #reply(): void {
    if (this.#state === 'over') return
    for (let frame = this.#replies.next(); frame !== undefined; frame = this.#replies.next()) {
      this.#write(frame)
      if (this.#writing) return
    }
  }

  #write({ pointer, length }: Pick<EncodedMessages, 'pointer' | 'length'>): void {
    const status = this.#transport.write(pointer, length)
    if (status === PENDING) this.#writing = true
    else if (status < 0) this.failed('the connection broke')
  }
}
