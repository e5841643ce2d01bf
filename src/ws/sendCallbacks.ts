// The callbacks of `send`: each is called when the system has taken the last byte of what was sent with it, in order, and
// never inside of `send`. The outgoing bytes of a connection are counted, and a callback waits for its place in the count.
import type { AsyncResource } from 'node:async_hooks'
import { currentContext, runInContext, runOutside } from '../internals/context.js'
import { Queue } from '../time/queue.js'
import { throwLater } from './errors.js'

/** What is called when something has left, with null; or with an Error if it never will. */
export type SendCallback = (error: Error | null) => void

interface Waiting {
  /** Bytes of the connection that have left when it is called. */
  readonly position: number
  readonly callback: SendCallback
  /** The async context of the sender, if there is anything in it. */
  readonly context: AsyncResource | undefined
}

/** Those whose callbacks are due, and will be called in the next tick. */
let due: SendCallbacks[] = []

function runDue(): void {
  const all = due
  due = []
  // The tick may have been put off by somebody's own code, whose context is not that of the others.
  if (currentContext() === undefined) runAll(all)
  else runOutside(() => runAll(all))
}

function runAll(all: readonly SendCallbacks[]): void {
  for (const callbacks of all) callbacks.run()
}

/** Whoever sends, at the end of the turn. */
export interface TurnSender {
  /** Writes what would be written at the end of the turn. */
  writeOut(): void
}

export class SendCallbacks {
  readonly #sender: TurnSender
  /** The one that waits longest, and those behind it: most often there is one at a time, which needs no list. */
  #first: Waiting | undefined
  #others: Queue<Waiting> | undefined
  /** Bytes that have left, as far as callbacks may be called for them. */
  #left = 0
  #listed = false
  #ended = false

  constructor(sender: TurnSender) {
    this.#sender = sender
  }

  /** `callback` waits until `position` bytes have left. */
  add(position: number, callback: SendCallback): void {
    const waiting = { position, callback, context: currentContext() }
    if (this.#first === undefined) this.#first = waiting
    else {
      this.#others ??= new Queue()
      this.#others.push(waiting)
    }
    this.#list() // what leaves with this turn has left in the next tick, in which a stream of Node's would call back
  }

  /** So many bytes have left: the callbacks that have waited for them are called in the next tick. */
  hasLeft(bytes: number): void {
    this.#left = bytes
    const first = this.#first
    if (first !== undefined && first.position <= bytes) this.#list()
  }

  #list(): void {
    if (this.#listed) return
    this.#listed = true
    if (due.push(this) === 1) process.nextTick(runDue)
  }

  /** Calls those that are due; outside of a turn, what they wait for is written now. */
  run(): void {
    if (!this.#ended && this.#first !== undefined && this.#first.position > this.#left) this.#sender.writeOut()
    this.#listed = false
    for (;;) {
      const first = this.#first
      if (first === undefined || first.position > this.#left) return
      this.#first = this.#others?.shift()
      call(first, null)
    }
  }

  /** Nothing leaves any more: the rest are told why, at once. */
  end(error: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.run()
    const rest = this.#others?.clear() ?? []
    if (this.#first !== undefined) rest.unshift(this.#first)
    this.#first = undefined
    for (const waiting of rest) call(waiting, error)
  }
}

/** A callback that throws is nobody's fault but its own: the others are called all the same. */
function call({ callback, context }: Waiting, error: Error | null): void {
  try {
    if (context === undefined) callback(error)
    else runInContext(context, () => callback(error))
  } catch (thrown) {
    throwLater(thrown)
  }
}
