// A connection that lasts, as tests of it want one: a server that keeps what it is sent, and how it is cut off.
import type { TestContext } from 'node:test'
import { type ClientOptions, connect } from '../../src/client.js'
import type { Server } from '../../src/index.js'
import { serving } from '../support/serving.js'

/** Waits until something holds. It looks in each turn of the event loop: an outage may be over within a few of them. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** A server that keeps what it is sent, and a client that lasts. */
export async function lasting(t: TestContext, options: ClientOptions = {}) {
  const got: string[] = []
  const server = await serving(t, {
    message: (_, message) => void got.push(message.text()),
    open: (connection) => void connection.send('welcome'),
  })
  const url = `ws://127.0.0.1:${server.address?.port}`
  const client = await connect(url, { reconnect: { delay: 10, maxDelay: 20 }, ...options })
  t.after(() => client.terminate())
  return { server, client, got }
}

export function cut(server: Server): void {
  for (const connection of server.connections) connection.terminate()
}
