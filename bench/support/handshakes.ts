// Opening handshakes, many of them: what the client does for each is little, so that the server is never short of them.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { acceptKey } from '../../src/protocol/openingHandshake.js'

export interface HandshakeOrder {
  readonly url: string
  readonly connections: number
}

const AT_ONCE = 50
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = acceptKey(KEY)
/** A server that does not answer is given up after so many milliseconds. */
const PATIENCE = 10_000

const held: Socket[] = []

/** Opens connections, and keeps them until they are released. Resolves with how many seconds that took. */
export async function handshakes({ url, connections }: HandshakeOrder): Promise<number> {
  const started = performance.now()
  let wanted = connections
  const opener = async (): Promise<void> => {
    while (wanted-- > 0) held.push(await opened(new URL(url)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, opener))
  return (performance.now() - started) / 1000
}

/** Connects, and rejects where the answer is none to an opening handshake (RFC 6455, section 4.1). */
async function opened({ hostname, port, host }: URL): Promise<Socket> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error('an opening handshake was not answered in time')))
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  )
  let head = ''
  while (!head.includes('\r\n\r\n')) {
    const [chunk]: Buffer[] = await once(socket, 'data')
    head += chunk?.toString('latin1') ?? ''
  }
  if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(ACCEPT)) throw new Error(`an opening handshake got ${head}`)
  socket.setTimeout(0)
  socket.on('error', () => undefined)
  return socket
}

/** Ends all connections that are held, at once and without a word. */
export async function release(): Promise<void> {
  for (const socket of held.splice(0)) socket.resetAndDestroy()
  await nextTurn()
}
