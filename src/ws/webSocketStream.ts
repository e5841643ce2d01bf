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

// Symbols, so that a Proxy of the stream has them, too.
const WS = Symbol('ws')
const TERMINATES = Symbol('terminates')

/** The end of a stream, in both directions, is that of its WebSocket. */
class WebSocketStream extends Duplex {
  readonly [WS]: WebSocket;
  /** Whether the WebSocket ends at once when this is destroyed. */
  [TERMINATES] = true

  constructor(ws: WebSocket, options: DuplexOptions | undefined) {
    super({ ...options, ...OWN })
    this[WS] = ws
    ws.on('message', (data: unknown, isBinary: boolean) => {
      const chunk = !isBinary && this.readableObjectMode ? String(data) : data
      if (!this.push(chunk)) ws.pause()
    })
    ws.once('error', (error: Error) => failed(this, error))
    ws.once('close', () => {
      if (!this.destroyed) this.push(null)
    })
    this.on('end', () => {
      if (!this.destroyed && this.writableFinished) this.destroy()
    })
    this.once('error', (error: Error) => throws(this, error))
  }

  override _read(): void {
    if (this[WS].isPaused) this[WS].resume()
  }

  override _write(chunk: unknown, _encoding: string, done: (error?: Error | null) => void): void {
    whenOpen(this[WS], () => this[WS].send(chunk, done))
  }

  override _final(done: (error?: Error | null) => void): void {
    whenOpen(this[WS], () => {
      webSocketInternals.whenFinished(this[WS], () => {
        done()
        if (this.readableEnded) this.destroy()
      })
      this[WS].close()
    })
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const over = (): void => void process.nextTick(() => this.emit('close'))
    if (this[WS].readyState === CLOSED) {
      done(error)
      return over()
    }
    let told = false
    this[WS].once('error', (cause: Error) => {
      told = true
      done(cause)
    })
    this[WS].once('close', () => {
      if (!told) done(error)
      over()
    })
    if (this[TERMINATES]) this[WS].terminate()
  }
}

function whenOpen(ws: WebSocket, work: () => void): void {
  if (ws.readyState === CONNECTING) ws.once('open', work)
  else work()
}

/** The WebSocket has failed, and says Close: it must not be ended before it has. */
function failed(stream: WebSocketStream, error: Error): void {
  if (stream.destroyed) return
  stream[TERMINATES] = false
  stream.destroy(error)
}

/** An error that nobody listens for is thrown, as it is with any other stream. */
function throws(stream: WebSocketStream, error: Error): void {
  stream.destroy()
  if (stream.listenerCount('error') === 0) stream.emit('error', error)
}

/** Wraps a WebSocket in a Duplex. */
export function createWebSocketStream(ws: WebSocket, options?: DuplexOptions): Duplex {
  return new WebSocketStream(ws, options)
}
