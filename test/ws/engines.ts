// A WebSocket of a server over a connection whose other end is the test's: of millrace/ws by either transport, and of ws
// itself, which says what is right.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import * as ws from 'ws'
import { adopt } from '../../src/ws/adopt.js'
import type { SocketOptions } from '../../src/ws/adoption.js'
import { WebSocket } from '../../src/ws/webSocket.js'
import type { WebSocketOptions } from '../../src/ws/webSocketOptions.js'
import { duplexPair } from '../support/duplexPair.js'
import { SocketClient } from '../support/socketClient.js'
import { socketPair } from '../support/socketPair.js'

const RESPONSE = 'HTTP/1.1 101 Switching Protocols\r\n\r\n'

/** What a server of ws sets where nothing is said. */
const SETTINGS: WebSocketOptions = { autoPong: true, maxPendingAutoPongs: 60, closeTimeout: 30_000 }
const OPTIONS: SocketOptions = { maxPayload: 100 * 1024 * 1024, maxFragments: 16_384, allowSynchronousEvents: true }

export interface Trial {
  readonly ws: WebSocket
  /** The server's end of the connection. */
  readonly socket: Duplex
  readonly client: SocketClient
}

export interface TrialOptions extends SocketOptions, WebSocketOptions {
  readonly head?: Buffer
  /** Called with the WebSocket when it is open, in the same turn. */
  readonly opened?: (ws: WebSocket) => void
}

export interface Engine {
  readonly name: string
  readonly isOracle: boolean
  open(t: TestContext, options?: TrialOptions): Promise<Trial>
}

type Ends = (t: TestContext) => Promise<[client: Duplex, server: Duplex]>

function opened(kind: typeof WebSocket | undefined, options: TrialOptions, socket: Duplex): WebSocket {
  const settings = { ...SETTINGS, ...options }
  const head = options.head ?? Buffer.alloc(0)
  if (kind !== undefined) {
    const made = new kind(null, undefined, settings)
    adopt(made, socket, head, { ...OPTIONS, ...options }, { response: RESPONSE, protocol: '' })
    return made
  }
  const made: unknown = Reflect.construct(ws.WebSocket, [null, undefined, settings])
  const oracle = made as WebSocket
  socket.write(RESPONSE)
  oracle.setSocket(socket, head, { ...OPTIONS, ...options })
  return oracle
}

function engine(name: string, kind: typeof WebSocket | undefined, ends: Ends): Engine {
  const open = async (t: TestContext, options: TrialOptions = {}): Promise<Trial> => {
    const [near, socket] = await ends(t)
    const made = opened(kind, options, socket)
    // Its timer would keep the process alive.
    t.after(() => made.terminate())
    options.opened?.(made)
    return { ws: made, socket, client: new SocketClient(near as never) }
  }
  return { name, isOracle: kind === undefined, open }
}

async function duplexEnds(): Promise<[Duplex, Duplex]> {
  const [near, far] = duplexPair()
  Object.assign(near, { unref: () => near })
  return [near, far]
}

export const engines: readonly Engine[] = [
  engine('ws itself', undefined, socketPair),
  engine('a socket', WebSocket, socketPair),
  engine('any Duplex', WebSocket, duplexEnds),
]

/** What a WebSocket tells, as one line each. */
export function recorded(socket: WebSocket): string[] {
  const log: string[] = []
  const note = (line: string): void => void log.push(`${line} in ${socket.readyState}`)
  socket.on('message', (data: unknown, isBinary: unknown) => note(`message ${shown(data)} ${isBinary}`))
  socket.on('ping', (data: unknown) => note(`ping ${shown(data)}`))
  socket.on('pong', (data: unknown) => note(`pong ${shown(data)}`))
  socket.on('error', (error: Error & { code?: string }) =>
    note(`${error.constructor.name} ${error.code} ${error.message}`),
  )
  socket.on('close', (code: unknown, reason: unknown) => note(`close ${code} ${shown(reason)}`))
  return log
}

export function shown(data: unknown): string {
  if (Buffer.isBuffer(data)) return `Buffer(${data.length > 40 ? data.length : data.toString('latin1')})`
  if (data instanceof ArrayBuffer) return `ArrayBuffer(${Buffer.from(data).toString('latin1')})`
  if (Array.isArray(data)) return `[${data.map(shown).join()}]`
  return String(data)
}
