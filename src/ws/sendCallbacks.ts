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

/** Whoever sends, at the end of the turn. */
export interface TurnSender {
  /** Writes what would be written at the end of the turn. */
  writeOut(): void
}

export class SendCallbacks {
  readonly #sender: TurnSender
  /** Those whose bytes had not left in their tick. */
  #late: Queue<Waiting> | undefined
  /** Bytes that have left, as far as callbacks may be called for them. */
  #left = 0
  #listed = false
  /** Callbacks whose ticks have not come. */
  #ticks = 0
  /** Why nothing leaves any more. */
  #ended: Error | undefined

  constructor(sender: TurnSender) {
    this.#sender = sender
  }

  /**
   * `callback` waits until `position` bytes have left. Nearly all do with this turn, and have in the next tick, in which a stream
   * of Node's would call back: to put off a tick for each costs less than a list of them, as it keeps its async context itself.
   */
  add(position: number, callback: SendCallback): void {
    this.#ticks++
    process.nextTick(tick, this, position, callback)
  }

  /** So many bytes have left: of the callbacks whose ticks were too early, those that have waited for them are called in the next. */
  hasLeft(bytes: number): void {
    this.#left = bytes
    if (this.#listed || !this.#isDue(this.#late?.first)) return
    this.#listed = true
    process.nextTick(() => {
      this.#listed = false
      this.#callDue()
    })
  }

  /** The tick of a callback: outside of a turn, what it waits for is written now. */
  tick(position: number, callback: SendCallback): void {
    this.#ticks--
    if (position > this.#left && this.#ended === undefined) this.#sender.writeOut()
    if (this.#late !== undefined) this.#callDue()
    if (position <= this.#left) call(callback, null)
    else if (this.#ended !== undefined) call(callback, this.#ended)
    else {
      this.#late ??= new Queue()
      this.#late.push({ position, callback, context: currentContext() })
    }
  }

  /** Nothing leaves any more: the rest are told why, at once, or in their ticks. */
  end(error: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    this.#callDue()
    for (const waiting of this.#late?.clear() ?? []) callIn(waiting, error)
  }

  /** Does something behind all callbacks, when nothing leaves any more. */
  afterwards(work: () => void): void {
    if (this.#ticks === 0) work()
    else process.nextTick(work)
  }

  #isDue(waiting: Waiting | undefined): boolean {
    return waiting !== undefined && waiting.position <= this.#left
  }

  /** Calls those late ones whose bytes have left since. */
  #callDue(): void {
    const late = this.#late
    while (late !== undefined && this.#isDue(late.first)) {
      const waiting = late.shift()
      if (waiting !== undefined) callIn(waiting, null)
    }
  }
}

function tick(callbacks: SendCallbacks, position: number, callback: SendCallback): void {
  callbacks.tick(position, callback)
}

/** The tick may have been put off by somebody's own code, whose context is not that of others. */
function callIn({ callback, context }: Waiting, error: Error | null): void {
  if (context !== undefined) runInContext(context, () => call(callback, error))
  else if (currentContext() === undefined) call(callback, error)
  else runOutside(() => call(callback, error))
}

/** A callback that throws is nobody's fault but its own: the others are called all the same. */
function call(callback: SendCallback, error: Error | null): void {
  try {
    callback(error)
  } catch (thrown) {
    throwLater(thrown)
  }
}
