// A connection that lasts: when the one beneath it ends, another one takes its place, after a pause. What is sent meanwhile
// is kept, up to a limit, and its sender is told what has become of it.
import type { Connection, Messages, Sendable, SendOptions, SendResult } from '../connection/connection.js'
import type { DeflateStatistics } from '../connection/deflateTally.js'
import type { Handlers } from '../connection/handlers.js'
import type { Resumption, SubscribeOptions } from '../connection/resumption.js'
import type { SendStreamOptions, StreamSource } from '../connection/sending/streamSource.js'
import { CloseCode } from '../protocol/closeCode.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import { whenAborted } from './abortion.js'
import { BackOff, type ReconnectOptions, reconnectSettings } from './backOff.js'
import { callHandler } from './handlerCall.js'
import { LastingMessages } from './lastingMessages.js'
import type { ClientOptions } from './options.js'
import { Outage } from './outage.js'

/** What an attempt to connect gets. */
export interface Occasion<Data> {
  readonly handlers: Handlers<Data>
  readonly data: Data
  /** Gives up the attempt. */
  readonly signal: AbortSignal | undefined
}

/** Opens a connection. */
export type Opener<Data> = (occasion: Occasion<Data>) => Promise<Connection<Data>>

/** How a connection has ended. */
interface End {
  readonly code: number
  readonly reason: string
}

export class LastingConnection<Data> implements Connection<Data> {
  readonly #options: ClientOptions<Data>
  readonly #settings: Required<ReconnectOptions>
  readonly #open: (data: Data, signal: AbortSignal) => Promise<Connection<Data>>
  readonly #outage: Outage
  readonly #backOff: BackOff
  /** The connection now, or the one before, where there is none. */
  #current: Connection<Data>
  /** There will be no other connection: this side has closed it, or it was given up. */
  #over = false
  /** The `close` handler has been called. */
  #told = false
  /** There is no connection now. */
  #down = false
  readonly #stop = new AbortController()
  /** The signal of the options does not need to tell this connection of an abort any more. */
  readonly #unlisten: (() => void) | undefined
  /** How the last connection has ended. */
  #end: End = { code: CloseCode.abnormal, reason: '' }
  /** Attempts since it was open. */
  #attempts = 0
  #retry: NodeJS.Timeout | undefined
  #paused = false
  /** The connection on which a message in fragments has begun; undefined between messages. */
  #fragmented: Connection<Data> | undefined
  /** Where the messages go; undefined while they go to the handler. */
  #messages: LastingMessages | undefined
  /** Who waits for another connection, or for the end. */
  #waiting: (() => void)[] = []

  /** Opens the first connection; rejects if that fails. */
  static async open<Data>(
    options: ClientOptions<Data>,
    how: true | ReconnectOptions,
    opener: Opener<Data>,
  ): Promise<Connection<Data>> {
    let lasting: LastingConnection<Data> | undefined
    const of = (connection: Connection<Data>): LastingConnection<Data> => {
      lasting ??= new LastingConnection(options, how, (data, signal) => opener({ handlers, data, signal }), connection)
      return lasting
    }
    const handlers = LastingConnection.#handlers(options, of)
    const { data, signal } = options
    // The data may be left out only where it may be undefined.
    return of(await opener({ handlers, data: data as Data, signal }))
  }

  /**
   * The application's handlers, called with the connection that lasts; only those that there are, which is asked anew
   * each time: as with a server, a handler may be set later.
   */
  static #handlers<Data>(
    options: ClientOptions<Data>,
    of: (connection: Connection<Data>) => LastingConnection<Data>,
  ): Handlers<Data> {
    const handlers: Handlers<Data> = {
      open: (connection) => of(connection).#opened(connection),
      close: (connection, code, reason) => of(connection).#ended({ code, reason }),
    }
    const others: Handlers<Data> = {
      message: (connection, message) => options.message?.(of(connection), message),
      stream: (connection, stream) => options.stream?.(of(connection), stream),
      drain: (connection) => options.drain?.(of(connection)),
      pong: (connection, data) => options.pong?.(of(connection), data),
      error: (connection, problem) => options.error?.(of(connection), problem),
    }
    for (const [name, handler] of Object.entries(others)) {
      const get = (): unknown => (Reflect.get(options, name) === undefined ? undefined : handler)
      Object.defineProperty(handlers, name, { enumerable: true, get })
    }
    return handlers
  }

  private constructor(
    options: ClientOptions<Data>,
    how: true | ReconnectOptions,
    open: (data: Data, signal: AbortSignal) => Promise<Connection<Data>>,
    first: Connection<Data>,
  ) {
    this.#options = options
    this.#settings = reconnectSettings(how)
    this.#open = open
    this.#current = first
    this.#outage = new Outage(this.#settings.buffer)
    this.#backOff = new BackOff(this.#settings)
    const { signal } = options
    if (signal !== undefined) this.#unlisten = whenAborted(signal, () => this.#aborted(signal.reason))
  }

  get data(): Data {
    return this.#current.data
  }

  set data(data: Data) {
    this.#current.data = data
  }

  get id(): string {
    return this.#current.id
  }

  get isOpen(): boolean {
    return this.#current.isOpen
  }

  get bufferedAmount(): number {
    return this.#current.bufferedAmount + this.#outage.bytes
  }

  get remoteAddress(): string | undefined {
    return this.#current.remoteAddress
  }

  get protocol(): string {
    return this.#current.protocol
  }

  get deflateStatistics(): DeflateStatistics | undefined {
    return this.#current.deflateStatistics
  }

  get request(): UpgradeRequest {
    return this.#current.request
  }

  send(data: Sendable, options?: SendOptions): SendResult {
    if (this.isOpen || this.#over) return this.#current.send(data, options)
    return this.#outage.keep(data, options) ? 'buffered' : 'dropped'
  }

  sendFragment(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer, last: boolean): SendResult {
    const begun = this.#fragmented
    this.#fragmented = last ? undefined : (begun ?? this.#current)
    if (begun !== undefined && begun !== this.#current) return 'closed' // its beginning went with another connection
    return this.#current.sendFragment(data, last)
  }

  sendStream(source: StreamSource, options?: SendStreamOptions): Promise<void> {
    return this.#current.sendStream(source, options)
  }

  subscribe(topic: string): void
  subscribe(topic: string, options: SubscribeOptions): Promise<Resumption>
  subscribe(topic: string, options: SubscribeOptions = {}): Promise<Resumption> {
    return this.#current.subscribe(topic, options)
  }

  unsubscribe(topic: string): void {
    this.#current.unsubscribe(topic)
  }

  leftOut(topic: string): number {
    return this.#current.leftOut(topic)
  }

  isSubscribed(topic: string): boolean {
    return this.#current.isSubscribed(topic)
  }

  publish(topic: string, data: Sendable): number {
    return this.#current.publish(topic, data)
  }

  ping(data?: string | ArrayBufferView | ArrayBuffer): Promise<number> {
    return this.#current.ping(data)
  }

  pause(): void {
    this.#paused = true
    this.#current.pause()
  }

  resume(): void {
    this.#paused = false
    this.#current.resume()
  }

  messages(): Messages {
    this.#messages ??= new LastingMessages(this.#current.messages(), () => this.#another())
    return this.#messages.enter()
  }

  close(code?: number, reason?: string): void {
    this.#current.close(code, reason) // throws for what can't be sent
    this.#leave()
  }

  terminate(): void {
    this.#current.terminate()
    this.#leave()
  }

  /** This side is done: where there is no connection that could end, that is told in a turn of its own. */
  #leave(): void {
    if (this.#over) return
    this.#over = true
    this.#stop.abort()
    clearTimeout(this.#retry)
    if (this.#down) queueMicrotask(() => callHandler(this.#options, this, () => this.#finish()))
  }

  /** Resolves when there is another connection, with false when there will be none. */
  async #another(): Promise<boolean> {
    if (!this.#over && !this.isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return !this.#over
  }

  /** There are no further attempts; an open connection goes on. */
  #aborted(reason: unknown): void {
    this.#stop.abort(reason)
    if (this.#down) this.#leave()
  }

  #opened(connection: Connection<Data>): unknown {
    this.#backOff.opened()
    if (connection === this.#current) return this.#options.open?.(this)
    connection.data = this.#current.data // perhaps another one since the attempt began
    this.#current = connection
    this.#down = false
    this.#messages?.follow(connection.messages())
    this.#attempts = 0
    if (this.#paused) connection.pause()
    const kept = this.#outage.end(connection)
    this.#wake()
    return this.#options.reconnected?.(this, kept)
  }

  #ended(end: End): unknown {
    this.#down = true
    this.#end = end
    this.#backOff.ended()
    if (this.#over || end.code === CloseCode.normal) return this.#finish()
    return this.#later(undefined)
  }

  /** Connects again after a pause, unless that was tried often enough, or is not wanted any more. */
  #later(error: unknown): unknown {
    const { attempts } = this.#settings
    const attempt = ++this.#attempts
    if ((attempts > 0 && attempt > attempts) || this.#stop.signal.aborted) return this.#finish()
    const delay = this.#backOff.next()
    this.#retry = setTimeout(() => this.#again(), delay)
    return this.#options.reconnecting?.(this, { ...this.#end, attempt, delay, error })
  }

  #again(): void {
    this.#open(this.data, this.#stop.signal).catch((error: unknown) => {
      if (!this.#over) callHandler(this.#options, this, () => this.#later(error))
    })
  }

  /** There will be no other connection. */
  #finish(): unknown {
    if (this.#told) return undefined
    this.#over = this.#told = true
    this.#unlisten?.()
    this.#outage.clear()
    this.#wake()
    return this.#options.close?.(this, this.#end.code, this.#end.reason)
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
