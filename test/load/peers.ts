// Servers for the load client, right and wrong: what they do behind the opening handshake is up to each test.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { type LoadOptions, type LoadResult, load } from '../../src/load/load.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { createEchoServer } from '../support/echoServer.js'
import { effort } from '../support/effort.js'
import { listening } from '../support/serving.js'

export const options = { timeout: 60_000 }

/** Seconds of a short load. */
export const DURATION = effort({ quick: 0.05, full: 0.12 })

/** Runs a short load; what is not given is small. `measuring` is called when the warm-up is over, `measured` when the time is. */
export function shortLoad(
  url: string,
  given: Partial<LoadOptions> = {},
  signal?: AbortSignal,
  measuring?: () => void,
  measured?: () => void,
): Promise<LoadResult> {
  const defaults: Omit<LoadOptions, 'url'> = {
    connections: 3,
    size: 16,
    pipeline: 4,
    duration: DURATION,
    warmup: 0.03,
    kind: 'binary',
    verify: false,
    rate: 0,
  }
  return load({ ...defaults, ...given, url: new URL(url) }, signal, measuring, measured)
}

/** The echo server of this project. */
export async function echoServer(t: TestContext): Promise<string> {
  const server = await listening(t, createEchoServer({ maxMessage: 2 ** 24 }))
  return `ws://127.0.0.1:${server.address?.port}`
}

/** A server made with ws that hands each connection to the test; ends with it, connections and all. */
export async function wsServer(
  t: TestContext,
  connected: (socket: WebSocket) => unknown,
  given: ServerOptions = {},
): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...given })
  t.after(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  server.on('connection', (socket) => connected(socket.on('error', () => undefined)))
  await once(server, 'listening')
  return `ws://127.0.0.1:${portOf(server.address())}`
}

/** An echo server made with ws. */
export function wsEchoServer(t: TestContext, given: ServerOptions = {}): Promise<string> {
  const echo = (socket: WebSocket): unknown =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  return wsServer(t, echo, given)
}

/** A TCP server that hands each connection to the test; ends with it, sockets and all. */
export async function tcpServer(t: TestContext, connected: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: NetServer = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    connected(socket)
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `ws://127.0.0.1:${portOf(server.address())}`
}

/** A server that upgrades whoever asks, then leaves the bytes of both directions to the test. */
export function upgradingServer(
  t: TestContext,
  data: (socket: Socket, chunk: Buffer) => void,
  upgraded: (socket: Socket) => void = () => undefined,
): Promise<string> {
  return tcpServer(t, (socket) => {
    socket.setNoDelay(true)
    socket.once('data', (head: Buffer) => {
      const [, key = ''] = /sec-websocket-key: (\S+)/i.exec(head.toString('latin1')) ?? []
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
      )
      upgraded(socket)
      socket.on('data', (chunk: Buffer) => data(socket, chunk))
    })
  })
}

function portOf(address: ReturnType<NetServer['address']>): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A server that hands what one client sends to all clients as it likes: `deliver` is called for each. */
export async function room(
  t: TestContext,
  deliver: (receiver: WebSocket, message: Buffer, of: { n: number; receiver: number; isBinary: boolean }) => void,
): Promise<string> {
  const all = new Set<WebSocket>()
  let n = 0
  const url = await wsServer(t, (socket) => {
    all.add(socket.on('close', () => all.delete(socket)))
    socket.on('message', (data: Buffer, isBinary) => {
      const others = [...all].filter((other) => other !== socket)
      for (const [receiver, other] of others.entries()) deliver(other, data, { n, receiver, isBinary })
      n++
    })
  })
  return `${url}/room`
}

/** A file with this program, for as long as the test takes. */
export function programFile(t: TestContext, program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'script-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'script.mjs')
  writeFileSync(path, program)
  return path
}
