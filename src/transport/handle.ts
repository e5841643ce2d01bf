// The fast transport: a TCP or pipe handle that reads straight into the inbox and writes straight from memory.
import type { Socket } from 'node:net'
import { codecOfThread, INBOX, INBOX_LENGTH } from '../codec/codec.js'
import { socketOf } from '../internals/accept.js'
import type { StreamHandle } from '../internals/node.js'
import { restartTimeout } from '../internals/socketTimeout.js'
import {
  aimReads,
  EOF,
  type HandleReader,
  type HandleWriter,
  shutdown,
  startReading,
  write,
  writeAll,
} from '../internals/stream.js'
import { inboxOfThread } from '../memory/inbox.js'
import { turnClockOfThread, type Waiting } from '../time/turnClock.js'
import { resetSocket } from './resetSocket.js'
import { readError } from './systemError.js'
import type { Receiver, Transport } from './transport.js'

const codec = codecOfThread

/** Bytes of one peer, in reads that it fills, before the others have a turn: a message of 1 MiB is not cut short. */
const MOST_IN_A_ROW = 1024 * 1024 + INBOX_LENGTH

/**
 * Bytes of one read. It grows when the peer fills it, and shrinks when what was read could not be dealt with at once:
 * what must be kept of a peer is never more than one read.
 */
const READ_LENGTHS = [16 * 1024, INBOX_LENGTH] as const
const FIRST_LENGTH = 0

/** Views for all handles, by their lengths: the inbox is where every read of this thread lands. */
let views: readonly Uint8Array[] | undefined

function viewsOfThread(): readonly Uint8Array[] {
  views ??= READ_LENGTHS.map((length) => codec().bytes.subarray(INBOX, INBOX + length))
  return views
}

function firstView(): Uint8Array {
  return viewsOfThread()[FIRST_LENGTH] ?? codec().bytes
}

/** What is read from a handle that was accepted lands in the inbox and is told to `reader`, until a transport opens on it. */
export function readFirst(handle: StreamHandle, reader: HandleReader): void {
  aimReads(handle, firstView(), reader)
}

/** A socket of node:net around a handle on which no transport has been opened; it gets back the bytes in `read`. */
export function socketAround(handle: StreamHandle, read?: Uint8Array): Socket {
  return socketOf(handle, firstView(), read)
}

const CLOSED = 1
const PAUSED = 2
/** The end came after bytes that waited and have paused reading: it is told after `resume`. */
const END_HELD = 4
/** The end waits for what is to leave before it: libuv resets nothing meanwhile, and node:net would lose the handle. */
const ENDING = 8
/** It has stopped reading until it has a turn. */
const WAITING = 16
/** It is paused while somebody works on what was read: the next read may be as long. */
const WORKED_ON = 32
/** It was accepted in no async context, and nobody has had the chance to enter one. */
const OUTSIDE = 64

export class HandleTransport implements Transport, HandleReader, HandleWriter, Waiting {
  readonly #handle: StreamHandle
  /** The net.Socket that the handle came from, if it did: it must be told, or its server waits for it for ever. */
  #socket: Socket | undefined
  #receiver: Receiver | undefined
  /** What holds, as bits: a connection keeps one number for them. */
  #facts = 0
  /** How long a read may be, as an index. */
  #size = FIRST_LENGTH
  /** Bytes of the reads in a row that were as long as they could be. */
  #inARow = 0

  constructor(handle: StreamHandle, socket?: Socket) {
    this.#handle = handle
    this.#socket = socket
  }

  private is(fact: number): boolean {
    return (this.#facts & fact) !== 0
  }

  protected get closed(): boolean {
    return this.is(CLOSED)
  }

  /** Whether reading is stopped. */
  protected get paused(): boolean {
    return this.is(PAUSED)
  }

  get remoteAddress(): string | undefined {
    if (this.is(CLOSED)) return undefined
    const out: { address?: string } = {}
    this.#handle.getpeername?.(out)
    return out.address
  }

  get secure(): boolean {
    return false
  }

  /** The peer's own address, not the one that a proxy reported. */
  get told(): boolean {
    return false
  }

  get outside(): boolean {
    return this.is(OUTSIDE)
  }

  /** Nobody but millrace has run in its async context so far, and there is none. */
  isOutside(): void {
    this.#facts |= OUTSIDE
  }

  get awaitsTurn(): boolean {
    return this.is(WAITING)
  }

  get unsent(): number {
    return this.is(CLOSED) ? 0 : (this.#handle.writeQueueSize ?? 0)
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver
    aimReads(this.#handle, firstView(), this)
    if (this.#socket !== undefined) this.over(this.#socket)
    if (!this.is(PAUSED) && !startReading(this.#handle)) this.close()
  }

  /** The handle is this socket's from now on, whose end is that of the transport. */
  over(socket: Socket): void {
    this.#socket = socket
    socket.once('close', () => this.gone()).on('error', (error) => this.fail(error))
    this.#receiver?.alsoOf?.(socket)
  }

  read(status: number): Uint8Array | undefined {
    const receiver = this.#receiver
    if (this.is(CLOSED) || status === 0 || receiver === undefined) return undefined
    if (status < 0) {
      if (status === EOF) inboxOfThread().tell(receiver, () => this.tellEnd())
      else this.fail(readError(status))
      return undefined
    }
    this.moved()
    const full = this.isFull(status)
    inboxOfThread().read(receiver, status)
    if (!full) this.#inARow = 0
    else if (!this.is(PAUSED)) this.yieldTurn(status)
    if (this.is(WAITING)) receiver.awaitsTurn?.(true)
    if ((this.#facts & (PAUSED | WORKED_ON)) === PAUSED || receiver.frugal === true) return this.aim(0)
    return full && this.#size < READ_LENGTHS.length - 1 ? this.aim(this.#size + 1) : undefined
  }

  /** Whether a read says that there is much to read, as it has all that it had room for. */
  protected isFull(bytes: number): boolean {
    return bytes === READ_LENGTHS[this.#size]
  }

  /** Bytes have come or left: the socket does not see them, and its time without any begins anew. */
  protected moved(): void {
    if (this.#socket !== undefined) restartTimeout(this.#socket)
  }

  /** The view in which the next reads land, if it is another one than before. */
  protected aim(size: number): Uint8Array | undefined {
    if (size === this.#size) return undefined
    this.#size = size
    return viewsOfThread()[size]
  }

  /** libuv reads up to 32 times in a row while a read fills its room: a peer with a full pipe must let others in. */
  private yieldTurn(bytes: number): void {
    const clock = turnClockOfThread()
    const crowded = clock.crowded(this)
    this.#inARow += bytes
    if (this.is(CLOSED) || (!crowded && this.#inARow + INBOX_LENGTH <= MOST_IN_A_ROW)) return
    this.#inARow = 0
    this.#handle.readStop()
    if (crowded || clock.awaited) this.waitForTurn()
    else setImmediate(() => !this.is(WAITING) && this.goOn())
  }

  private waitForTurn(): void {
    if (this.is(WAITING)) return
    this.#facts |= WAITING
    turnClockOfThread().wait(this)
  }

  /** It is read on, if anybody wants it (Waiting). */
  goOn(): boolean {
    this.#facts &= ~WAITING
    if (this.is(PAUSED) || this.is(CLOSED)) return false
    this.#receiver?.awaitsTurn?.(false)
    this.resume()
    return true
  }

  pause(workedOn = false): void {
    this.#facts |= workedOn ? PAUSED | WORKED_ON : PAUSED
    if (!this.is(CLOSED)) this.#handle.readStop()
  }

  resume(): void {
    this.#facts &= ~(PAUSED | WORKED_ON)
    if (this.is(END_HELD)) {
      this.#facts &= ~END_HELD
      setImmediate(() => this.tellEnd())
    } else if (!this.is(CLOSED) && !this.is(WAITING) && !startReading(this.#handle)) this.close()
  }

  private tellEnd(): void {
    if (this.is(PAUSED)) this.#facts |= END_HELD
    else this.#receiver?.ended()
  }

  write(pointer: number, length: number): number {
    if (this.is(CLOSED)) return -1
    this.moved()
    return write(this.#handle, codec().view(pointer, length), this)
  }

  writeViews(views: readonly Uint8Array[]): number {
    if (this.is(CLOSED)) return -1
    this.moved()
    return writeAll(this.#handle, views, this)
  }

  written(status: number): void {
    this.moved()
    this.#receiver?.written(status)
  }

  end(): void {
    if (this.is(CLOSED)) return
    this.#facts |= ENDING
    const left = (): void => {
      this.#facts &= ~ENDING
    }
    if (shutdown(this.#handle, left) < 0) this.close()
  }

  /** What was written is the system's already. */
  endBoth(): void {
    this.close()
  }

  /** A socket tells its listeners of the error, too. */
  private fail(error: Error): void {
    if (this.is(CLOSED)) return
    this.#receiver?.failing?.(error)
    this.close(error)
  }

  close(error?: Error): void {
    if (this.is(CLOSED)) return
    this.#facts |= CLOSED
    if (this.#socket !== undefined) this.#socket.destroy(error)
    else {
      this.#receiver?.closing?.()
      this.#handle.close(() => this.gone())
    }
  }

  reset(): void {
    if (this.is(CLOSED)) return
    if (this.is(ENDING)) return this.close()
    const gone = (): void => this.gone()
    if (this.#socket !== undefined) resetSocket(this.#socket)
    else if ((this.#handle.reset?.(gone) ?? -1) < 0) return this.close() // a pipe has no reset
    this.#facts |= CLOSED
  }

  private gone(): void {
    this.#facts |= CLOSED
    const receiver = this.#receiver
    this.#receiver = undefined
    if (receiver !== undefined) inboxOfThread().tell(receiver, () => receiver.closed())
  }
}
