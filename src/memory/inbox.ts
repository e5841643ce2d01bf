// The owner of what is read, one per thread. Inbox and frame table belong to the thread, and handlers run while they
// are walked: whatever else arrives meanwhile (an upgrade with bytes after it, a Duplex that hands over at once) would
// overwrite what is not delivered yet. So one read is dealt with at a time. What arrives meanwhile is copied, counted,
// and delivered in a turn of its own: in order, in nobody's async context, and before anything newer for its receiver.
import { Buffer } from 'node:buffer'
import { codecOfThread, INBOX, INBOX_LENGTH } from '../codec/codec.js'
import { runOutside } from '../internals/context.js'
import { Queue } from '../time/queue.js'

/** The taker of what is read for one connection. */
export interface InboxReader {
  /** Bytes lie in the codec's memory from `start` to `end`, valid until this returns. */
  received(start: number, end: number): void
  /**
   * So many bytes more wait for it, or less where the number is negative. False if they may not wait, and are dropped.
   * Without it, nobody counts them.
   */
  waits?(bytes: number): boolean
}

/** What has not been delivered yet: bytes, or an event after them. */
interface WaitingRead {
  readonly reader: InboxReader
  bytes: Buffer | undefined
  readonly event: (() => void) | undefined
}

/** Bytes that the objects of what waits cost besides its own: it may be many parts of a byte. */
const OBJECTS = 256

/** Milliseconds for which what has waited may hold the thread at a time. */
const SHARE = 2

export class Inbox {
  #busy = false
  #scheduled = false
  readonly #waiting = new Queue<WaitingRead>()
  /** How many entries wait for each reader. It is asked for each read, so a search through the queue would cost too much. */
  readonly #counts = new Map<InboxReader, number>()

  /** Whether a read is being dealt with: somebody walks the frame table. */
  get busy(): boolean {
    return this.#busy
  }

  /** A read of `length` bytes has landed in the inbox by itself. */
  read(reader: InboxReader, length: number): void {
    if (this.#mustWait(reader)) this.#keep(reader, codecOfThread().view(INBOX, length))
    else this.#receive(reader, length)
  }

  /** Delivers bytes that lie elsewhere, any number of them; now, or where a read is being dealt with, after it. */
  deliver(reader: InboxReader, bytes: Uint8Array): void {
    // What is longer than a read waits before its first part is dealt with: what arrives meanwhile is newer.
    const first = this.#mustWait(reader) ? 0 : Math.min(bytes.length, INBOX_LENGTH)
    for (let at = first; at < bytes.length; at += INBOX_LENGTH) {
      this.#keep(reader, bytes.subarray(at, at + INBOX_LENGTH))
    }
    if (first > 0) this.#copy(reader, first === bytes.length ? bytes : bytes.subarray(0, first))
  }

  /** Delivers bytes to their reader after `work`, which is given it, and yet before anything that arrives for their reader while that runs. */
  deliverAfter<Reader extends InboxReader>(work: (reader: Reader) => void, reader: Reader, bytes: Uint8Array): void {
    if (bytes.length === 0) return work(reader)
    const place: WaitingRead = { reader, bytes: undefined, event: undefined }
    const { length } = this.#waiting
    this.#put(place)
    work(reader)
    if (reader.waits?.(bytes.length + OBJECTS) === false) return
    place.bytes = Buffer.from(bytes)
    if (!this.#busy && length === 0) this.#deliverNext() // nothing waits before it
  }

  /** Delivers bytes in a turn of their own, and before anything that arrives for their reader until then. */
  deliverLater(reader: InboxReader, bytes: Uint8Array): void {
    if (bytes.length === 0) this.#put({ reader, bytes: undefined, event: undefined })
    else this.#keep(reader, bytes)
  }

  /** An event of the connection, such as its end, after the bytes that wait for it. Never while a read is dealt with. */
  tell(reader: InboxReader, event: () => void): void {
    if (this.#mustWait(reader)) this.#put({ reader, bytes: undefined, event })
    else event()
  }

  /** Deals with what was read before and kept: nothing else may be parsed meanwhile. */
  exclusively(work: () => void): void {
    const before = this.#busy
    this.#busy = true
    try {
      work()
    } finally {
      this.#busy = before
    }
  }

  #mustWait(reader: InboxReader): boolean {
    return this.#busy || (this.#counts.size > 0 && this.#counts.has(reader))
  }

  #receive(reader: InboxReader, length: number): void {
    this.#busy = true
    try {
      reader.received(INBOX, INBOX + length)
    } finally {
      this.#busy = false
    }
  }

  #copy(reader: InboxReader, bytes: Uint8Array): void {
    codecOfThread().write(INBOX, bytes)
    this.#receive(reader, bytes.length)
  }

  #keep(reader: InboxReader, bytes: Uint8Array): void {
    if (reader.waits?.(bytes.length + OBJECTS) === false) return
    this.#put({ reader, bytes: Buffer.from(bytes), event: undefined })
  }

  #put(waiting: WaitingRead): void {
    const { reader } = waiting
    this.#waiting.push(waiting)
    this.#counts.set(reader, (this.#counts.get(reader) ?? 0) + 1)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#deliverWaiting())
  }

  #deliverWaiting(): void {
    this.#scheduled = false
    const until = performance.now() + SHARE
    try {
      do runOutside(() => this.#deliverNext())
      while (this.#waiting.length > 0 && performance.now() < until)
    } finally {
      if (this.#waiting.length > 0) this.#schedule() // also if an event has thrown
    }
  }

  #deliverNext(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    const { reader, bytes, event } = next
    const remaining = (this.#counts.get(reader) ?? 1) - 1
    if (remaining === 0) this.#counts.delete(reader)
    else this.#counts.set(reader, remaining)
    event?.()
    if (bytes === undefined) return
    reader.waits?.(-bytes.length - OBJECTS)
    for (let at = 0; at < bytes.length; at += INBOX_LENGTH) this.#copy(reader, bytes.subarray(at, at + INBOX_LENGTH))
  }
}

let inbox: Inbox | undefined

/** The inbox of this thread, made on first use. */
export function inboxOfThread(): Inbox {
  inbox ??= new Inbox()
  return inbox
}
