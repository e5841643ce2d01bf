// One TCP connection to a peer that is tested: bytes out as they are, and what comes back as events, each waited for within
// a time. First comes a head, and then frames.
import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { OPCODE_PONG } from '../codec/frames.js'
import { resetSocket } from '../transport/resetSocket.js'
import type { Side } from './case.js'
import type { Event } from './event.js'
import { type Bounds, FrameReader } from './frameReader.js'
import type { Inflation } from './inflation.js'
import { encodeFrame } from './wire.js'

/** Bytes of a head that a peer may write. */
const LONGEST_HEAD = 16 * 1024

/** Pings of a peer that are answered in a case. */
const MOST_PONGS = 1000

export class Line {
  /** Who is at the other end. */
  readonly peer: Side
  readonly #stream: Duplex
  readonly #reader: FrameReader
  readonly #events: Event[] = []
  #arrived: () => void = () => undefined
  /** What has come of the head; undefined once it is over. */
  #head: Buffer | undefined
  #lost = false
  #pings = 0
  /** We have sent a Close frame, after which nothing may be sent (section 5.5.1). */
  closeSent = false

  /** `early` is what has come already. Where the head was read by somebody else, frames follow at once. */
  constructor(stream: Duplex, peer: Side, bounds: Bounds, early: Buffer, headIsOver: boolean) {
    this.peer = peer
    this.#stream = stream
    this.#head = headIsOver ? undefined : Buffer.alloc(0)
    this.#reader = new FrameReader(peer === 'client', bounds, (event) => this.#tell(event))
    stream.on('data', (chunk: Buffer) => this.#received(chunk))
    stream.on('end', () => this.#tell({ kind: 'end' }))
    stream.on('error', (error: NodeJS.ErrnoException) => this.#cut(error.code ?? error.message))
    stream.on('close', () => this.#cut('closed'))
    if (early.length > 0) this.#received(early)
    stream.resume()
  }

  /** Whether frames of our side are masked (section 5.1). */
  get masks(): boolean {
    return this.peer === 'server'
  }

  get keys(): ReadonlySet<string> {
    return this.#reader.keys
  }

  inflateWith(inflation: Inflation): void {
    this.#reader.inflation = inflation
  }

  /** Writes bytes, in writes of `size` bytes with a turn of the event loop between them. */
  async write(bytes: Buffer, size = bytes.length): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#lost; at += size) {
      if (at > 0) await turn()
      this.#stream.write(bytes.subarray(at, at + size))
    }
  }

  /** Writes the first `cut` bytes, and the rest a moment later. */
  async writeInTwo(bytes: Buffer, cut: number): Promise<void> {
    this.#stream.write(bytes.subarray(0, cut))
    for (let turns = 0; turns < 3; turns++) await turn()
    if (!this.#lost) this.#stream.write(bytes.subarray(cut))
  }

  /** The peer's head without its empty line, or why there is none. */
  async takeHead(milliseconds: number): Promise<string | Event | undefined> {
    const end = performance.now() + milliseconds
    for (;;) {
      const length = this.#head?.indexOf('\r\n\r\n') ?? -1
      if (this.#head !== undefined && length >= 0) {
        const text = this.#head.toString('latin1', 0, length)
        const rest = this.#head.subarray(length + 4)
        this.#head = undefined
        if (rest.length > 0) this.#reader.feed(rest)
        return text
      }
      const event = this.#events.shift()
      if (event !== undefined) return event
      if (!(await this.#wait(end))) return undefined
    }
  }

  /** The next event that is of this kind, or that ends the connection; undefined if nothing comes in time. */
  async take(kind: Event['kind'], milliseconds: number): Promise<Event | undefined> {
    const end = performance.now() + milliseconds
    for (;;) {
      const at = this.#events.findIndex((event) => event.kind === kind || ENDS.has(event.kind))
      if (at >= 0) return this.#events.splice(at, 1)[0]
      if (this.#lost) return { kind: 'lost', problem: 'closed' }
      if (!(await this.#wait(end))) return undefined
    }
  }

  /** Whether the TCP connection has ended within this time, whatever else came before. */
  async ended(milliseconds: number): Promise<boolean> {
    const end = performance.now() + milliseconds
    while (!this.#lost && !this.#events.some(({ kind }) => kind === 'end' || kind === 'lost'))
      if (!(await this.#wait(end))) return false
    return true
  }

  /** Ends our half of the TCP connection. */
  finish(): void {
    if (!this.#lost) this.#stream.end()
  }

  /** Cuts the TCP connection; with a RST where the stream can. */
  reset(): void {
    if (this.#stream instanceof Socket) resetSocket(this.#stream)
    else if ('resetAndDestroy' in this.#stream && typeof this.#stream.resetAndDestroy === 'function')
      this.#stream.resetAndDestroy()
    else this.#stream.destroy()
  }

  /** Nothing more is to be done. */
  dispose(): void {
    this.#stream.destroy()
  }

  #received(chunk: Buffer): void {
    if (this.#head === undefined) return this.#reader.feed(chunk)
    this.#head = Buffer.concat([this.#head, chunk])
    const length = this.#head.indexOf('\r\n\r\n')
    if (length < 0 ? this.#head.length > LONGEST_HEAD : length > LONGEST_HEAD)
      this.#tell({ kind: 'broken', problem: `a head of more than ${LONGEST_HEAD} bytes` })
    this.#arrived()
  }

  #tell(event: Event): void {
    // Pings are answered whatever the case is about (section 5.5.2), but not without end.
    if (event.kind === 'ping' && !this.closeSent && !this.#lost && this.#pings++ < MOST_PONGS)
      this.#stream.write(encodeFrame({ opcode: OPCODE_PONG, payload: event.payload }, this.masks))
    if (event.kind === 'broken') this.#stream.destroy()
    if (event.kind !== 'ping') this.#events.push(event)
    this.#arrived()
  }

  #cut(problem: string): void {
    if (this.#lost) return
    this.#lost = true
    this.#events.push({ kind: 'lost', problem })
    this.#arrived()
  }

  /** Waits until something has come; false if the time is over. */
  async #wait(end: number): Promise<boolean> {
    const left = end - performance.now()
    if (left <= 0) return false
    let timer: NodeJS.Timeout | undefined
    const came = await new Promise<boolean>((resolve) => {
      // What has come while this process was busy is read before the time counts as over.
      timer = setTimeout(() => setImmediate(() => setImmediate(resolve, false)), left)
      this.#arrived = () => resolve(true)
    })
    clearTimeout(timer)
    return came
  }
}

const ENDS: ReadonlySet<Event['kind']> = new Set(['close', 'end', 'lost', 'broken'])
