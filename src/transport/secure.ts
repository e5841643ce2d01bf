// The fast transport over TLS: Node's TLS handle decrypts straight into the inbox and encrypts straight from memory.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { codecOfThread, INBOX } from '../codec/codec.js'
import { handleBelow, type StreamHandle, socketBelow } from '../internals/node.js'
import { restartTimeout } from '../internals/socketTimeout.js'
import { type HandleWriter, writeAllSecurely, writeSecurely } from '../internals/stream.js'
import { inboxOfThread } from '../memory/inbox.js'
import { turnClockOfThread } from '../time/turnClock.js'
import { HandleTransport } from './handle.js'
import { takeTurns, type WritesPast } from './othersWrites.js'
import { resetSocket } from './resetSocket.js'
import { PENDING, type Receiver, WRITTEN } from './transport.js'

/** Most bytes that are encrypted at once: the ciphertext lies in Node's memory, outside of every budget. */
const PIECE = 256 * 1024

/** Bytes of the longest record. */
const RECORD = 16 * 1024

/** Counts the reads of all transports over TLS, so that each knows whether others were read from since. */
let reads = 0

export class SecureTransport extends HandleTransport implements WritesPast {
  readonly #encrypting: StreamHandle
  /** Where what it has encrypted goes. */
  readonly #below: StreamHandle | undefined
  readonly #tls: TLSSocket
  /** The socket below: a program may give that a time, too. */
  readonly #socketBelow: Socket | undefined
  /** A write is being given to the handle, and what that has told of it meanwhile. */
  #giving = false
  #told: number | undefined
  /** The handle aborts the process if it is given a second write before the first one is done. */
  #writing = false
  /** Somebody is to be told when all has been written. */
  #owed = false
  /** The part of the write under way that has not been encrypted. */
  #pointer = 0
  #remaining = 0
  /** The same of views, which are given in one piece. */
  #views: readonly Uint8Array[] | undefined
  /** The socket writes what a program has given it; or has something that waits for its turn, perhaps behind the write under way. */
  #others = false
  #othersNext: (() => void) | undefined
  #othersBehind = false
  /** Which of all reads was its last, and in which turn; and bytes of its reads in a row since they were as many as the longest record has. */
  #lastRead = -1
  #turn = 0
  #row = 0
  /** The transport was closed while a write was under way: whatever that tells, it has failed. */
  #cut = false
  /** It is about to be reset. */
  #over = false
  /** What was decrypted after reading had been stopped: of the ciphertext that was read before, nothing is left behind. */
  #held: Buffer[] = []
  #receiver: Receiver | undefined
  /** What is to be done when the write is: the end must not be encrypted before what goes ahead of it. */
  #afterwards: (() => void) | undefined

  constructor(handle: StreamHandle, socket: TLSSocket) {
    super(handle, socket)
    this.#encrypting = handle
    this.#below = handleBelow(handle)
    this.#tls = socket
    this.#socketBelow = socketBelow(socket)
  }

  override get secure(): boolean {
    return true
  }

  override get unsent(): number {
    return this.#remaining + super.unsent
  }

  override open(receiver: Receiver): void {
    this.#receiver = receiver
    takeTurns(this.#tls, this)
    super.open(receiver)
  }

  protected override moved(): void {
    super.moved()
    if (this.#socketBelow !== undefined) restartTimeout(this.#socketBelow)
  }

  override read(status: number): Uint8Array | undefined {
    if (this.#over) return undefined
    if (status <= 0 || !this.paused) return super.read(status)
    this.moved()
    this.#held.push(Buffer.from(codecOfThread().view(INBOX, status)))
    return undefined
  }

  /** A peer decides how long its records are: short ones in a row are as much to read as a long one, if they come in one turn. */
  protected override isFull(bytes: number): boolean {
    const { turn } = turnClockOfThread()
    if (this.#lastRead !== reads || this.#turn !== turn) this.#row = 0
    reads = (reads + 1) | 0
    this.#lastRead = reads
    this.#turn = turn
    this.#row += bytes
    if (this.#row < RECORD) return false
    this.#row = 0
    return true
  }

  /** No read is longer than a record, of 16 KiB: into more room, none would seem to be full, and none would end a turn. */
  protected override aim(): undefined {
    return undefined
  }

  override resume(): void {
    super.resume()
    while (this.#held.length > 0 && !this.paused) this.#deliverHeld()
  }

  #deliverHeld(): void {
    const chunk = this.#held.shift()
    if (chunk !== undefined && this.#receiver !== undefined) inboxOfThread().deliver(this.#receiver, chunk)
  }

  override write(pointer: number, length: number): number {
    if (this.#over || this.closed) return -1
    this.#pointer = pointer
    this.#remaining = length
    return this.#writeAll()
  }

  override writeViews(views: readonly Uint8Array[]): number {
    if (this.#over || this.closed) return -1
    this.#remaining = 0
    this.#views = views
    return this.#writeAll()
  }

  /** Behind the write under way, if there is one. */
  #writeAll(): number {
    const status = this.#free ? this.#outcome(this.#writePieces()) : PENDING
    this.#owed = status === PENDING
    return status
  }

  /** Whether the handle can be written to, and nobody waits for that. */
  get #free(): boolean {
    return !this.#writing && !this.#others && this.#othersNext === undefined
  }

  /**
   * A TLS handle tells only in a later turn that a write is done, but has encrypted and copied it all: if the system has it,
   * nobody need wait, and neither need its memory.
   */
  #outcome(status: number): number {
    const isTaken = status === PENDING && this.#remaining === 0 && this.#below?.writeQueueSize === 0
    return isTaken ? WRITTEN : status
  }

  #writePieces(): number {
    const views = this.#views
    this.#views = undefined
    if (views !== undefined) return this.#given(writeAllSecurely, views)
    while (this.#remaining > 0) {
      const length = Math.min(this.#remaining, PIECE)
      const pointer = this.#pointer
      this.#pointer += length
      this.#remaining -= length
      const status = this.#given(writeSecurely, codecOfThread().view(pointer, length))
      if (status !== WRITTEN) return status
    }
    return WRITTEN
  }

  /** Gives something to the handle. */
  #given<Held>(write: (handle: StreamHandle, held: Held, writer: HandleWriter) => number, held: Held): number {
    if (this.closed) return -1
    this.moved()
    this.#giving = true
    this.#told = undefined
    const status = write(this.#encrypting, held, this)
    this.#giving = false
    const outcome = status === PENDING ? (this.#told ?? PENDING) : status
    this.#writing = outcome === PENDING
    return outcome
  }

  override written(status: number): void {
    this.#told = status
    if (this.#giving) return
    this.#writing = false
    if (status < 0 && !this.#owed) this.close() // nobody waits for what has failed: it was said to be done
    this.#goOn(status)
  }

  othersWrite(write: () => void): void {
    if (this.#writing || this.#owed || this.#others) {
      this.#othersNext = write
      this.#othersBehind = this.#owed
    } else {
      this.#others = true
      write()
    }
  }

  othersWritten(): void {
    this.#others = false
    this.#goOn(0)
  }

  /** Whether the socket's next write is begun. */
  #letOthers(): boolean {
    const write = this.#othersNext
    if (write === undefined) return false
    this.#othersNext = undefined
    this.#others = true
    write()
    return true
  }

  /** The handle is free again after a write with this `status`. */
  #goOn(status: number): void {
    if (!this.#othersBehind && this.#letOthers()) return
    if (this.#owed) {
      const next = status < 0 || this.#cut ? Math.min(status, -1) : this.#outcome(this.#writePieces())
      if (next === PENDING) return
      this.#owed = this.#othersBehind = false
      super.written(next)
    }
    if (!this.#writing && !this.#others && !this.#letOthers()) this.#runAfterwards()
  }

  #runAfterwards(): void {
    const afterwards = this.#afterwards
    if (!this.#free || afterwards === undefined) return
    this.#afterwards = undefined
    afterwards()
  }

  override end(): void {
    this.#afterwards = () => this.#tls.end() // by the socket, so that its listeners hear of it once
    this.#runAfterwards()
  }

  override endBoth(): void {
    this.#afterwards = () => this.#tls.end(() => this.close())
    this.#runAfterwards()
  }

  override reset(): void {
    const below = this.#socketBelow
    if (below === undefined) return this.close()
    this.#over = true
    this.#remaining = 0
    this.#views = undefined
    // Node may tell the end of the socket at once, and this must return before that.
    setImmediate(() => {
      resetSocket(below)
      this.close()
    })
  }

  override close(error?: Error): void {
    this.#cut = this.#writing || this.#owed
    this.#remaining = 0
    this.#views = undefined
    this.#held = []
    super.close(error)
  }
}
