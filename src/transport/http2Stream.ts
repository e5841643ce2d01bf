// A WebSocket over one stream of an HTTP/2 session (RFC 8441). Its DATA is read by the handle of the stream, straight into
// the inbox, where Node's private API has that; otherwise by the stream. What is written is always copied: a session goes
// on with what its socket has not taken, even of a stream that is reset, and then the memory may be another connection's.
import { Buffer } from 'node:buffer'
import type { Http2Stream } from 'node:http2'
import { codecOfThread, INBOX } from '../codec/codec.js'
import { runOutside } from '../internals/context.js'
import { aimData, give, giveAsking, http2HandleOf, type PieceWriter, type Told } from '../internals/http2.js'
import type { StreamHandle } from '../internals/node.js'
import type { HandleReader } from '../internals/stream.js'
import { inboxOfThread } from '../memory/inbox.js'
import { InFlight } from './inFlight.js'
import { LoosePieces } from './loosePieces.js'
import { PIECE, Pieces, reuse } from './pieces.js'
import { PENDING, type Receiver, type Transport, WRITTEN } from './transport.js'

/** Bytes that a peer may send on a stream before they are read: SETTINGS_INITIAL_WINDOW_SIZE as RFC 9113 has it. */
export const STREAM_WINDOW = 65_535

/** Bytes that a stream is given before the first of them has left. Whether its peer reads shows with each piece. */
const MOST_GIVEN = 4 * PIECE

/** So many bytes at least are given before it is asked whether they have left. */
const ASKED = 4 * 1024

const NOTHING = Buffer.alloc(0)

/** Error codes (RFC 9113, section 7). */
const NO_ERROR = 0
const CANCEL = 8

/**
 * Calls `call` when a stream that is finished has sent END_STREAM: node:http2 sends it in a turn of its own, and RST_STREAM
 * would overtake it.
 */
export function afterEnd(call: () => void): void {
  setImmediate(() => setImmediate(call))
}

export class Http2Transport implements Transport, HandleReader, PieceWriter {
  readonly #stream: Http2Stream
  readonly #address: () => string | undefined
  /** The stream's handle, where that can be used, and by what the stream is told of what is not read here. */
  readonly #handle: StreamHandle | undefined
  #told: Told | undefined
  #receiver: Receiver | undefined
  /** What the stream has not been given of the write under way, and bytes that it has been given and not sent. */
  readonly #pieces = new Pieces()
  #given = 0
  /** Those of them whose leaving will not be told: to be told of each short write would cost more than the write. */
  #unasked = 0
  /** What must stay when the stream ends before its socket has taken it: pieces of whose leaving nobody is told, and the first other. */
  readonly #inFlight: InFlight
  readonly #loose = new LoosePieces()
  #cut = false
  /** Whether the write under way is waited for. */
  #pending = false
  #paused = false
  /** The end came while reading was stopped: it is told after `resume`. */
  #endHeld = false
  /** Whether the window is counted among what is kept. */
  #counted = false
  /** Whether both have said all that they had to say. */
  #over = false
  /** What is to be done when everything that was written has left. */
  #afterwards: (() => void) | undefined

  /** `address` is the address of the session's peer. */
  constructor(stream: Http2Stream, address: () => string | undefined, publicApi = false) {
    this.#stream = stream
    this.#address = address
    this.#handle = publicApi ? undefined : http2HandleOf(stream)
    this.#inFlight = new InFlight(stream)
  }

  get remoteAddress(): string | undefined {
    return this.#address()
  }

  get unsent(): number {
    return this.#pieces.left + this.#given
  }

  open(receiver: Receiver): void {
    const stream = this.#stream
    this.#receiver = receiver
    stream.on('error', () => this.close())
    stream.on('data', (chunk: Buffer) => this.#deliver(chunk))
    stream.on('end', () => this.#end())
    stream.on('close', () => this.#gone())
    if (stream.destroyed) return void setImmediate(() => this.#gone())
    if (stream.readableEnded) return void setImmediate(() => this.#end())
    if (this.#handle !== undefined) {
      this.#told = aimData(this.#handle, codecOfThread().bytes.subarray(INBOX, INBOX + PIECE), this)
    }
    if (!this.#paused) this.#start()
  }

  /** DATA has come, or END_STREAM (HandleReader). What comes behind anything that waits in the stream waits there, too. */
  read(status: number): undefined {
    const receiver = this.#receiver
    const stream = this.#stream
    if (receiver === undefined) return undefined
    if (status > 0 && !this.#paused && stream.readableLength === 0) inboxOfThread().read(receiver, status)
    else this.#told?.(status)
    return undefined
  }

  #deliver(chunk: Buffer): void {
    if (this.#receiver !== undefined) inboxOfThread().deliver(this.#receiver, chunk)
  }

  /** The peer may go on until the stream's window is full, and the stream keeps that. */
  pause(): void {
    this.#paused = true
    this.#stream.pause()
    const reader = this.#receiver
    if (this.#counted || reader === undefined || this.#stream.destroyed) return
    this.#counted = true
    if (reader.waits?.(STREAM_WINDOW) === false) this.#counted = false
  }

  resume(): void {
    this.#paused = false
    this.#release()
    if (!this.#endHeld) return this.#start()
    this.#endHeld = false
    setImmediate(() => this.#end())
  }

  /** The stream starts reading when it wants something, and it has none of what is read past it. */
  #start(): void {
    this.#stream.resume()
    if (!this.#stream.destroyed) this.#handle?.readStart()
  }

  #release(): void {
    if (!this.#counted) return
    this.#counted = false
    this.#receiver?.waits?.(-STREAM_WINDOW)
  }

  write(pointer: number, length: number): number {
    if (this.#ended) return -1
    this.#pieces.ofMemory(pointer, length)
    return this.#feed()
  }

  writeViews(views: readonly Uint8Array[]): number {
    if (this.#ended) return -1
    this.#pieces.ofViews(views)
    return this.#feed()
  }

  get #ended(): boolean {
    return this.#stream.destroyed || this.#stream.writableEnded
  }

  #feed(): number {
    while (this.#pieces.left > 0 && this.#given < MOST_GIVEN) {
      const piece = this.#pieces.next()
      this.#given += piece.length
      if (!this.#give(piece)) return -1
    }
    this.#pending = this.#given >= MOST_GIVEN || this.#pieces.left > 0
    return this.#pending ? PENDING : WRITTEN
  }

  #give(piece: Buffer): boolean {
    const { length } = piece
    if (this.#handle === undefined) {
      // A stream that is destroyed says so at once, or that all is well, while its session may have the piece.
      this.#stream.write(piece, (error) => {
        if (error == null && !this.#stream.destroyed) this.left(piece, length, 0)
        else this.#inFlight.keep(piece)
      })
      return true
    }
    this.#unasked += length
    if (this.#unasked >= ASKED || this.#loose.full) return this.#ask(this.#handle, piece)
    this.#loose.add(piece)
    return give(this.#handle, piece)
  }

  #ask(handle: StreamHandle, piece: Buffer): boolean {
    const bytes = this.#unasked
    this.#unasked = 0
    this.#loose.asked()
    return giveAsking(handle, piece, this, bytes)
  }

  /** A piece has left, or can't leave any more (PieceWriter). */
  left(piece: Buffer, bytes: number, status: number): void {
    this.#given -= bytes
    if (status < 0) return this.#keepFirst(piece)
    this.#loose.left()
    reuse(piece)
    if (this.#receiver === undefined) return
    if (this.#pending) this.#goOn()
    if (this.#given === 0 && !this.#pending) this.#runAfterwards()
  }

  /** Only the first piece that has not left can have been begun. */
  #keepFirst(piece: Buffer): void {
    if (!this.#cut) this.#inFlight.keep(piece)
    this.#cut = true
  }

  #goOn(): void {
    const status = this.#ended ? -1 : this.#feed()
    if (status === PENDING) return
    this.#pending = false
    // Node says this in the async context of the code that wrote.
    runOutside(() => this.#receiver?.written(status))
  }

  /** Does `work` when all that was written has left, which may be at once. */
  #whenSent(work: () => void): void {
    this.#afterwards = work
    if (this.#handle !== undefined && this.#unasked > 0) this.#ask(this.#handle, NOTHING)
    if (this.#given === 0 && !this.#pending) this.#runAfterwards()
  }

  #runAfterwards(): void {
    const afterwards = this.#afterwards
    this.#afterwards = undefined
    afterwards?.()
  }

  end(): void {
    this.#whenSent(() => this.#stream.end())
  }

  /** A peer that takes part in the end has the last word; RST_STREAM is for one that does not. */
  endBoth(): void {
    this.#whenSent(() => {
      this.#stream.end(() => {
        this.#over = true
        afterEnd(() => this.close())
      })
    })
  }

  /**
   * A connection that is given up is one that TCP would reset, which is CANCEL (RFC 8441, section 5). One that is over has
   * nothing to cancel.
   */
  close(): void {
    const stream = this.#stream
    this.#pieces.drop()
    this.#pending = false
    this.#loose.keepIn(this.#inFlight)
    setImmediate(() => this.#gone())
    if (!stream.closed) stream.close(this.#over ? NO_ERROR : CANCEL)
    stream.destroy()
  }

  reset(): void {
    this.close()
  }

  #end(): void {
    if (this.#receiver !== undefined) inboxOfThread().tell(this.#receiver, () => this.#tellEnd())
  }

  /** A stream ends even while it is paused, if its last bytes were read before; these may also have paused it. */
  #tellEnd(): void {
    this.#endHeld = this.#paused
    if (!this.#paused) this.#receiver?.ended()
  }

  #gone(): void {
    this.#release()
    this.#loose.keepIn(this.#inFlight)
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#pieces.drop()
    this.#pending = false
    if (receiver !== undefined) inboxOfThread().tell(receiver, () => receiver.closed())
  }
}
