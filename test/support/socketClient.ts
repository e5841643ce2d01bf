// A client of bare bytes: it sends what it is told, keeps what comes, and never ends by itself unless it is told to.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type Frame, readFrames } from './frames.js'
import { portBefore } from './http2Bridge.js'
import { upgradeRequest } from './httpRequests.js'

export class SocketClient {
  readonly socket: Socket
  /** What has come, and room for more: twice as much each time, so that long messages are not copied for each piece. */
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #waiting: (() => void)[] = []
  readonly #frames: Frame[] = []
  /** Where what has not been read as frames begins; 0 before the end of the response's head has come. */
  #framed = 0
  /** The server has half-closed. */
  ended = false
  /** The socket is gone, by an error too. */
  closed = false
  /** The code of the socket's error, ECONNRESET for instance. */
  error: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    // A test that fails leaves its clients behind; they must not keep its process alive.
    socket.unref()
    socket.on('data', (chunk: Buffer) => {
      this.#keep(chunk)
      this.#wake()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message
      this.#wake()
    })
    socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  /** Connects to `host`, from the address `localAddress` if there is one. */
  static async open(port: number, host = '127.0.0.1', localAddress?: string): Promise<SocketClient> {
    const from = localAddress === undefined ? {} : { localAddress }
    const socket = connect({ port: await portBefore(port), host, ...from, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new SocketClient(socket)
  }

  /** Connects and completes the opening handshake. */
  static async upgraded(port: number): Promise<SocketClient> {
    const client = await SocketClient.open(port)
    client.write(upgradeRequest())
    const { status, head } = await client.response()
    if (status !== 101) throw new Error(head)
    return client
  }

  /** Everything received so far. */
  get received(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  get text(): string {
    return this.received.toString('latin1')
  }

  /** The server has ended the connection, in whichever way. */
  get over(): boolean {
    return this.ended || this.closed
  }

  write(data: Uint8Array | string): void {
    if (typeof data === 'string') this.socket.write(data, 'latin1')
    else this.socket.write(data)
  }

  /** Sends pieces far enough apart that each is a read of its own. */
  async writePieces(pieces: readonly Uint8Array[], pause = 15): Promise<void> {
    for (const [at, piece] of pieces.entries()) {
      if (at > 0) await delay(pause)
      if (this.closed) return
      this.write(piece)
    }
  }

  /** Resolves when `condition` holds, rejects with `what` after `timeout` milliseconds. */
  async until(condition: () => boolean, what: string, timeout = 10_000): Promise<void> {
    const end = performance.now() + timeout
    while (!condition()) {
      const left = end - performance.now()
      if (left <= 0) throw new Error(`${what}: not within ${timeout} ms; received ${this.received.length} bytes`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Resolves when the server has ended the connection. */
  async end(timeout?: number): Promise<void> {
    await this.until(() => this.over, 'the server ends the connection', timeout)
  }

  /** The response's head, with what follows it. */
  async response(): Promise<{ status: number; head: string; rest: Buffer }> {
    await this.until(() => this.text.includes('\r\n\r\n') || this.over, 'a response')
    const end = this.text.indexOf('\r\n\r\n') + 4
    if (end < 4) throw new Error(`no response, but ${JSON.stringify(this.text)}`)
    const head = this.text.slice(0, end)
    return { status: Number(head.slice(9, 12)), head, rest: this.received.subarray(end) }
  }

  /** The first `count` frames behind the 101 response. */
  async frames(count: number, timeout?: number): Promise<Frame[]> {
    const { status, head } = await this.response()
    if (status !== 101) throw new Error(head)
    await this.until(() => this.receivedFrames.length >= count || this.over, `${count} frames`, timeout)
    const frames = this.receivedFrames
    if (frames.length < count) throw new Error(`the connection ended after ${frames.length} of ${count} frames`)
    return [...frames]
  }

  /** The frame with this index, once it is there. */
  async frame(index: number): Promise<Frame> {
    await this.until(() => this.receivedFrames.length > index || this.over, `frame ${index}`)
    const frame = this.receivedFrames[index]
    if (frame === undefined) throw new Error(`the connection ended after ${this.receivedFrames.length} frames`)
    return frame
  }

  /** The whole frames behind the 101 response so far. */
  get receivedFrames(): readonly Frame[] {
    if (this.#framed === 0 && this.received.toString('latin1', 0, 13) === 'HTTP/1.1 101 ') {
      this.#framed = this.received.indexOf('\r\n\r\n') + 4
      if (this.#framed === 3) this.#framed = 0
    }
    if (this.#framed === 0) return this.#frames
    const { frames, rest } = readFrames(this.received.subarray(this.#framed))
    for (const frame of frames) this.#frames.push(frame)
    this.#framed = this.#length - rest.length
    return this.#frames
  }

  async destroy(): Promise<void> {
    if (this.closed) return
    this.socket.destroy()
    await this.until(() => this.closed, 'the socket closes')
  }

  #keep(chunk: Buffer): void {
    const length = this.#length + chunk.length
    if (length > this.#bytes.length) this.#bytes = Buffer.concat([this.received, chunk], Math.max(2 * length, 1024))
    else this.#bytes.set(chunk, this.#length)
    this.#length = length
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Resolves when `condition` holds; looks every few milliseconds. */
export async function eventually(condition: () => boolean, what: string, timeout = 10_000): Promise<void> {
  const end = performance.now() + timeout
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${timeout} ms`)
    await delay(5)
  }
}

/** The sockets that this process has open; counted by the system, so that nothing can hide. Linux only. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')
    } catch {
      return false // the directory that is being read
    }
  }).length
}

/** Whether the system probes the peer of the connection between these ports, on the first port's side. Linux only. */
export function isKeptAlive(port: number, peerPort: number): boolean {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0')
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find(([, local, remote]) => local?.endsWith(`:${hex(port)}`) && remote?.endsWith(`:${hex(peerPort)}`))
  // The sixth field is the running timer: 2 is the one that keeps alive.
  return line?.[5]?.startsWith('02:') === true
}
