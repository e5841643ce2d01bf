// The turn of one thread: what is sent while it lasts is built in one place, and leaves when it ends, in one write per
// connection. One flush runs at a time: a writer that is added meanwhile follows in the same flush, and nothing of the
// application's is called from inside. A flush that takes too long goes on in a turn of its own.
import { type Heap, heapOfThread } from '../codec/codec.js'
import { runOutside } from '../internals/context.js'
import { Arena } from '../memory/arena.js'
import { Greeting } from './sending/greeting.js'

/** Whoever writes at the end of a turn. */
export interface Writer {
  /** Writes what it has, as far as its transport takes it. Never throws. */
  flush(): void
}

/** Holds the frames of a whole inbox's worth of echoes. */
const BLOCK_LENGTH = 256 * 1024 + 16 * 1024

/** Milliseconds that a flush takes before the others have a turn, and after how many writers the clock is asked. */
const SHARE = 2
const WRITERS = 32

export class Turn {
  /** Where the frames of the turn are built. */
  readonly outbox: Arena
  /** Where the response of a connection waits that is being opened. */
  readonly greeting: Greeting
  #flushing = false
  readonly #writers: (Writer | undefined)[] = []
  /** Where the next writer goes, and the first that has not been flushed. */
  #listed = 0
  #flushed = 0
  #depth = 0
  #scheduled = false
  #later = false
  readonly #watchers: (() => void)[] = []
  /** Who goes on in the next turn. */
  readonly #postponed: Writer[] = []
  /** How many are in the middle of something, besides a flush. */
  #undisturbed = 0
  /** What must not run inside of a flush, nor of what is undisturbed. */
  #afterwards: (() => void)[] = []

  constructor(heap: Heap) {
    this.outbox = new Arena(heap, BLOCK_LENGTH)
    this.greeting = new Greeting(this)
  }

  /** Whether what was sent is being written: nothing of the application's may run now. */
  get flushing(): boolean {
    return this.#flushing
  }

  /** A turn begins; they may be nested. */
  begin(): void {
    this.#depth++
  }

  /** The turn ends: everything that was sent in it leaves. */
  end(): void {
    if (--this.#depth === 0 && this.#listed > 0) this.#flush()
  }

  /** Has a writer flushed at the end of the turn, or outside of one in a microtask. */
  add(writer: Writer): void {
    this.#writers[this.#listed++] = writer
    if (this.#depth > 0 || this.#flushing || this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  /** Has a writer flushed in a turn of its own: it has had its share of this one. */
  addLater(writer: Writer): void {
    this.#postponed.push(writer)
    this.#goOnLater()
  }

  /** Whether there is more to write than fits into a turn: then nobody should cause much more. */
  get behind(): boolean {
    return this.#later
  }

  /** Calls `call` whenever there begins to be more. */
  whenBehind(call: () => void): void {
    this.#watchers.push(call)
  }

  /** More was said than fits into a turn, and is on its way to many: whoever causes more should do so slowly. */
  strain(): void {
    this.#goOnLater()
  }

  /** Runs work that may call the application: now, or when what is being written or published is done. */
  afterwards(work: () => void): void {
    if (this.#flushing || this.#undisturbed > 0) this.#afterwards.push(work)
    else work()
  }

  /** Runs `work`, in which nothing of the application's is called: a publication is delivered to all before that. */
  undisturbed<Result>(work: () => Result): Result {
    this.#undisturbed++
    try {
      return work()
    } finally {
      this.#undisturbed--
      this.#runAfterwards()
    }
  }

  /**
   * Makes sure that `length` bytes fit at the outbox's position, writing out or changing the block if it must. False where
   * there is no memory left for that. Nothing of the application's runs meanwhile: a frame is about to be built.
   */
  reserve(length: number): boolean {
    const { outbox } = this
    if (outbox.fits(length)) return true
    this.#write()
    if (this.#afterwards.length > 0) queueMicrotask(() => this.#runAfterwards())
    return outbox.fits(length) || outbox.tryChange()
  }

  #flush(): void {
    this.#write()
    this.#runAfterwards()
  }

  #write(): void {
    if (this.#flushing) return
    this.#flushing = true
    try {
      this.#writeAll()
    } finally {
      this.#flushing = false
      this.#cut()
    }
    this.outbox.recycle()
  }

  /** Flushes every writer, those that are added meanwhile too, unless it takes too long. */
  #writeAll(): void {
    const writers = this.#writers
    let until = 0
    while (this.#flushed < this.#listed) {
      const at = this.#flushed++
      const writer = writers[at]
      writers[at] = undefined
      writer?.flush()
      if (at % WRITERS !== WRITERS - 1) continue
      const now = performance.now()
      if (until === 0) until = now + SHARE
      else if (now > until) return
    }
  }

  /** Takes the writers that are done off the list. The array keeps its length, so it need not grow again. */
  #cut(): void {
    const left = this.#listed - this.#flushed
    if (left > 0) {
      this.#writers.copyWithin(0, this.#flushed, this.#listed)
      this.#writers.fill(undefined, left, this.#listed)
      this.#goOnLater()
    }
    this.#listed = left
    this.#flushed = 0
  }

  #goOnLater(): void {
    if (this.#later) return
    this.#later = true
    for (const call of this.#watchers) call()
    setImmediate(() => {
      this.#later = false
      for (const writer of this.#postponed.splice(0)) this.#writers[this.#listed++] = writer
      runOutside(() => this.#flush())
    })
  }

  #runAfterwards(): void {
    if (this.#afterwards.length === 0 || this.#flushing || this.#undisturbed > 0) return
    const works = this.#afterwards
    this.#afterwards = []
    for (const work of works) runOutside(work)
  }
}

let turn: Turn | undefined

/** The turn of this thread, made on first use. */
export function turnOfThread(): Turn {
  turn ??= new Turn(heapOfThread())
  return turn
}
