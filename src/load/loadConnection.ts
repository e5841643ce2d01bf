// One connection of a load: sends batches that are encoded already, counts the answers, notes how long they took.
import type { RecordableHistogram } from 'node:perf_hooks'
import type { Codec, Heap } from '../codec/codec.js'
import { inboxOfThread } from '../memory/inbox.js'
import { transportOf } from '../transport/adopt.js'
import { PENDING, type Receiver, type Transport } from '../transport/transport.js'
import type { Dialled } from './dial.js'
import { MessageCounter, type Verifier } from './messageCounter.js'
import type { Batch } from './payload.js'

/** The schedule drops what is answered when it is this many. */
const FORGET = 1024

/** What the connections of a load share. */
export interface LoadShared {
  readonly codec: Codec
  readonly heap: Heap
  readonly batch: Batch
  /** Time from a batch's sending to its last answer, in nanoseconds. */
  readonly latency: RecordableHistogram
  /** Whether messages are sent on schedule, answered or not; otherwise a batch waits for the answers to the one before. */
  readonly scheduled: boolean
  /** Whether what happens now counts. */
  measuring: boolean
  /** Messages answered while measuring. */
  messages: number
  /** The load can't go on: the server failed, or ended the connection. */
  failed(reason: string): void
}

export class LoadConnection implements Receiver {
  readonly #shared: LoadShared
  readonly #transport: Transport
  readonly #counter: MessageCounter
  #writing = false
  /** Answers that the current batch still waits for. */
  #due = 0
  #sentAt = 0
  /** Open loop: when each unanswered message was due, and how many are not sent yet. */
  readonly #schedule: number[] = []
  #answered = 0
  #unsent = 0
  #ending = false
  #gone = false
  #closed: () => void = () => undefined

  constructor(shared: LoadShared, dialled: Dialled, verifier: Verifier | undefined) {
    this.#shared = shared
    this.#counter = new MessageCounter(shared.codec, shared.heap, verifier, (reason) => this.#fail(reason))
    this.#transport = transportOf(dialled.stream)
    this.#transport.open(this)
    inboxOfThread().deliver(this, dialled.early)
  }

  /** Sends a batch, and another whenever one is answered. */
  start(): void {
    this.#sentAt = performance.now()
    this.#due = this.#shared.batch.messages
    this.#write()
  }

  /** Sends one message that was due at `at`, whether or not others are answered. */
  schedule(at: number): void {
    this.#schedule.push(at)
    this.#unsent++
    if (!this.#writing) this.#pour()
  }

  /** Messages that were due and are not answered. */
  get unanswered(): readonly number[] {
    return this.#schedule.slice(this.#answered)
  }

  /** Ends the connection; resolves when it has ended. */
  end(): Promise<void> {
    this.#ending = true
    if (this.#gone) return Promise.resolve()
    const ended = new Promise<void>((resolve) => {
      this.#closed = resolve
    })
    this.#transport.close()
    return ended
  }

  received(start: number, end: number): void {
    if (this.#ending) return
    const messages = this.#counter.count(start, end)
    if (messages > 0) this.#answer(messages)
  }

  ended(): void {
    this.#fail('the server ended the connection')
  }

  written(status: number): void {
    this.#writing = false
    if (status < 0) this.#fail('the connection broke')
    else if (this.#shared.scheduled) this.#pour()
    else if (this.#due === 0) this.start()
  }

  closed(): void {
    this.#gone = true
    this.#counter.free()
    if (!this.#ending) this.#fail('the server ended the connection')
    this.#closed()
  }

  #answer(messages: number): void {
    const shared = this.#shared
    if (shared.scheduled) return this.#answerScheduled(messages)
    if (shared.measuring) shared.messages += messages
    this.#due -= messages
    if (this.#due < 0) return this.#fail('the server sent more messages than it got')
    if (this.#due > 0) return
    if (shared.measuring) this.#record(performance.now() - this.#sentAt)
    if (!this.#writing) this.start()
  }

  /** Latency counts from when a message was due, so that a stall counts for every message that it delayed. */
  #answerScheduled(messages: number): void {
    const shared = this.#shared
    const now = performance.now()
    for (let n = 0; n < messages; n++) {
      const due = this.#schedule[this.#answered++]
      if (due === undefined) return this.#fail('the server sent more messages than it got')
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
    while (this.#unsent > 0 && !this.#writing) {
      this.#unsent--
      this.#write()
    }
  }

  #write(): void {
    const { pointer, length } = this.#shared.batch
    const status = this.#transport.write(pointer, length)
    if (status === PENDING) this.#writing = true
    else if (status < 0) this.#fail('the connection broke')
  }

  #fail(reason: string): void {
    if (this.#ending) return
    this.#ending = true
    this.#shared.failed(reason)
    this.#transport.close()
  }
}
