// Where a program runs: with one of the engines, a log of what it observes, and sockets of bare bytes for its peers. What
// it opens here is closed when it is over.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws'
import { type Frame, readFrames } from '../support/frames.js'
import { SocketClient } from '../support/socketClient.js'
import type { Engine } from './engines.js'
import { bytes, show } from './show.js'

/** Also those that the types of ws leave out, and those that nobody should set. */
export type Options = Readonly<Record<string, unknown>>

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** A server on loopback, and what is on it. */
export interface Serving {
  readonly http: Server
  readonly wss: WebSocketServer
  readonly port: number
}

/** One connection: the server's end, and the peer's. */
export interface Pair extends Serving {
  readonly ws: WebSocket
  readonly peer: SocketClient
  readonly request: IncomingMessage
}

export class Stage {
  readonly engine: Engine
  readonly module: Engine['module']
  /** What happened, in its order; there is one for each side, because between sides there is no order. */
  readonly log: unknown[] = []
  readonly #cleanup: (() => void)[] = []

  constructor(engine: Engine) {
    this.engine = engine
    this.module = engine.module
  }

  note(name: string, ...values: readonly unknown[]): void {
    this.log.push([name, ...values.map((value) => show(value, this.engine))])
  }

  /** Notes in which turns what follows happens: the rest of this one, its ticks, its microtasks, and what comes later. */
  turns(name: string): void {
    process.nextTick(() => this.note(`${name}: tick`))
    queueMicrotask(() => this.note(`${name}: microtask`))
    setImmediate(() => this.note(`${name}: immediate`))
  }

  /** Notes what a call returns, or throws. */
  call(name: string, action: () => unknown): void {
    try {
      this.note(name, action())
    } catch (error) {
      this.note(`${name} throws`, error)
    }
  }

  /** Notes the events of a socket, each with the state in which it comes. */
  watch(ws: WebSocket, name = ''): WebSocket {
    for (const event of ['open', 'message', 'ping', 'pong', 'error', 'close'] as const) {
      ws.on(event, (...values: unknown[]) => this.note(`${name}${event}`, ...values, ws.readyState))
    }
    return ws
  }

  /** A socket that has no connection; the types of ws do not know how it is made. */
  unconnected(options: Options = {}): WebSocket {
    return Reflect.construct(this.module.WebSocket, [null, undefined, options])
  }

  /** A server that takes upgrades by the option `server`. */
  async serve(options: Options = {}, http: Server = createServer()): Promise<Serving> {
    const wss = new this.module.WebSocketServer({ server: http, ...options } as ServerOptions)
    return { wss, ...(await this.listen(http)) }
  }

  /** A server that leaves upgrades to the program. */
  async upgrading(
    options: Options,
    upgrade: (wss: WebSocketServer, request: IncomingMessage, socket: Duplex, head: Buffer) => void,
  ): Promise<Serving> {
    const http = createServer()
    const wss = new this.module.WebSocketServer({ noServer: true, ...options } as ServerOptions)
    http.on('upgrade', (request, socket, head) => upgrade(wss, request, socket, head))
    return { wss, ...(await this.listen(http)) }
  }

  async listen(http: Server): Promise<{ http: Server; port: number }> {
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    this.after(() => {
      http.closeAllConnections()
      http.close()
    })
    return { http, port: (http.address() as AddressInfo).port }
  }

  /** One connection, whose server's end is watched. */
  async pair(options: Options = {}, headers: readonly string[] = []): Promise<Pair> {
    const serving = await this.serve(options)
    const opened = once(serving.wss, 'connection') as Promise<[WebSocket, IncomingMessage]>
    opened.then(([ws]) => this.watch(ws))
    const peer = await this.connect(serving.port, headers)
    const [ws, request] = await opened
    await peer.until(() => peer.text.includes('\r\n\r\n'), 'the answer')
    return { ...serving, ws, request, peer }
  }

  /** A peer that has sent an upgrade request, and what follows it in the same segment. */
  async connect(
    port: number,
    headers: readonly string[] = [],
    after: Uint8Array = Buffer.alloc(0),
  ): Promise<SocketClient> {
    const peer = await this.dial(port)
    peer.write(Buffer.concat([Buffer.from(requestOf(headers)), after]))
    return peer
  }

  async dial(port: number): Promise<SocketClient> {
    const peer = await SocketClient.open(port)
    this.after(() => peer.socket.destroy())
    return peer
  }

  /** Resolves once the log has as many notes of these names as are named. */
  async noted(...names: readonly string[]): Promise<void> {
    const has = (name: string): boolean => this.#count(name) >= names.filter((other) => other === name).length
    await this.until(() => names.every(has), `the notes ${names.join(', ')}`)
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + 8000
    while (!condition()) {
      if (performance.now() > end) throw new Error(`${what}: not so; there is ${JSON.stringify(this.log)}`)
      await delay(2)
    }
  }

  /** Time in which nothing more may happen. */
  async quiet(milliseconds = 30): Promise<void> {
    await delay(milliseconds)
  }

  /** Notes all that a peer has received: the answer's head, the frames behind it, and whether the server has ended. */
  wire(peer: SocketClient, name = 'wire'): void {
    const { text, received } = peer
    const end = text.startsWith('HTTP/1.1 101 ') ? text.indexOf('\r\n\r\n') + 4 : text.length
    this.note(`${name}: head`, datesOut(text.slice(0, end)))
    const { frames, rest } = readFrames(received.subarray(end))
    for (const frame of frames) this.note(`${name}: frame`, frame.opcode, frame.fin, bytes(frame.payload))
    if (rest.length > 0) this.note(`${name}: rest`, bytes(rest))
    this.note(`${name}: end`, peer.ended, peer.error)
  }

  /** The frames that a peer has received, once there are as many; then they are noted. */
  async frames(peer: SocketClient, count: number): Promise<readonly Frame[]> {
    const frames = await peer.frames(count)
    for (const { opcode, fin, payload } of frames) this.note('frame', opcode, fin, bytes(payload))
    return frames
  }

  /** Ends a connection from the peer's side, and waits until the server's has noted it. */
  async drop(peer: SocketClient): Promise<void> {
    const closed = this.#count('close')
    await peer.destroy()
    await this.until(() => this.#count('close') > closed, 'the close')
  }

  /** Waits until the server has ended, ends then, as a peer does, and notes all that has come. */
  async finish(peer: SocketClient): Promise<void> {
    await peer.end()
    peer.socket.end()
    await this.noted('close')
    this.wire(peer)
  }

  after(action: () => void): void {
    this.#cleanup.push(action)
  }

  #count(name: string): number {
    return this.log.filter((entry) => Array.isArray(entry) && entry[0] === name).length
  }

  over(): void {
    for (const action of this.#cleanup.reverse()) action()
  }
}

/** An upgrade request. A header without a value leaves one out that it would have. */
export function requestOf(headers: readonly string[] = [], first = 'GET / HTTP/1.1'): string {
  const all = new Map<string, string>([
    ['host', 'Host: localhost'],
    ['upgrade', 'Upgrade: websocket'],
    ['connection', 'Connection: Upgrade'],
    ['sec-websocket-version', 'Sec-WebSocket-Version: 13'],
    ['sec-websocket-key', `Sec-WebSocket-Key: ${KEY}`],
  ])
  for (const header of headers) {
    const name = (header.split(':')[0] ?? '').toLowerCase()
    if (header.endsWith('!')) all.delete(header.slice(0, -1).toLowerCase())
    else all.set(name, header)
  }
  return `${[first, ...all.values()].join('\r\n')}\r\n\r\n`
}

function datesOut(head: string): string {
  return head.replace(/^Date: .*$/m, 'Date: …')
}
