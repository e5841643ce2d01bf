// A Duplex whose other side is the test's, and a server's connection over it.
import { Buffer } from 'node:buffer'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Server } from '../../src/index.js'
import { type Frame, readFrames } from './frames.js'

/** A stream whose other side the test holds: it is slow where the test says so. */
export class Line extends Duplex {
  readonly written: Buffer[] = []
  /** While set, a write waits for `let`. */
  stuck = false
  longest = 0
  #waiting: (() => void) | undefined

  constructor(highWaterMark = 16 * 1024, emitClose = true) {
    super({ highWaterMark, emitClose })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.longest = Math.max(this.longest, chunk.length)
    this.written.push(chunk)
    if (this.stuck) this.#waiting = done
    else setImmediate(done)
  }

  /** Lets the write that waits finish. */
  let(): boolean {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
    return waiting !== undefined
  }

  get output(): Buffer {
    return Buffer.concat(this.written)
  }

  /** The frames behind the response. */
  get frames(): Frame[] {
    const { output } = this
    const end = output.indexOf('\r\n\r\n')
    return end < 0 ? [] : readFrames(output.subarray(end + 4)).frames
  }
}

/** Gives a stream to a server, as if a request to upgrade had come over it. */
export function upgrade(server: Server, stream: Duplex, head: Buffer = Buffer.alloc(0)): void {
  const request = new IncomingMessage(new Socket())
  Object.assign(request, { method: 'GET', url: '/', httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 })
  request.rawHeaders.push('Host', 'x', 'Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Version', '13')
  request.rawHeaders.push('Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==')
  server.handleUpgrade(request, stream, head)
}
