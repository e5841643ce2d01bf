// The messages of one connection as an async iterator, for those who prefer a loop to a handler. What comes faster than
// the loop takes it waits in a short queue; when that is full, nothing more is read from the peer.
import type { Account } from '../../memory/account.js'
import type { Keeper } from '../../memory/remains.js'
import type { Message } from '../message.js'
import type { Pressure } from '../pressure.js'
import { Reason } from '../reason.js'
import { Kept } from './kept.js'

/** Messages and bytes that wait for the loop before reading stops. */
const MOST_MESSAGES = 64
const MOST_BYTES = 256 * 1024

type Taker = (result: IteratorResult<Message, undefined>) => void

const DONE = { done: true, value: undefined } as const

/** What only millrace itself may do with a loop. They are not its methods: every program could reach those. @internal */
interface LoopInternals {
  /** A loop begins, perhaps after an earlier loop was left. */
  enter(loop: MessageLoop): void
  /** A message has come: it goes to a loop that waits, else into the queue. False if no memory is left for it. */
  take(loop: MessageLoop, message: Message): boolean
  /** The connection has ended: the loop ends after the queued messages, which move to memory of their own. */
  end(loop: MessageLoop): void
}

let internals: LoopInternals

export class MessageLoop implements AsyncIterableIterator<Message, undefined> {
  readonly #pressure: Pressure
  readonly #account: Account
  readonly #queue: Kept[] = []
  #bytes = 0
  /** Handed out, and readable until the next message is asked for. */
  readonly #given: Kept[] = []
  readonly #takers: Taker[] = []
  #abandoned = false
  #ended = false
  /** Referenced here, because remainders hold their keepers weakly. */
  readonly #keeper: Keeper = { lose: () => this.#lose() }

  static {
    internals = {
      enter(loop) {
        loop.#abandoned = false
      },
      take(loop, message) {
        return loop.#take(message)
      },
      end(loop) {
        loop.#end()
      },
    }
  }

  constructor(pressure: Pressure, account: Account) {
    this.#pressure = pressure
    this.#account = account
  }

  #take(message: Message): boolean {
    const kept = new Kept(message, this.#account)
    const taker = this.#takers.shift()
    if (taker === undefined) this.#enqueue(kept)
    else this.#handOver(kept, taker)
    return kept.fits
  }

  #enqueue(queued: Kept): void {
    const { message } = queued
    this.#queue.push(queued)
    this.#bytes += message.byteLength
    const full = this.#queue.length >= MOST_MESSAGES || this.#bytes >= MOST_BYTES
    if (full || this.#abandoned || this.#account.tight) this.#pressure.pause(Reason.loop)
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#abandoned) this.#drop()
    if (this.#queue.length + this.#given.length > 0) this.#remain()
    for (const taker of this.#takers.splice(0)) taker(DONE)
  }

  #remain(): void {
    const remainder = this.#account.remainder(this.#keeper)
    for (const queued of [...this.#queue, ...this.#given]) {
      queued.remain(remainder)
      queued.detach()
    }
  }

  /** Memory is short: all messages that are queued or handed out lose their payloads. */
  #lose(): void {
    for (const queued of [...this.#queue, ...this.#given]) queued.lose()
  }

  /** The next message; the one before is gone now. */
  next(): Promise<IteratorResult<Message, undefined>> {
    this.#abandoned = false
    if (this.#takers.length === 0) this.#release()
    const queued = this.#queue.shift()
    if (queued === undefined && this.#ended) return Promise.resolve(DONE)
    return new Promise((resolve) => {
      if (queued === undefined) this.#takers.push(resolve)
      else {
        this.#bytes -= queued.message.byteLength
        this.#handOver(queued, resolve)
      }
      if (this.#queue.length === 0) this.#pressure.resume(Reason.loop)
    })
  }

  /** The loop is left. */
  return(): Promise<IteratorResult<Message, undefined>> {
    this.#release()
    this.#abandoned = true
    for (const taker of this.#takers.splice(0)) taker(DONE) // or they would take what the next loop is for
    if (this.#ended) this.#drop()
    else this.#pressure.pause(Reason.loop)
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #handOver(queued: Kept, taker: Taker): void {
    this.#given.push(queued)
    taker({ done: false, value: queued.message })
  }

  #release(): void {
    for (const queued of this.#given.splice(0)) queued.release()
  }

  #drop(): void {
    for (const queued of this.#queue.splice(0)) queued.release()
    this.#bytes = 0
  }
}

/** @internal */
export const loopInternals: LoopInternals = internals
