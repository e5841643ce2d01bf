// Acceptors, seen from outside: they share one address, none outlives its primary, and what can't listen
// says so once and leaves nothing behind.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { WsClient } from '../clients/wsClient.js'
import { freePath } from '../support/places.js'
import { eventually } from '../support/socketClient.js'
import { ClusterProcess, isAlive } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }

describe('acceptors', { skip: options.skip }, () => {
  test('statistics tell of each acceptor', options, async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start()
    t.after(() => cluster.end())
    const client = await WsClient.open(`ws://127.0.0.1:${port}`)
    const [pid] = String(await client.messages.next()).split(' ')
    const entries = await cluster.statistics()
    assert.deepEqual(
      entries.map((entry) => entry.pid),
      pids,
    )
    for (const entry of entries) {
      const mine = entry.pid === Number(pid) ? 1 : 0
      assert.deepEqual([entry.state, entry.connections, entry.handshakes], ['listening', mine, mine])
      assert.ok(entry.rss > 2 ** 20 && entry.cpu > 0 && entry.uptime > 0 && entry.age === 0)
    }
    await client.close()
  })

  test('share a Unix socket', options, async (t) => {
    const path = freePath()
    const { cluster, address } = await ClusterProcess.start({ path })
    t.after(() => cluster.end())
    assert.equal(address, path)
    const client = await WsClient.open(`ws+unix:${path}:/`)
    client.socket.send('over a path')
    await client.messages.next()
    assert.equal(await client.messages.next(), 'over a path')
    await client.close()
  })

  test('a taken port rejects with its error, in the primary alone', options, async (t) => {
    const holder = createServer().listen(0, '127.0.0.1')
    t.after(() => holder.close())
    await new Promise((resolve) => holder.once('listening', resolve))
    const address = holder.address()
    const cluster = new ClusterProcess({ port: typeof address === 'object' ? (address?.port ?? 0) : 0 })
    t.after(() => cluster.end())
    const { failed, primary } = await cluster.said.next()
    assert.deepEqual({ failed, primary }, { failed: 'EADDRINUSE', primary: true })
    assert.equal(await cluster.ended, 0)
    assert.equal(cluster.said.left, 0)
    assert.equal(cluster.stderr, '')
  })

  test('a primary that is killed takes its acceptors with it', options, async () => {
    const { cluster, port, pids } = await ClusterProcess.start()
    const client = await WsClient.open(`ws://127.0.0.1:${port}`)
    assert.ok(pids.length === 2 && pids.every(isAlive))
    cluster.child.kill('SIGKILL')
    await eventually(() => !pids.some(isAlive), 'the acceptors end')
    assert.equal((await client.ended).code, 1006)
  })

  test('a thread has none', options, async () => {
    const index = new URL('../../src/index.js', import.meta.url).href
    const thread = new Worker(
      `import(${JSON.stringify(index)}).then(({ createServer }) => createServer().listen({ acceptors: 1 }))
        .catch((error) => require('node:worker_threads').parentPort.postMessage(error.message))`,
      { eval: true },
    )
    after(() => thread.terminate())
    const message = await new Promise((resolve) => thread.once('message', resolve))
    assert.match(String(message), /^only the main thread can have acceptors/)
  })
})
