// The installed ws, and this facade: what a test does on both must come to the same.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import * as real from 'ws'
import { WebSocketServer } from '../../src/ws/webSocketServer.js'

type ServerClass = typeof real.WebSocketServer

export interface Engine {
  readonly name: string
  readonly Server: ServerClass
}

/** The facade has the members of ws by name; that its types say so is shown by test/types. */
const facade = WebSocketServer as unknown as ServerClass

export const engines: readonly Engine[] = [
  { name: 'ws', Server: real.WebSocketServer },
  { name: 'millrace', Server: facade },
]

/** Runs a program on both engines, and expects the same account of it. `skip` says why it can't run in this process; false if it can. */
export function same(name: string, program: (engine: Engine) => Promise<unknown>, skip: string | false = false): void {
  test(name, { timeout: 20_000, skip }, async () => {
    const accounts: unknown[] = []
    for (const engine of engines) accounts.push(await program(engine))
    const [theirs, ours] = accounts
    assert.notEqual(theirs, undefined, 'the program tells nothing')
    assert.deepEqual(ours, theirs)
  })
}

/** The port of a server that listens on loopback, once it does. */
export async function portOf(server: { address(): unknown; once(event: string, listener: () => void): unknown }) {
  if (server.address() === null) await new Promise<void>((resolve) => server.once('listening', resolve))
  return (server.address() as { port: number }).port
}

/** Ends a server with all of its clients. */
export async function end(server: real.WebSocketServer): Promise<void> {
  for (const client of server.clients ?? []) client.terminate()
  await new Promise((resolve) => server.close(resolve))
}

/** What a call has thrown, as far as programs look at it. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work()
    return 'nothing'
  } catch (error) {
    if (!(error instanceof Error)) return error
    return [error.constructor.name, error.message, Reflect.get(error, 'code')]
  }
}

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** The head of an upgrade request; a header that is undefined is left out. */
export function head(headers: Readonly<Record<string, string | undefined>> = {}, line = 'GET / HTTP/1.1'): string {
  const all: Record<string, string | undefined> = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}\r\n`))
  return `${line}\r\n${lines.join('')}\r\n`
}

/** Sends bytes, and resolves with what came until the server ended the connection, or until `enough` of it came. */
export async function ask(port: number, bytes: string | Uint8Array, enough?: RegExp): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  socket.write(bytes)
  const answer = await answerOn(socket, enough)
  socket.destroy()
  return answer
}

async function answerOn(socket: Socket, enough: RegExp | undefined): Promise<string> {
  let answer = ''
  const closed = once(socket, 'close')
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (enough?.test(answer)) resolve()
    })
    socket.on('end', () => socket.end())
    closed.then(() => resolve())
  })
  // What node:http says of the time is not the same for two.
  return answer.replace(/^Date: .*\r\n/m, '')
}

/** What shows that an upgrade was accepted. */
export const ACCEPTED = /^HTTP\/1\.1 101 [\s\S]*?\r\n\r\n/
