// What is sent while a Blob is being read, or a long message compressed: it must not overtake these, whose bytes come later.
import { runOutside } from '../internals/context.js'
import { Queue } from '../time/queue.js'
import { byteLengthOf, type Payload } from './data.js'
import { blobError } from './errors.js'
import type { SendCallback } from './sendCallbacks.js'

/** Something that is sent when its turn has come. */
export interface Unsent {
  readonly payload: Payload
  readonly callback: SendCallback | undefined
  use(data: string | Uint8Array): void
  /** What must be done before that, if anything. What it returns does not reject. */
  readonly work?: ((data: string | Uint8Array) => Promise<void> | undefined) | undefined
}

/** What is sent later, or never. */
export interface SendQueue {
  readonly bytes: number
  readonly reads: boolean
  /** 1 while something is compressed, 2 while a Blob is read, 0 otherwise. */
  readonly doing: 0 | 1 | 2
  add(entry: Unsent): void
  end(error: Error): void
}

export class BlobQueue implements SendQueue {
  /** Bytes of all that has not been sent, and never is, perhaps. */
  bytes = 0
  /** Whether it is compressed, and not read, what the others wait for. */
  works = false
  readonly #failed: (error: Error) => void
  readonly #isGone: () => boolean
  readonly #waiting = new Queue<Unsent>()
  /** The one whose Blob is being read, or whose work is done. */
  #current: Unsent | undefined
  /** Tells those who waited for a Blob when nothing could be sent any more. */
  #givenUp: ((failure?: Error) => void) | undefined

  /** `failed` is told of a Blob that can't be read: nothing is sent after that. `isGone` says whether nothing can be sent. */
  constructor(failed: (error: Error) => void, isGone: () => boolean) {
    this.#failed = failed
    this.#isGone = isGone
  }

  /** Whether a Blob is being read, or a long message compressed. */
  get reads(): boolean {
    return this.#current !== undefined
  }

  get doing(): 0 | 1 | 2 {
    if (!this.reads) return 0
    return this.works ? 1 : 2
  }

  /** Sends this after all that waits. */
  add(entry: Unsent): void {
    this.bytes += byteLengthOf(entry.payload)
    this.#waiting.push(entry)
    this.#goOn()
  }

  /** Nothing will be sent, and so the bytes count on: those who wait are told why, in the next tick, or in the one after the Blob has been read. */
  end(error: Error): void {
    const current = this.#current
    this.#current = undefined
    const waiting = this.#waiting.clear()
    const left = current === undefined ? waiting : [current, ...waiting]
    if (current === undefined || this.works) tellAll(left, error)
    else this.#givenUp = (failure = error): void => tellAll(left, failure)
  }

  #goOn(): void {
    while (this.#current === undefined) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      const { payload } = next
      if (typeof payload === 'string' || payload instanceof Uint8Array) this.#work(next, payload)
      else this.#read(next, payload)
    }
  }

  #work(entry: Unsent, data: string | Uint8Array): void {
    const work = entry.work?.(data)
    if (work === undefined) return this.#use(entry, data)
    this.#current = entry
    this.works = true
    void work.then(() => {
      if (this.#current !== entry) return // the connection has ended
      this.#current = undefined
      runOutside(() => {
        this.#use(entry, data)
        this.#goOn()
      })
    })
  }

  #use(entry: Unsent, data: string | Uint8Array): void {
    this.bytes -= byteLengthOf(entry.payload)
    entry.use(data)
  }

  #read(entry: Unsent, blob: Blob): void {
    this.#current = entry
    this.works = false
    blob.arrayBuffer().then(
      (buffer) => {
        if (this.#current === entry && this.#isGone()) this.end(blobError())
        if (this.#current !== entry) return this.#givenUp?.() // the connection has ended
        this.#current = undefined
        this.#work(entry, new Uint8Array(buffer))
        this.#goOn()
      },
      (error: Error) => {
        if (this.#current === entry) this.#fail(entry, error)
        else {
          this.#givenUp?.(error)
          process.nextTick(this.#failed, error)
        }
      },
    )
  }

  #fail(entry: Unsent, error: Error): void {
    this.#current = undefined
    tellAll([entry], error)
    this.end(error)
    process.nextTick(this.#failed, error)
  }
}

function tellAll(entries: readonly Unsent[], error: Error): void {
  for (const { callback } of entries) if (callback !== undefined) process.nextTick(callback, error)
}
