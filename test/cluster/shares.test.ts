// None of the acceptors starves: their shares of the connections are about even. What keeps them so are pauses of a tenth
// of a millisecond, so this file runs when no other does (see test/suite/files.ts).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effort } from '../support/effort.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { SocketClient } from '../support/socketClient.js'
import { ClusterProcess } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }
const CONNECTIONS = effort({ quick: 500, full: 2000 })

for (const together of effort({ quick: [64], full: [1, 64] })) {
  test(`${CONNECTIONS} connections, ${together} at a time, reach all`, options, async (t) => {
    const { cluster, port } = await ClusterProcess.start()
    t.after(() => cluster.end())
    const clients: SocketClient[] = []
    let left = CONNECTIONS
    const open = async (): Promise<void> => {
      while (left-- > 0) {
        const client = await SocketClient.open(port)
        client.write(Buffer.from(upgradeRequest()))
        assert.equal((await client.response()).status, 101)
        clients.push(client)
      }
    }
    await Promise.all(Array.from({ length: together }, open))
    const shares = (await cluster.statistics()).map(({ connections }) => connections)
    t.diagnostic(`shares: ${shares.join(', ')}`)
    assert.equal(shares.length, 2)
    assert.equal(
      shares.reduce((sum, share) => sum + share),
      CONNECTIONS,
    )
    assert.ok(Math.max(...shares) <= 1.4 * Math.min(...shares), `${shares}`)
    await Promise.all(clients.map((client) => client.destroy()))
  })
}
