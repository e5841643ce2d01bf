// A WebSocket as a Duplex: what is written is sent, a message for each chunk, and what comes is read, with backpressure both
// ways.
import { Duplex, type DuplexOptions } from 'node:stream'
import { type WebSocket, webSocketInternals } from './webSocket.js'

const CONNECTING = 0
const CLOSED = 3

/** Options that are not the program's: how it is read, written and ended is this room's. */
const OWN = {
  ...{ autoDestroy: false, emitClose: false, objectMode: false, writableObjectMode: false },
  ...{ read: undefined, write: undefined, final: undefined, destroy: undefined },
}

/** The end of a stream, in both directions, is that of its WebSocket. */
class WebSocketStream extends Duplex {
  readonly #ws: WebSocket
  /** Whether the WebSocket ends at once when this is destroyed. */
  #terminates = true

  constructor(ws: WebSocket, options: DuplexOptions | undefined) {
    super({ ...options, ...OWN })
    this.#ws = ws
    ws.on('message', (data: unknown, isBinary: boolean) => {
      const chunk = !isBinary && this.readableObjectMode ? String(data) : data
      if (!this.push(chunk)) ws.pause()
    })
    ws.once('error', (error: Error) => this.#failed(error))
    ws.once('close', () => {
      if (!this.destroyed) this.push(null)
    })
    this.on('end', () => {
      if (!this.destroyed && this.writableFinished) this.destroy()
    })
    this.once('error', (error: Error) => this.#throws(error))
  }

  override _read(): void {
    if (this.#ws.isPaused) this.#ws.resume()
  }

  override _write(chunk: unknown, _encoding: string, done: (error?: Error | null) => void): void {
    this.#whenOpen(() => this.#ws.send(chunk, done))
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#whenOpen(() => {
      webSocketInternals.whenFinished(this.#ws, () => {
        done()
        if (this.readableEnded) this.destroy()
      })
      this.#ws.close()
    })
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const over = (): void => void process.nextTick(() => this.emit('close'))
    if (this.#ws.readyState === CLOSED) {
      done(error)
      return over()
    }
    let told = false
    this.#ws.once('error', (cause: Error) => {
      told = true
      done(cause)
    })
    this.#ws.once('close', () => {
      if (!told) done(error)
      over()
    })
    if (this.#terminates) this.#ws.terminate()
  }

  #whenOpen(work: () => void): void {
    if (this.#ws.readyState === CONNECTING) this.#ws.once('open', work)
    else work()
  }

  /** The WebSocket has failed, and says Close: it must not be ended before it has. */
  #failed(error: Error): void {
    if (this.destroyed) return
    this.#terminates = false
    this.destroy(error)
  }

  /** An error that nobody listens for is thrown, as it is with any other stream. */
  #throws(error: Error): void {
    this.destroy()
    if (this.listenerCount('error') === 0) this.emit('error', error)
  }
}

/** Wraps a WebSocket in a Duplex. */
export function createWebSocketStream(ws: WebSocket, options?: DuplexOptions): Duplex {
  return new WebSocketStream(ws, options)
}
