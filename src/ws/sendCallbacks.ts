// The callbacks of `send`: each is called when the system has taken the last byte of what was sent with it, in order, and
// never inside of `send`. The outgoing bytes of a connection are counted, and a callback waits for its place in the count.
import type { AsyncResource } from 'node:async_hooks'
import { currentContext, runInContext, runOutside } from '../internals/context.js'
import { Queue } from '../time/queue.js'
import { cutError } from '../transport/systemError.js'
import { endedError, throwLater } from './errors.js'

/** What is called when something has left, with null; or with an Error if it never will. */
export type SendCallback = (error: Error | null) => void

interface Waiting {
  /** Bytes of the connection that have left when it is called. */
  readonly position: number
  readonly callback: SendCallback
  /** The async context of the sender, if there is anything in it. */
  readonly context: AsyncResource | undefined
}

/** The message under way is the one of the next callback that finds its bytes not left. */
const NEXT = -1

/** Whoever sends, at the end of the turn. */
export interface TurnSender {
  /** Bytes of all that was ever sent. */
  readonly committed: number
  /** Of these, bytes that have left. */
  readonly outgoing: { readonly completed: number }
  /** Writes what would be written at the end of the turn. */
  writeOut(): void
}

export class SendCallbacks {
  readonly #sender: TurnSender
  /** Those whose bytes had not left in their tick. */
  #late: Queue<Waiting> | undefined
  /** Bytes that have left, as far as callbacks may be called for them. */
  #left: number
  /**
   * Where what a stream of Node's would have given to the system ends: the message that did not leave whole, or all that had
   * waited for the one before. 0 if nothing is.
   */
  #given = 0
  #listed = false
  /** Callbacks whose ticks have not come. */
  #ticks = 0
  /** Why nothing leaves any more. */
  #ended: Error | undefined
  /** What is told of what the system was given. */
  #cut: Error | null = null
  /** Whether a callback has thrown since. */
  #threw = false

  /** Of what was sent before there was a callback, the system has been given all up to `given`. */
  constructor(sender: TurnSender, given = 0) {
    this.#sender = sender
    this.#left = sender.outgoing.completed
    this.#given = given
  }

  /** A message that ends at `position` did not leave whole. */
  stands(position: number): void {
    if (this.#given <= this.#left) this.#given = position // and not where it stands behind another
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
    const { committed } = this.#sender
    if (committed === bytes) this.#given = 0
    else if (this.#given === 0) this.#given = NEXT
    else if (this.#given !== NEXT && this.#given <= bytes) this.#given = committed
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
    if (position > this.#left && this.#given === NEXT) this.#given = position
    if (position <= this.#left) callback(null)
    else if (this.#ended !== undefined) callback(this.#fate(position))
    else {
      this.#late ??= new Queue()
      this.#late.push({ position, callback, context: currentContext() })
    }
  }

  /** Nothing leaves any more: the rest are told why, at once, or in their ticks; not so of what the system was given, if that is cut. */
  end(error: Error | undefined, isCut: boolean): void {
    if (this.#ended !== undefined) return
    if (!isCut) this.#given = 0
    this.#cut = this.#given === 0 ? null : cutError()
    this.#ended = error ?? this.#cut ?? endedError()
    this.#callDue()
    for (const waiting of this.#late?.clear() ?? []) {
      if (!callIn(waiting, this.#fate(waiting.position))) this.#threw = true
    }
  }

  /** What is told of bytes that have not left, and never will. */
  #fate(position: number): Error | null {
    return position <= this.#given ? this.#cut : (this.#ended ?? null)
  }

  /** Does something behind all callbacks, when nothing leaves any more. */
  afterwards(work: () => void): void {
    if (this.#ticks === 0 && !this.#threw) work()
    else process.nextTick(work) // behind what they have thrown
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
function callIn({ callback, context }: Waiting, error: Error | null): boolean {
  if (context !== undefined) return runInContext(context, () => call(callback, error))
  return currentContext() === undefined ? call(callback, error) : runOutside(() => call(callback, error))
}

/** A callback that throws is nobody's fault but its own: the others are called all the same. Returns whether it has not. */
function call(callback: SendCallback, error: Error | null): boolean {
  try {
    callback(error)
    return true
  } catch (thrown) {
    throwLater(thrown)
    return false
  }
}
