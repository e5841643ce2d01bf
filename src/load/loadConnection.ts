// One connection of a load: sends batches that are encoded already, counts the answers, notes how long they took.
import type { Buffer } from 'node:buffer'
import type { RecordableHistogram } from 'node:perf_hooks'
import type { Heap } from '../codec/codec.js'
import type { Answers } from '../codec/counter.js'
import { inboxOfThread } from '../memory/inbox.js'
import { CloseCode } from '../protocol/closeCode.js'
import { transportOf } from '../transport/adopt.js'
import { PENDING, type Receiver, type Transport } from '../transport/transport.js'
import type { Dialled } from './dial.js'
import { type CounterOwner, MessageCounter } from './messageCounter.js'
import type { Batch } from './payload.js'
import { Replies } from './replies.js'

/** The schedule drops what is answered when it is this many. */
const FORGET = 1024
/** How long a server may take to end a connection after Close, in milliseconds. */
const CLOSE_TIMEOUT = 500

/** What the connections of a load share. */
export interface LoadShared {
  readonly heap: Heap
  readonly batch: Batch
  /** Time from a batch's sending to its last answer, in nanoseconds. */
  readonly latency: RecordableHistogram
  /** Whether messages are sent on schedule, answered or not; otherwise a batch waits for the answers to the one before. */
  readonly scheduled: boolean
  /** Whether what happens now counts. */
  measuring: boolean
  /** Messages answered while measuring, and the bytes that came with them, headers of frames included. */
  messages: number
  bytes: number
  /** Messages that the servers sent before they were sent any, and reads that brought some of these. */
  greetings: number
  heard: number
  /** Messages that may be due and unanswered on one connection. */
  readonly mostUnanswered: number
  /** The load can't go on: the server failed, or ended the connection. */
  failed(reason: string): void
}

/** Messages go out; or Close has, and the server's end is awaited; or neither. */
type State = 'loading' | 'closing' | 'over'

export class LoadConnection implements Receiver, CounterOwner {
  readonly #shared: LoadShared
  readonly #transport: Transport
  readonly #counter: MessageCounter
  readonly #replies: Replies
  /** The first message is sent, or is about to be: what came before is a greeting. */
  #begun = false
  #writing = false
  /** Answers that the current batch still waits for. */
  #due = 0
  #sentAt = 0
  /** Open loop: when each unanswered message was due, and how many are not sent yet. */
  readonly #schedule: number[] = []
  #answered = 0
  #unsent = 0
  #state: State = 'loading'
  #gone = false
  #late: NodeJS.Timeout | undefined
  #closed: () => void = () => undefined

  /** `answers` are those to the batch, unless told otherwise. */
  constructor(shared: LoadShared, dialled: Dialled, answers: Answers = shared.batch.answers) {
    this.#shared = shared
    this.#counter = new MessageCounter(shared.heap, answers, this)
    this.#replies = new Replies(shared.heap)
    this.#transport = transportOf(dialled.stream)
    this.#transport.open(this)
    inboxOfThread().deliver(this, dialled.early)
  }

  /** Sends a batch, and another whenever one is answered. */
  start(): void {
    this.#begin()
    if (!this.#writing) this.#send()
  }

  /** Sends one message that was due at `at`, whether or not others are answered. */
  schedule(at: number): void {
    if (!this.#begun) this.#begin()
    if (this.#schedule.length - this.#answered >= this.#shared.mostUnanswered) {
      return this.failed('the server leaves more messages unanswered than can be noted')
    }
    this.#schedule.push(at)
    this.#unsent++
    if (!this.#writing) this.#pour()
  }

  /** Messages that were due and are not answered. */
  get unanswered(): readonly number[] {
    return this.#schedule.slice(this.#answered)
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
    if (!this.#begun || greetings !== this.#counter.greetings) this.#greeted(this.#counter.greetings - greetings)
    if (this.#shared.measuring && this.#state === 'loading') this.#shared.bytes += end - start
    if (messages > 0 && this.#state === 'loading') this.#answer(messages)
    if (!this.#writing) this.#reply()
  }

  ended(): void {
    if (this.#state === 'closing') this.#transport.close()
    else this.failed('the server ended the connection')
  }

  written(status: number): void {
    this.#writing = false
    if (status < 0) return this.failed('the connection broke')
    this.#reply()
    if (this.#writing || this.#state !== 'loading' || !this.#begun) return
    if (this.#shared.scheduled) this.#pour()
    else if (this.#due === 0) this.#send()
  }

  closed(): void {
    this.#gone = true
    clearTimeout(this.#late)
    this.#counter.free()
    this.#replies.free()
    if (this.#state === 'loading') this.failed('the server ended the connection')
    this.#closed()
  }

  /** The server wants a sign of life. */
  pinged(payload: Buffer): void {
    this.#replies.pong(payload)
  }

  saidClose(code: number | undefined, reason: string): void {
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

  #begin(): void {
    this.#begun = true
    this.#counter.begin()
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

  #send(): void {
    this.#sentAt = performance.now()
    this.#due = this.#shared.batch.messages
    this.#write(this.#shared.batch)
  }

  #answer(messages: number): void {
    const shared = this.#shared
    if (shared.scheduled) return this.#answerScheduled(messages)
    if (shared.measuring) shared.messages += messages
    this.#due -= messages
    if (this.#due < 0) return this.failed('the server sent more messages than it got')
    if (this.#due > 0) return
    if (shared.measuring) this.#record(performance.now() - this.#sentAt)
    if (!this.#writing) this.#send()
  }

  /** Latency counts from when a message was due, so that a stall counts for every message that it delayed. */
  #answerScheduled(messages: number): void {
    const shared = this.#shared
    const now = performance.now()
    for (let n = 0; n < messages; n++) {
      const due = this.#schedule[this.#answered++]
      if (due === undefined) return this.failed('the server sent more messages than it got')
      if (!shared.measuring) continue
      shared.messages++
      this.#record(now - due)
    }
    if (this.#answered < FORGET) return
    this.#schedule.splice(0, this.#answered)
    this.#answered = 0
  }

  #record(milliseconds: number): void {
    this.#shared.latency.record(Math.max(1, Math.round(milliseconds * 1e6)))
  }

  #pour(): void {
    while (this.#unsent > 0 && !this.#writing && this.#state === 'loading') {
      this.#unsent--
      this.#write(this.#shared.batch)
    }
  }

  /** Sends what the server is owed, while nothing else is on its way. */
  #reply(): void {
    if (this.#state === 'over') return
    for (let frame = this.#replies.next(); frame !== undefined; frame = this.#replies.next()) {
      this.#write(frame)
      if (this.#writing) return
    }
  }

  #write({ pointer, length }: Pick<Batch, 'pointer' | 'length'>): void {
    const status = this.#transport.write(pointer, length)
    if (status === PENDING) this.#writing = true
    else if (status < 0) this.failed('the connection broke')
  }
}
