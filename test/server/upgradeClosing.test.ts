// An `upgrade` may close the very server that asks it, and many may be answered in one turn. Both change what is true
// between the question and the answer.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Server } from '../../src/index.js'
import type { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { deferred, inEveryLane } from '../support/everyLane.js'
import { delay, eventually, openSockets } from '../support/socketClient.js'

const linux = process.platform === 'linux'

describe('an upgrade that closes the server', () => {
  for (const timing of ['at once', 'promised']) {
    inEveryLane(`opens nothing, ${timing}`, async (trial) => {
      let server: Server<undefined> | undefined
      let closing: Promise<void> | undefined
      let opened = 0
      const requests: UpgradeRequest[] = []
      const baseline = linux ? openSockets() : 0
      server = await trial.serve({
        closeTimeout: 300,
        upgrade: (request) => {
          requests.push(request)
          closing = server?.close()
          return timing === 'promised' ? delay(50).then(() => undefined) : undefined
        },
        open: () => void opened++,
      })
      const client = await trial.send()
      await client.end(3000)
      await closing
      assert.doesNotMatch(client.text, /^HTTP\/1\.1 101/)
      assert.equal(opened, 0)
      assert.equal(server.connections.size, 0)
      assert.equal(requests[0]?.signal.aborted, true)
      await client.destroy()
      if (linux) await eventually(() => openSockets() === baseline, 'no descriptor is left')
    })
  }
})

describe('answers in one turn keep the limits', () => {
  const limits = { maxConnections: 3, maxConnectionsPerAddress: 2 }
  for (const [limit, most] of Object.entries(limits)) {
    inEveryLane(limit, async (trial) => {
      const answer = deferred()
      let asked = 0
      const server = await trial.serve({
        [limit]: most,
        upgrade: () => {
          asked++
          return answer.promise
        },
      })
      const clients = await Promise.all(Array.from({ length: 8 }, () => trial.send()))
      await eventually(() => asked === 8, 'all are asked')
      answer.resolve(undefined)
      const answers = await Promise.all(clients.map((client) => client.response()))
      const statuses = answers.map(({ status }) => status)
      assert.equal(statuses.filter((status) => status === 101).length, most)
      const refused = limit === 'maxConnections' ? 503 : 429
      assert.equal(statuses.filter((status) => status === refused).length, 8 - most)
      assert.equal(server.connections.size, most)
      const texts = answers.filter(({ status }) => status !== 101).map(({ rest }) => rest.toString())
      for (const text of texts) assert.match(text, new RegExp(`^too many connections.*: ${limit} is ${most}$`))
    })
  }

  inEveryLane('but a refusal of the application stays what it is', async (trial) => {
    const answer = deferred<{ status: number } | undefined>()
    let asked = 0
    await trial.serve({
      maxConnections: 1,
      upgrade: (request) => {
        asked++
        return answer.promise.then(() => (request.path === '/in' ? undefined : { status: 401 }))
      },
    })
    const request = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
    const inside = await trial.send(request('/in'))
    await eventually(() => asked === 1, 'the first is asked')
    const outside = await trial.send(request('/out'))
    await eventually(() => asked === 2, 'the second is asked')
    answer.resolve(undefined)
    assert.equal((await inside.response()).status, 101)
    assert.equal((await outside.response()).status, 401)
  })
})
