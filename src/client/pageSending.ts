// What a WebSocket of browsers sends, and what it says of it (WHATWG WebSockets, section 3.1): `bufferedAmount` stands still
// within a turn but for what is sent in it, and counts what was given to a connection that has ended.
import type { Connection } from '../connection/connection.js'
import { closeWithoutCode } from '../connection/publicConnection.js'
import { bytesOf, type closingOf, lengthOf, type WebSocketData } from './webSocketArguments.js'

export class PageSending {
  /** Undefined if it never opened. */
  readonly #connection: Connection<unknown> | undefined
  /** What was given to `send` in this turn, on top of what waited before it; and after the end. */
  #turn = 0
  #before = 0
  #surplus = 0
  /** Bytes of the Close frame, which are not the application's. */
  #close = 0
  /** What waits until a Blob has been read: messages leave in order. */
  #reading: Promise<void> | undefined

  constructor(connection: Connection<unknown> | undefined) {
    this.#connection = connection
  }

  get bufferedAmount(): number {
    const waiting = this.#turn > 0 ? this.#before + this.#turn : this.#waiting - this.#close
    return Math.max(waiting, 0) + this.#surplus
  }

  get #waiting(): number {
    return this.#connection?.bufferedAmount ?? 0
  }

  send(payload: WebSocketData): void {
    const length = lengthOf(payload)
    if (payload instanceof Blob || this.#reading !== undefined) this.#queue(payload, length)
    else this.#send(payload, length)
  }

  /** The connection does not take any more. */
  discard(payload: WebSocketData): void {
    this.#surplus += lengthOf(payload)
  }

  /** Says Close behind all that was given to `send`. */
  close(said: ReturnType<typeof closingOf>): void {
    if (this.#reading === undefined) this.#sayClose(said)
    else this.#reading.then(() => this.#sayClose(said))
  }

  #send(payload: Exclude<WebSocketData, Blob>, length: number): void {
    if (this.#turn === 0) {
      this.#before = this.#waiting
      setImmediate(() => {
        this.#turn = 0
      })
    }
    this.#turn += length
    this.#connection?.send(payload)
  }

  #sayClose({ code, reason }: ReturnType<typeof closingOf>): void {
    const before = this.#waiting
    if (this.#connection !== undefined && code === undefined) closeWithoutCode(this.#connection)
    else this.#connection?.close(code, reason)
    this.#close = this.#waiting - before
  }

  /** Sends after what waits for a Blob, or a Blob when it has been read. */
  #queue(payload: WebSocketData, length: number): void {
    this.#surplus += length
    const copy = typeof payload === 'string' || payload instanceof Blob ? payload : new Uint8Array(bytesOf(payload))
    const before = this.#reading ?? Promise.resolve()
    const sent = before.then(async () => {
      const data = copy instanceof Blob ? await copy.arrayBuffer() : copy
      if (this.#connection?.isOpen !== true) return
      this.#surplus -= length
      this.#send(data, length)
    })
    const reading = sent
      .catch(() => this.#connection?.terminate()) // a Blob whose file has changed can't be read
      .then(() => {
        if (this.#reading === reading) this.#reading = undefined
      })
    this.#reading = reading
  }
}
