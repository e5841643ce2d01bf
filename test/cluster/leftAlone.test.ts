// What a cluster does while it has nobody to serve: the port stays open, a process that hangs is replaced, and one whose
// program has closed its server ends.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { WsClient } from '../clients/wsClient.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { eventually } from '../support/socketClient.js'
import { ClusterProcess, isAlive } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }
const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'))
after(() => rmSync(folder, { recursive: true }))

/** The pid of the acceptor that serves a new connection. */
async function servedBy(url: string): Promise<number> {
  const client = await WsClient.open(url)
  const pid = Number.parseInt(String(await client.messages.next()), 10)
  await client.close()
  return pid
}

describe('while no acceptor listens', { skip: options.skip || privateApiForbidden }, () => {
  for (const acceptors of [1, 2]) {
    test(`connections wait for the next one, with ${acceptors}`, options, async (t) => {
      const { cluster, port, pids } = await ClusterProcess.start({ acceptors })
      t.after(() => cluster.end())
      for (let round = 0, living = pids; round < 3; round++) {
        for (const pid of living) process.kill(pid, 'SIGKILL')
        await eventually(() => !living.some(isAlive), 'the acceptors have died')
        // A new acceptor takes at least 100 ms to start: all of these come before it.
        const served = await Promise.all(Array.from({ length: 20 }, () => servedBy(`ws://127.0.0.1:${port}`)))
        assert.ok(!served.some((pid) => living.includes(pid)))
        living = await cluster.listening(acceptors, living)
      }
    })
  }

  test('the same on a path', options, async (t) => {
    const path = join(folder, 'socket')
    const { cluster, pids } = await ClusterProcess.start({ path, acceptors: 1 })
    t.after(() => cluster.end())
    const [pid = 0] = pids
    process.kill(pid, 'SIGKILL')
    await eventually(() => !isAlive(pid), 'the acceptor has died')
    const socket = connect(path)
    t.after(() => socket.destroy())
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  })

  test('a server that closes keeps nothing open', options, async (t) => {
    const { cluster, port } = await ClusterProcess.start({ acceptors: 1 })
    t.after(() => cluster.end())
    cluster.child.kill('SIGTERM')
    assert.equal(await cluster.ended, 0)
    await assert.rejects(servedBy(`ws://127.0.0.1:${port}`), /ECONNREFUSED/)
  })
})

describe('an acceptor', { skip: options.skip }, () => {
  test('that hangs is killed and replaced, and the others are not', options, async (t) => {
    const { cluster, pids } = await ClusterProcess.start({ acceptors: 2, hangTimeout: 2000 })
    t.after(() => cluster.end())
    const [victim = 0, other = 0] = pids
    process.kill(victim, 'SIGSTOP')
    const now = await cluster.listening(2, [victim])
    assert.ok(now.includes(other))
    assert.equal(isAlive(victim), false)
    assert.match(cluster.stderr, new RegExp(`acceptor ${victim} has been silent for 2000 ms: it is killed\n.*SIGKILL`))
  })

  test(
    'that works for a while does not hang, nor do all of them when their primary stands still',
    options,
    async (t) => {
      const { cluster, pids } = await ClusterProcess.start({ acceptors: 2, hangTimeout: 2000 })
      t.after(() => cluster.end())
      const [busy = 0] = pids
      process.kill(busy, 'SIGSTOP')
      setTimeout(() => process.kill(busy, 'SIGCONT'), 500)
      const { pid: primary = 0 } = cluster.child
      process.kill(primary, 'SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, 4000))
      process.kill(primary, 'SIGCONT')
      await new Promise((resolve) => setTimeout(resolve, 1500))
      assert.deepEqual((await cluster.listening(2)).toSorted(), pids.toSorted())
      assert.equal(cluster.stderr, '')
    },
  )

  test('whose program closes its server ends, and another one starts', options, async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start({ acceptors: 1 })
    t.after(() => cluster.end())
    const client = await WsClient.open(`ws://127.0.0.1:${port}`)
    await client.messages.next()
    client.socket.send('please close your server')
    const [now = 0] = await cluster.listening(1, pids)
    assert.equal(await servedBy(`ws://127.0.0.1:${port}`), now)
    assert.match(cluster.stderr, /ended with code 0; another starts/)
  })
})
