// A transport in memory, for tests: what is fed to it is received, what is written is collected,
// and it can be told to leave writes unfinished, as a socket does whose peer doesn't read.
import { Buffer } from 'node:buffer'
import { codecOfThread, INBOX, INBOX_LENGTH } from '../../src/codec/codec.js'
import { inboxOfThread } from '../../src/memory/inbox.js'
import { PENDING, type Receiver, type Transport, WRITTEN } from '../../src/transport/transport.js'
import { type Frame, readFrames } from './frames.js'
import { settle } from './settle.js'

/** What a test finds where it should have found a message. */
export const POISON = 0xdb

export class MemoryTransport implements Transport {
  readonly remoteAddress = undefined
  /** The number of writes so far. */
  writes = 0
  /** While true, writes stay PENDING until `finish`. */
  stuck = false
  paused = false
  /** It has stopped reading until others have had their turns. */
  awaitsTurn = false
  halfClosed = false
  closed = false
  /** What was written, and not yet put together: a copy for each write of all before it would be quadratic. */
  readonly #written: Buffer[] = []
  #receiver: Receiver | undefined
  #endHeld = false
  #pending: { readonly pointer: number; readonly length: number } | undefined

  /** Everything written so far, or since a test set it; of an unfinished write, only what `finish` let go. */
  get output(): Buffer {
    if (this.#written.length !== 1) this.output = Buffer.concat(this.#written)
    return this.#written[0] ?? Buffer.alloc(0)
  }

  set output(bytes: Buffer) {
    this.#written.splice(0, Number.POSITIVE_INFINITY, bytes)
  }

  /** Delivers bytes as one read. */
  feed(bytes: Uint8Array): void {
    if (this.closed || this.paused) throw new Error('nothing is read now')
    if (this.#receiver === undefined) return
    const inbox = inboxOfThread()
    inbox.deliver(this.#receiver, bytes)
    // The next read of any connection overwrites the inbox: whoever still looks there must not get away with it.
    if (!inbox.busy) codecOfThread().bytes.fill(POISON, INBOX, INBOX + INBOX_LENGTH)
  }

  /** Delivers the peer's half-close. */
  feedEnd(): void {
    const receiver = this.#receiver
    if (receiver !== undefined) inboxOfThread().tell(receiver, () => this.#tellEnd())
  }

  #tellEnd(): void {
    this.#endHeld = this.paused
    if (!this.paused) this.#receiver?.ended()
  }

  /** Finishes an unfinished write, with its memory as it is now. */
  finish(): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    this.#collect(pending.pointer, pending.length)
    this.#receiver?.written(0)
  }

  /** The whole frames written so far. */
  frames(): Frame[] {
    return readFrames(this.output).frames
  }

  /** The payloads of these frames as text. */
  texts(): string[] {
    return this.frames().map(({ payload }) => payload.toString())
  }

  /** Resolves when reading goes on, after pending callbacks; rejects if it never does. */
  async resumed(): Promise<void> {
    for (let turn = 0; turn < 1000 && this.paused; turn++) await settle()
    if (this.paused) throw new Error('reading is still paused')
  }

  get unsent(): number {
    return this.#pending?.length ?? 0
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver
  }

  /** Stops until others have had their turns, or goes on. */
  waitForTurn(awaits: boolean): void {
    this.awaitsTurn = awaits
    this.#receiver?.awaitsTurn?.(awaits)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    if (!this.#endHeld) return
    this.#endHeld = false
    setImmediate(() => this.#tellEnd())
  }

  write(pointer: number, length: number): number {
    if (this.closed) return -1
    if (this.#pending !== undefined) throw new Error('a write is outstanding')
    this.writes++
    if (this.stuck) {
      this.#pending = { pointer, length }
      return PENDING
    }
    this.#collect(pointer, length)
    return WRITTEN
  }

  writeViews(): number {
    throw new Error('nothing is lent to a connection of the native API')
  }

  end(): void {
    this.halfClosed = true
  }

  reset(): void {
    this.close()
  }

  endBoth(): void {
    this.close()
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    setImmediate(() => {
      if (this.#pending !== undefined) this.#receiver?.written(-1)
      this.#pending = undefined
      this.#receiver?.closed()
    })
  }

  #collect(pointer: number, length: number): void {
    this.#written.push(Buffer.from(codecOfThread().view(pointer, length)))
  }
}
