// Upgrades that the application refuses, again and again, by peers that behave in every way: each must give its descriptor
// back, or a loop of them is the end of the server. Descriptors are counted by the system, on Linux.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { ServerOptions } from '../../src/server/options.js'
import { effort } from '../support/effort.js'
import { inEveryLane } from '../support/everyLane.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, openSockets, type SocketClient } from '../support/socketClient.js'

const ROUNDS = effort({ quick: 1, full: 5 })
const CLIENTS = 20
const linux = process.platform === 'linux'

const refusals: Record<string, ServerOptions> = {
  'at once': { upgrade: () => ({ status: 401, headers: { 'WWW-Authenticate': 'Basic' }, body: 'x'.repeat(1000) }) },
  later: { upgrade: () => delay(20).then(() => ({ status: 403 })) },
  'by a throw': {
    upgrade: () => {
      throw new Error('no')
    },
  },
  'by a rejection': { upgrade: () => delay(5).then(() => Promise.reject(new Error('no'))) },
  'by a timeout': { handshakeTimeout: 50, upgrade: () => new Promise(() => undefined) },
  'by origin': { origins: [] },
  'by a limit': { maxConnections: 0 },
  'by a limit, later': { maxConnectionsPerAddress: 0, upgrade: () => delay(5) },
}

const behaviours: ((client: SocketClient) => void)[] = [
  () => undefined,
  (client) => void client.socket.end(),
  (client) => void client.socket.resetAndDestroy(),
  (client) => client.write(Buffer.alloc(200_000)),
]

describe('upgrades that are refused in a loop leave no descriptor', () => {
  for (const [name, options] of Object.entries(refusals)) {
    inEveryLane(name, async (trial) => {
      let failed = 0
      let opened = 0
      const server = await trial.serve({
        closeTimeout: 200,
        upgradeFailed: () => void failed++,
        open(connection) {
          // Who has left before the request was read has no address to be counted by, and ends at once.
          if (connection.remoteAddress !== undefined) opened++
        },
        ...options,
      })
      const baseline = linux ? openSockets() : 0
      const request = upgradeRequest({ Origin: 'https://example.com' })
      for (let round = 0; round < ROUNDS; round++) {
        const clients = await Promise.all(Array.from({ length: CLIENTS }, () => trial.send(request)))
        for (const [at, client] of clients.entries()) behaviours[at % behaviours.length]?.(client)
        const own = (): number => clients.filter(({ closed }) => !closed).length
        // Only the clients' own ends are left, although most of them do not close.
        if (linux) await eventually(() => openSockets() <= baseline + own(), 'the descriptors are closed')
        await Promise.all(clients.map((client) => client.destroy()))
      }
      if (linux) await eventually(() => openSockets() === baseline, 'no descriptor is left')
      assert.equal(opened, 0)
      assert.equal(server.connections.size, 0)
    })
  }
})
