// A message that is handed to the application while it arrives. Its reader's pace holds the sender back: what is not
// read yet is bounded, and above that nothing more is read from the peer.
import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { OwnBytes } from '../../codec/ownBytes.js'
import { type Account, OBJECTS } from '../../memory/account.js'
import type { Keeper, Remainder } from '../../memory/remains.js'
import { ConnectionEnded, ignorable } from '../ended.js'
import type { Pressure } from '../pressure.js'
import { Reason } from '../reason.js'
import { readableOf } from './messageReadable.js'

type Result = IteratorResult<OwnBytes, undefined>

interface Taker {
  readonly resolve: (result: Result) => void
  readonly reject: (error: Error) => void
}

const DONE: Result = { done: true, value: undefined }

/** What only millrace itself may do with the stream of a message. They are not its methods: every program could reach those. @internal */
interface StreamInternals {
  /** Whether nobody will read the rest: the reader has left. */
  isAbandoned(stream: MessageStream): boolean
  /** Hands over a chunk, in memory of its own; false if there is no memory for it to wait in. */
  push(stream: MessageStream, chunk: OwnBytes): boolean
  /** The message is complete. */
  end(stream: MessageStream): void
  /**
   * The connection has ended. The waiting chunks of a complete message can still be read; those of an incomplete one
   * are dropped.
   */
  close(stream: MessageStream): void
}

let internals: StreamInternals

/**
 * A long message that your `stream` handler reads while it arrives: an async iterable of chunks. What your handler does
 * not read is not read from the client either, so the memory it takes stays bounded.
 */
export class MessageStream implements AsyncIterator<OwnBytes, undefined>, AsyncIterable<OwnBytes> {
  /** Whether this is a text message. Then each chunk is valid UTF-8, and no chunk splits a character. */
  readonly isText: boolean
  /**
   * The length of the payload in bytes, if the message comes in one frame. Undefined if it comes in fragments, because
   * then its length is not known yet.
   */
  readonly byteLength: number | undefined
  readonly #pressure: Pressure
  readonly #account: Account
  readonly #chunks: OwnBytes[] = []
  readonly #takers: Taker[] = []
  /** The bytes of a character that the last chunk cut. */
  #rest: OwnBytes = EMPTY
  #ended = false
  #error: Error | undefined
  #abandoned = false
  /** Whether this stream has stopped reading: only then may it let reading go on, because another stream may wait. */
  #holds = false
  readonly #leaves: () => void
  /** Where the waiting chunks are counted once the connection has ended; before that, the account counts them. */
  #remainder: Remainder | undefined
  readonly #keeper: Keeper = { lose: () => this.#lose() }

  static {
    internals = {
      isAbandoned(stream) {
        return stream.#abandoned
      },
      push(stream, chunk) {
        return stream.#abandoned || chunk.length === 0 || stream.#push(stream.isText ? stream.#whole(chunk) : chunk)
      },
      end(stream) {
        stream.#ended = true
        if (stream.#chunks.length === 0) for (const { resolve } of stream.#takers.splice(0)) resolve(DONE)
      },
      close(stream) {
        if (stream.#remainder !== undefined || stream.#error !== undefined) return
        if (stream.#ended) return stream.#remain()
        stream.#drop()
        stream.#error = new ConnectionEnded('the message did')
        for (const { reject } of stream.#takers.splice(0)) reject(stream.#error)
      },
    }
  }

  /** Made by a connection; `leaves` is called when the reader leaves before the message has ended. @internal */
  constructor(
    pressure: Pressure,
    account: Account,
    isText: boolean,
    byteLength: number | undefined,
    leaves: () => void,
  ) {
    this.#leaves = leaves
    this.#pressure = pressure
    this.#account = account
    this.isText = isText
    this.byteLength = byteLength
  }

  /**
   * Resolves with the next chunk: up to 256 KiB, in memory of its own. Rejects if the connection ends before the
   * message does; you may ignore that rejection.
   */
  next(): Promise<IteratorResult<OwnBytes, undefined>> {
    if (this.#error !== undefined) return ignorable(Promise.reject(this.#error))
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#release(chunk)
      if (this.#chunks.length === 0) this.#letGo()
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#ended || this.#abandoned) return Promise.resolve(DONE)
    return ignorable(new Promise((resolve, reject) => this.#takers.push({ resolve, reject })))
  }

  /**
   * Gives up the rest of the message. It is thrown away as it arrives, or the connection is closed: the option
   * `streamLeft` decides.
   */
  return(): Promise<IteratorResult<OwnBytes, undefined>> {
    if (this.#abandoned) return Promise.resolve(DONE)
    this.#abandoned = true
    if (!this.#ended && this.#error === undefined) this.#leaves()
    this.#drop()
    for (const { resolve } of this.#takers.splice(0)) resolve(DONE)
    this.#letGo()
    return Promise.resolve(DONE)
  }

  /** Returns this stream, so that `for await` accepts it. */
  [Symbol.asyncIterator](): this {
    return this
  }

  /**
   * Returns the message as a Readable of Node.js. Destroying the Readable gives up the message. If the connection ends
   * before the message does, the Readable is destroyed; it emits `'error'` only if somebody listens for that, as
   * `pipeline` does and `pipe` does not.
   */
  toReadable(): Readable {
    return readableOf(this)
  }

  /** Returns the message as a web ReadableStream. Cancelling the stream gives up the message. */
  toWeb(): ReadableStream<OwnBytes> {
    return Readable.toWeb(this.toReadable()) as ReadableStream<OwnBytes>
  }

  #push(chunk: OwnBytes): boolean {
    if (chunk.length === 0) return true
    const taker = this.#takers.shift()
    if (taker !== undefined) {
      taker.resolve({ done: false, value: chunk })
      return true
    }
    this.#holds = true
    this.#pressure.pause(Reason.stream)
    if (!this.#account.keep(chunk.length + OBJECTS)) return false
    this.#chunks.push(chunk)
    return true
  }

  /** Nothing waits here any more: takes back the reason to stop reading. */
  #letGo(): void {
    if (!this.#holds) return
    this.#holds = false
    this.#pressure.resume(Reason.stream)
  }

  /** The chunk up to its last whole character; what is cut begins the next one. */
  #whole(chunk: OwnBytes): OwnBytes {
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = lastBoundary(all)
    this.#rest = end === all.length ? EMPTY : Buffer.from(all.subarray(end))
    return all.subarray(0, end)
  }

  #drop(): void {
    for (const chunk of this.#chunks.splice(0)) this.#release(chunk)
    this.#rest = EMPTY
  }

  #release({ length }: OwnBytes): void {
    if (this.#remainder === undefined) this.#account.release(length + OBJECTS)
    else this.#remainder.release(length, OBJECTS)
  }

  #remain(): void {
    if (this.#chunks.length === 0) return
    this.#remainder = this.#account.remainder(this.#keeper)
    for (const { length } of this.#chunks) this.#account.leave(this.#remainder, length, OBJECTS)
  }

  #lose(): void {
    this.#error = new ConnectionEnded('the message was read, and the rest is gone: its memory was needed')
    this.#remainder?.release(0, this.#chunks.length * OBJECTS)
    this.#chunks.length = 0
  }
}

/** @internal */
export const streamInternals: StreamInternals = internals

const EMPTY = Buffer.alloc(0)

/** Where the character that the end of valid UTF-8 cuts begins; the length if none is cut. */
function lastBoundary(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}
