// Graceful ends: service managers signal the primary, terminals signal every process of the group; either way peers are
// told, and the exit code is what a supervisor expects.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WsClient } from '../clients/wsClient.js'
import { effort } from '../support/effort.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { eventually, SocketClient } from '../support/socketClient.js'
import { ClusterProcess, isAlive } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }

describe('stopping', { skip: options.skip }, () => {
  for (const toAll of effort({ quick: [true], full: [false, true] })) {
    test(`SIGTERM to ${toAll ? 'all processes' : 'the primary'} drains, and ends with 0`, options, async (t) => {
      const { cluster, port, pids } = await ClusterProcess.start()
      t.after(() => cluster.end())
      const url = `ws://127.0.0.1:${port}`
      const clients = await Promise.all(Array.from({ length: 20 }, () => WsClient.open(url)))
      if (toAll) for (const pid of pids) process.kill(pid, 'SIGTERM')
      cluster.child.kill('SIGTERM')
      for (const client of clients) assert.equal((await client.ended).code, 1001)
      assert.equal(await cluster.ended, 0)
      assert.ok(!pids.some(isAlive))
      assert.equal(cluster.stderr, '')
    })
  }

  // A reload takes its time until the old acceptors drain.
  const durations = [
    ['SIGTERM', 700],
    ['SIGHUP', 2500],
  ] as const
  for (const [how, duration] of durations.slice(0, effort({ quick: 1, full: 2 }))) {
    test(`answers to HTTP requests that are under way at ${how} are finished`, options, async (t) => {
      const { cluster, port, pids } = await ClusterProcess.start({ drainAfter: 0, drainOver: 0 })
      t.after(() => cluster.end())
      const client = await SocketClient.open(port)
      client.write(`GET /${duration} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await new Promise((resolve) => setTimeout(resolve, 100))
      cluster.child.kill(how)
      if (how === 'SIGTERM') assert.equal(await cluster.ended, 0)
      else await eventually(() => !pids.some(isAlive), 'the old acceptors end')
      await client.end()
      assert.match(client.text, /^HTTP\/1\.1 200 [\s\S]*the whole answer$/)
    })
  }

  test('close({ drainAfter, drainOver }) in the primary drains the acceptors', options, async (t) => {
    const { cluster, port } = await ClusterProcess.start()
    t.after(() => cluster.end())
    const clients = await Promise.all(Array.from({ length: 12 }, () => WsClient.open(`ws://127.0.0.1:${port}`)))
    const began = performance.now()
    cluster.child.stdin?.write('drain\n')
    const ends = await Promise.all(
      clients.map(async (client) => {
        assert.equal((await client.ended).code, 1012)
        return performance.now() - began
      }),
    )
    assert.equal(await cluster.ended, 0)
    assert.ok(Math.min(...ends) > 350, `the first after ${Math.min(...ends)} ms`)
    assert.ok(Math.max(...ends) - Math.min(...ends) > 200, `at ${ends}`)
  })

  test('a second signal ends everything at once', options, async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start()
    t.after(() => cluster.end())
    const silent = await SocketClient.open(port)
    silent.write(Buffer.from(upgradeRequest()))
    await silent.response()
    cluster.child.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 800))
    assert.ok(isAlive(cluster.child.pid ?? 0))
    cluster.child.kill('SIGTERM')
    assert.equal(await cluster.ended, 143)
    await eventually(() => !pids.some(isAlive), 'the acceptors end')
    await silent.destroy()
  })

  test('an acceptor that does not end in time is killed', options, async (t) => {
    const { cluster, port } = await ClusterProcess.start({ stopTimeout: 500 })
    t.after(() => cluster.end())
    const silent = await SocketClient.open(port)
    silent.write(Buffer.from(upgradeRequest()))
    await silent.response()
    const began = performance.now()
    cluster.child.kill('SIGTERM')
    assert.equal(await cluster.ended, 0)
    assert.ok(performance.now() - began < 8000, 'the peer never answers, and has 10 s to')
    await silent.destroy()
  })
})
