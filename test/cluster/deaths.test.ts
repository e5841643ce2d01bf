// An acceptor that dies costs its own connections and nobody else's; one that keeps dying is not started for ever.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { WsClient } from '../clients/wsClient.js'
import { ClusterProcess, isAlive } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }
const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'))
after(() => rmSync(folder, { recursive: true }))

/** Clients, and the acceptor of each: so many that every acceptor has some, although the system may prefer one for a while. */
async function visitorsOfAll(url: string, pids: readonly number[]): Promise<{ client: WsClient; pid: number }[]> {
  const clients: { client: WsClient; pid: number }[] = []
  while (!pids.every((acceptor) => clients.some(({ pid }) => pid === acceptor))) {
    assert.ok(clients.length < 3000, 'one acceptor gets no connections')
    const more = Array.from({ length: 60 }, async () => {
      const client = await WsClient.open(url)
      return { client, pid: Number.parseInt(String(await client.messages.next()), 10) }
    })
    clients.push(...(await Promise.all(more)))
  }
  return clients
}

describe('deaths', { skip: options.skip }, () => {
  test('kill -9 of an acceptor: others see nothing, new connections are accepted, one line', options, async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start()
    t.after(() => cluster.end())
    const url = `ws://127.0.0.1:${port}`
    const [victim = 0] = pids
    const clients = await visitorsOfAll(url, pids)
    const spared = clients.filter(({ pid }) => pid !== victim)
    assert.ok(spared.length > 0 && spared.length < clients.length)
    process.kill(victim, 'SIGKILL')
    for (let round = 0; round < 20; round++) {
      for (const { client } of spared) client.socket.send(`${round}`)
      for (const { client } of spared) assert.equal(await client.messages.next(), `${round}`)
      // What the victim had taken, but not answered, is reset: until it has ended, and a busy machine takes its time.
      const dying = isAlive(victim)
      const fresh = await WsClient.open(url).catch((error) => (dying ? undefined : Promise.reject(error)))
      await fresh?.close()
    }
    const now = await cluster.listening(2, [victim])
    await (await WsClient.open(url)).close()
    assert.ok(!now.includes(victim))
    assert.match(cluster.stderr, /^millrace: acceptor \d+ was killed by SIGKILL; another starts in 100 ms\n$/)
    assert.deepEqual((await cluster.statistics()).map(({ restarts }) => restarts).toSorted(), [0, 1])
    await Promise.all(spared.map(({ client }) => client.close()))
  })

  test('when all die at once, the next listen on the same port', options, async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start()
    t.after(() => cluster.end())
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await cluster.listening(2, pids)
    const client = await WsClient.open(`ws://127.0.0.1:${port}`)
    await client.close()
    assert.equal(cluster.stderr.trim().split('\n').length, 2)
  })

  test('a crash loop is given up, and all end with 1', options, async (t) => {
    const file = join(folder, 'code')
    writeFileSync(file, 'fine')
    const { cluster, port, pids } = await ClusterProcess.start({}, file)
    t.after(() => cluster.end())
    const client = await WsClient.open(`ws://127.0.0.1:${port}`)
    const pid = Number.parseInt(String(await client.messages.next()), 10)
    writeFileSync(file, 'crash')
    for (const other of pids) if (other !== pid) process.kill(other, 'SIGKILL')
    assert.equal((await client.ended).code, 1001)
    assert.equal(await cluster.ended, 1)
    assert.ok(!pids.some(isAlive))
    const lines = cluster.stderr.trim().split('\n')
    assert.ok(lines.length >= 5, cluster.stderr)
    assert.match(lines.at(-1) ?? '', /ended with code 3, .*giving up$/)
  })

  test('a program that ends before it listens rejects', options, async (t) => {
    const file = join(folder, 'broken')
    writeFileSync(file, 'crash')
    const cluster = new ClusterProcess({}, file)
    t.after(() => cluster.end())
    const { failed, message } = await cluster.said.next()
    assert.equal(failed, 'ERR_ACCEPTOR_FAILED')
    assert.match(String(message), /an acceptor ended with code 3 before it listened/)
    assert.equal(await cluster.ended, 0)
  })
})
