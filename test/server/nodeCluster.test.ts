// What the docs promise of sockets holds wherever a server runs. Under node:cluster's round robin, which is its default and
// that of pm2, the primary accepts: the worker's listening handle is no socket, and has no options to hand down.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createServer } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { effort } from '../support/effort.js'
import { requestOf, upgradeRequest } from '../support/httpRequests.js'
import { dialPlainly, dialSecurely } from '../support/places.js'
import { isKeptAlive, type SocketClient } from '../support/socketClient.js'

const PROGRAM = fileURLToPath(new URL('./nodeClusterProgram.js', import.meta.url))

/** A connection that was asked for, and whose answer has been acknowledged: then the system's timer runs. */
async function asked(port: number, secure: boolean, request: string): Promise<SocketClient> {
  const where = { host: '127.0.0.1', port }
  const client = await (secure ? dialSecurely(where) : dialPlainly(where))
  client.write(request)
  await client.response()
  await new Promise((resolve) => setTimeout(resolve, 100))
  return client
}

async function allKeptAlive(ports: readonly number[]): Promise<void> {
  const [plain = 0, secure = 0, open = 0] = ports
  for (const request of [upgradeRequest(), upgradeRequest({ TE: 'trailers' }), requestOf(['Host: x'])]) {
    for (const port of [plain, secure, open]) {
      const client = await asked(port, port === secure, request)
      assert.ok(isKeptAlive(port, client.socket.localPort ?? 0), `${request.slice(0, 20)} at ${ports.indexOf(port)}`)
      await client.destroy()
    }
  }
}

describe('connections are kept alive, and with that have no Nagle', { skip: process.platform !== 'linux' }, () => {
  for (const policy of effort({ quick: ['rr'], full: ['rr', 'none'] })) {
    test(`in a worker of node:cluster, with ${policy}`, async () => {
      const child = spawn(process.execPath, [PROGRAM, policy], { stdio: ['pipe', 'pipe', 'inherit'] })
      try {
        const [line] = await once(createInterface({ input: child.stdout }), 'line')
        await allKeptAlive(JSON.parse(line))
      } finally {
        child.stdin.end()
        await once(child, 'exit')
      }
    })
  }

  test('alone', async (t) => {
    const servers = [createServer(), createServer({ publicApi: true })]
    t.after(() => Promise.all(servers.map((server) => server.close())))
    await servers[0]?.listen({ host: '127.0.0.1' })
    await servers[0]?.listen({ host: '127.0.0.1', tls: { key, cert } })
    await servers[1]?.listen({ host: '127.0.0.1' })
    const addresses = servers.flatMap((server) => server.addresses)
    await allKeptAlive(addresses.map((one) => (typeof one === 'string' ? 0 : one.port)))
  })
})
