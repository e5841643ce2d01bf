// A reload replaces the code, and nobody is refused: connections move over, little by little, when the new ones listen.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { WsClient } from '../clients/wsClient.js'
import { effort } from '../support/effort.js'
import { ClusterProcess } from './clusterProcess.js'

const options = { timeout: 90_000, skip: process.platform === 'win32' }
const CLIENTS = effort({ quick: 50, full: 500 })
const folder = mkdtempSync(join(tmpdir(), 'millrace-reload-'))
after(() => rmSync(folder, { recursive: true }))

/** Reconnects for ever; sends one message after another, and waits for each. */
class Client {
  /** Connections that were not opened, or ended without a Close. */
  readonly faults: string[] = []
  readonly codes = new Map<number, number>()
  greeting = ''
  #over = false
  #socket: WsClient | undefined
  readonly done: Promise<void>

  constructor(url: string) {
    this.done = this.#run(url)
  }

  async stop(): Promise<void> {
    this.#over = true
    await this.#socket?.close(1000)
    await this.done
  }

  async #run(url: string): Promise<void> {
    while (!this.#over) {
      try {
        this.#socket = await WsClient.open(url)
      } catch (error) {
        this.faults.push(String(error))
        continue
      }
      const { messages, socket, ended } = this.#socket
      const loop = async (): Promise<void> => {
        this.greeting = String(await messages.next())
        for (let number = 0; socket.readyState === socket.OPEN; number++) {
          socket.send(`${number}`)
          const answer = await messages.next()
          if (answer !== `${number}`) this.faults.push(`${answer} instead of ${number}`)
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
      await loop().catch(() => undefined)
      const { code } = await ended
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
      if (code !== 1012 && !this.#over) this.faults.push(`ended with ${code}`)
    }
  }
}

describe('reload', { skip: options.skip }, () => {
  test(
    `under the load of ${CLIENTS} connections, nobody is refused and everybody gets the new code`,
    options,
    async (t) => {
      const file = join(folder, 'code')
      writeFileSync(file, 'old')
      const { cluster, port, pids } = await ClusterProcess.start({ drainAfter: 1000, drainOver: 2000 }, file)
      t.after(() => cluster.end())
      const clients = Array.from({ length: CLIENTS }, () => new Client(`ws://127.0.0.1:${port}`))
      while (clients.some(({ greeting }) => !greeting.endsWith(' old')))
        await new Promise((resolve) => setTimeout(resolve, 50))
      writeFileSync(file, 'new')
      const began = performance.now()
      cluster.child.kill('SIGHUP')
      await cluster.listening(2, pids)
      while (clients.some(({ greeting }) => !greeting.endsWith(' new'))) {
        assert.ok(performance.now() - began < 30_000, 'all connections move over')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.ok(performance.now() - began > 2000, 'spread over time')
      while ((await cluster.statistics()).length > 2) await new Promise((resolve) => setTimeout(resolve, 50))
      await Promise.all(clients.map((client) => client.stop()))
      assert.deepEqual(
        clients.flatMap(({ faults }) => faults),
        [],
      )
      for (const { codes } of clients) assert.equal(codes.get(1012), 1)
      assert.equal(cluster.stderr, '')
    },
  )

  test('code that does not start changes nothing', options, async (t) => {
    const file = join(folder, 'broken')
    writeFileSync(file, 'fine')
    const { cluster, port, pids } = await ClusterProcess.start({}, file)
    t.after(() => cluster.end())
    const client = await WsClient.open(`ws://127.0.0.1:${port}`)
    await client.messages.next()
    writeFileSync(file, 'crash')
    const { failed } = await cluster.ask('reload')
    assert.match(String(failed), /ended with code 3 before it listened/)
    assert.deepEqual(await cluster.listening(2), pids)
    client.socket.send('still here')
    assert.equal(await client.messages.next(), 'still here')
    writeFileSync(file, 'fixed')
    assert.equal((await cluster.ask('reload')).failed, undefined)
    await cluster.listening(2, pids)
    await client.close()
  })

  test('stopping amid a drain does not wait for it', options, async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start({ drainAfter: 60_000 })
    t.after(() => cluster.end())
    const client = await WsClient.open(`ws://127.0.0.1:${port}`)
    await cluster.ask('reload')
    await cluster.listening(2, pids)
    cluster.child.kill('SIGTERM')
    assert.equal((await client.ended).code, 1001)
    assert.equal(await cluster.ended, 0)
  })
})
