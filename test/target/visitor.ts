// A client of ws at a path of a target: what it got, in order.
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { startTarget, type Target } from '../../src/target/target.js'
import type { TargetOptions } from '../../src/target/targetOptions.js'

/** A target that ends with the test. */
export async function targetFor(t: TestContext, options: TargetOptions = {}): Promise<Target> {
  const target = await startTarget({ port: 0, ...options, limits: { closeTimeout: 500, ...options.limits } })
  t.after(() => target.close())
  return target
}

export class Visitor {
  readonly socket: WebSocket
  /** Texts as they are; bytes as `binary` and their number. */
  readonly got: string[] = []
  pings = 0
  /** When each message came. */
  readonly times: number[] = []
  code: number | undefined
  reason = ''
  error = ''
  /** Resolves when the connection has ended. */
  readonly ended: Promise<this>
  #wake: () => void = () => undefined

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(url, protocols, options)
    this.socket.on('message', (data: Buffer, isBinary) => {
      this.times.push(performance.now())
      this.got.push(isBinary ? `binary ${data.length}` : String(data))
      this.#wake()
    })
    this.socket.on('ping', () => {
      this.pings++
      this.#wake()
    })
    this.socket.on('error', (error) => {
      this.error = error.message
    })
    this.ended = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.code = code
        this.reason = String(reason)
        this.#wake()
        resolve(this)
      })
    })
  }

  /** Connects, and leaves at the end of the test. */
  static async open(
    t: TestContext,
    url: string,
    protocols: string[] = [],
    options: ClientOptions = {},
  ): Promise<Visitor> {
    const visitor = new Visitor(url, protocols, options)
    t.after(() => visitor.socket.terminate())
    await once(visitor.socket, 'open')
    return visitor
  }

  /** Sends these, and resolves with what has come when it is that much. */
  async exchange(messages: readonly (string | Uint8Array)[], expected: number): Promise<readonly string[]> {
    for (const message of messages) this.socket.send(message)
    await this.until(() => this.got.length >= expected)
    return this.got
  }

  /** Resolves when this is true; it is looked at whenever something comes. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.code !== undefined) throw new Error(`it ended with ${this.code} before that`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** The answer to a handshake that was refused. */
export async function refused(url: string): Promise<{ status: number; body: string; location: string | undefined }> {
  const socket = new WebSocket(url)
  socket.on('error', () => undefined)
  const [, response] = await once(socket, 'unexpected-response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, body, location: response.headers.location }
}
