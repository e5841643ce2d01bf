// A share of the connections is kept for other addresses than the one that has the most.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { SocketClient } from '../support/socketClient.js'

/** Opens connections from an address of this machine until one is refused: their number, and the refusal. */
async function fill(trial: Trial, localAddress: string): Promise<[number, string]> {
  for (let open = 0; open < 50; open++) {
    const client = await from(trial, localAddress)
    await trial.request(client, upgradeRequest())
    const { status, rest } = await client.response()
    if (status !== 101) return [open, `${status} ${rest}`]
  }
  throw new Error('nobody is refused')
}

async function from(trial: Trial, localAddress: string): Promise<SocketClient> {
  const socket = connect({ port: trial.port, host: '127.0.0.1', localAddress, allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  return trial.adopt(new SocketClient(socket))
}

if (process.platform === 'linux') {
  inEveryLane('whoever has one address can have all connections but a share', async (trial) => {
    await trial.serve({ maxConnections: 16 })
    assert.deepEqual(await fill(trial, '127.0.0.1'), [
      14,
      '429 too many connections from this address: maxConnectionsPerAddress is 14',
    ])
    assert.deepEqual(await fill(trial, '127.0.0.2'), [2, '503 too many connections: maxConnections is 16'])
  })

  inEveryLane('where the option says so, it can have all', async (trial) => {
    await trial.serve({ maxConnections: 16, maxConnectionsPerAddress: 16 })
    assert.deepEqual(await fill(trial, '127.0.0.1'), [16, '503 too many connections: maxConnections is 16'])
  })
}
