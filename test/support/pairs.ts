// A server with one client over a real socket, by either transport: for what a transport in memory does not show.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { TestContext } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import type { Server } from '../../src/index.js'
import type { ServerOptions } from '../../src/server/options.js'
import { overHttp2 } from './http2Bridge.js'
import { serving } from './serving.js'
import { delay, SocketClient } from './socketClient.js'

export interface Pair {
  readonly server: Server<undefined>
  readonly connection: Connection
  readonly client: SocketClient
}

/** Listens, connects, and ends both with the test. */
export async function pairOf(t: TestContext, options: ServerOptions): Promise<Pair> {
  const clients: SocketClient[] = []
  t.after(() => clients[0]?.destroy()) // first: the server would wait for the client
  const server = await serving(t, { closeTimeout: 2000, ...options })
  const client = await SocketClient.upgraded(server.address?.port ?? 0)
  clients.push(client)
  const [connection] = server.connections
  assert.ok(connection !== undefined)
  return { server, connection, client }
}

/** Sends to a client that does not read until the system takes no more; returns how many messages of 64 KiB that took. */
export async function fill({ connection, client }: Pair): Promise<number> {
  client.socket.pause()
  for (let sent = 1; sent < 2000; sent++) {
    connection.send(Buffer.alloc(65_536, 0x66))
    await new Promise((resolve) => setImmediate(resolve))
    if (connection.bufferedAmount > 0 && (!overHttp2 || (await standsStill(connection)))) return sent
  }
  throw new Error('the system takes everything')
}

/** Over HTTP/2, a write is never done at once, and a busy proxy may be slow to take it: that nothing leaves shows only later. */
async function standsStill(connection: Connection): Promise<boolean> {
  const { bufferedAmount } = connection
  for (let looks = 0; looks < 4; looks++) {
    await delay(30)
    if (connection.bufferedAmount !== bufferedAmount) return false
  }
  return true
}
