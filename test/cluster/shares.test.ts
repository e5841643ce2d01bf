// None of the acceptors starves: their shares of the connections are about even. What keeps them so are pauses of a tenth
// of a millisecond, so this file runs when no other does (see test/suite/files.ts). Programs outside of the suite may still
// take the processor from one acceptor for a moment, so a round that is uneven is repeated. An acceptor that starves does so
// in every round.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effort } from '../support/effort.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, SocketClient } from '../support/socketClient.js'
import { ClusterProcess } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }
const CONNECTIONS = effort({ quick: 500, full: 2000 })

/** Rounds of which one must be even. */
const ROUNDS = 5

/** Opens the connections, so many at a time, and tells the share of each acceptor. They are closed afterwards. */
async function sharesOf(cluster: ClusterProcess, port: number, together: number): Promise<number[]> {
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
  const shares = await connectionsOf(cluster)
  await Promise.all(clients.map((client) => client.destroy()))
  return shares
}

async function connectionsOf(cluster: ClusterProcess): Promise<number[]> {
  return (await cluster.statistics()).map(({ connections }) => connections)
}

for (const together of effort({ quick: [64], full: [1, 64] })) {
  test(`${CONNECTIONS} connections, ${together} at a time, reach all`, options, async (t) => {
    const { cluster, port } = await ClusterProcess.start()
    t.after(() => cluster.end())
    const rounds: number[][] = []
    const isEven = (shares: readonly number[]): boolean => Math.max(...shares) <= 1.4 * Math.min(...shares)
    while (!rounds.some(isEven) && rounds.length < ROUNDS) {
      while ((await connectionsOf(cluster)).some((open) => open > 0)) await delay(20)
      const shares = await sharesOf(cluster, port, together)
      t.diagnostic(`shares: ${shares.join(', ')}`)
      assert.equal(shares.length, 2)
      assert.equal(
        shares.reduce((sum, share) => sum + share),
        CONNECTIONS,
      )
      rounds.push(shares)
    }
    assert.ok(rounds.some(isEven), rounds.join(' and '))
  })
}
