// A client that does what a test tells it to, byte by byte, over a real socket.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Frame, readFrames } from './frames.js'

export const REQUEST =
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n'

export class RawClient {
  readonly socket: Socket
  /** The head of the response, once it is there. */
  head = ''
  /** Whole frames, in order. */
  readonly frames: Frame[] = []
  /** Whether the server has ended its side, and whether that was by a reset. */
  ended = false
  reset = false
  #rest: Buffer = Buffer.alloc(0)
  #changed: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('end', () => this.#note('ended'))
    socket.on('close', () => this.#note('ended'))
    socket.on('error', () => this.#note('reset'))
  }

  /** Connects, without the opening handshake. */
  static async dial(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Connects and completes the opening handshake; `early` goes out with the request. */
  static async open(port: number, early: Uint8Array = Buffer.alloc(0)): Promise<RawClient> {
    const client = await RawClient.dial(port)
    client.write(Buffer.concat([Buffer.from(REQUEST), early]))
    await client.until(() => client.head !== '')
    if (!client.head.startsWith('HTTP/1.1 101 ')) throw new Error(client.head)
    return client
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  /** Resolves when `condition` holds; rejects after `timeout` milliseconds. */
  async until(condition: () => boolean, timeout = 10_000): Promise<void> {
    const deadline = setTimeout(() => {
      throw new Error(`the condition never came true: ${condition.toString()}`)
    }, timeout)
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve))
    clearTimeout(deadline)
  }

  /** The frame with this index, once it is there. */
  async frame(index: number): Promise<Frame> {
    await this.until(() => this.frames.length > index || this.ended || this.reset)
    const frame = this.frames[index]
    if (frame === undefined) throw new Error(`the connection ended with ${this.frames.length} frames`)
    return frame
  }

  /** Resolves when the server has ended its side, or reset the connection. */
  async end(timeout = 10_000): Promise<void> {
    await this.until(() => this.ended || this.reset, timeout)
  }

  destroy(): void {
    this.socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (this.head === '') {
      const end = this.#rest.indexOf('\r\n\r\n')
      if (end < 0) return
      this.head = this.#rest.toString('latin1', 0, end + 4)
      this.#rest = this.#rest.subarray(end + 4)
    }
    if (this.head.startsWith('HTTP/1.1 101 ')) {
      const { frames, rest } = readFrames(this.#rest)
      this.frames.push(...frames)
      this.#rest = rest
    }
    this.#wake()
  }

  #note(what: 'ended' | 'reset'): void {
    this[what] = true
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve()
  }
}
