// A Redis cluster for the tests: one server or several, each with its share of the slots, on free ports.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { RedisServer } from './redis.js'
import { freePort } from './serverProcess.js'

const SLOTS = 16_384

/** Says one command to a server as somebody else, and returns what it answers. */
export async function say(url: string, ...words: string[]): Promise<unknown> {
  const client = await createClient({ url, RESP: 3 }).connect()
  try {
    return await client.sendCommand(words)
  } finally {
    client.destroy()
  }
}

export class RedisCluster {
  readonly servers: readonly RedisServer[]
  readonly #folder: string

  private constructor(servers: readonly RedisServer[], folder: string) {
    this.servers = servers
    this.#folder = folder
  }

  /** Starts one of so many servers, which all know each other; `more` are arguments of each. */
  static async start(count: number, command?: string, more: readonly string[] = []): Promise<RedisCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'))
    const servers: RedisServer[] = []
    for (let at = 0; at < count; at++) {
      const place = [
        '--dir',
        folder,
        '--cluster-config-file',
        `nodes-${at}.conf`,
        '--cluster-port',
        `${await freePort()}`,
      ]
      const times = ['--cluster-node-timeout', '2000', '--cluster-require-full-coverage', 'no']
      servers.push(await RedisServer.start(['--cluster-enabled', 'yes', ...place, ...times, ...more], command))
    }
    const cluster = new RedisCluster(servers, folder)
    await cluster.#join()
    return cluster
  }

  get url(): string {
    return this.servers.map(({ url }) => url).join(',')
  }

  async kill(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
  }

  /** Ends it, and what it has left on the disk. */
  async end(): Promise<void> {
    this.thaw()
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()))
  }

  freeze(): void {
    for (const server of this.servers) server.freeze()
  }

  thaw(): void {
    for (const server of this.servers) server.thaw()
  }

  /** Moves one slot from its server to another. */
  async moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const id = `${await say(to.url, 'CLUSTER', 'MYID')}`
    // The new owner must know first: the old one would take the slot back.
    for (const { url } of [to, from]) await say(url, 'CLUSTER', 'SETSLOT', `${slot}`, 'NODE', id)
    for (const { url } of this.servers) await say(url, 'CLUSTER', 'SETSLOT', `${slot}`, 'NODE', id)
  }

  async #join(): Promise<void> {
    const share = Math.ceil(SLOTS / this.servers.length)
    for (const [at, { url }] of this.servers.entries()) {
      const last = Math.min(SLOTS, (at + 1) * share) - 1
      await say(url, 'CLUSTER', 'SET-CONFIG-EPOCH', `${at + 1}`)
      await say(url, 'CLUSTER', 'ADDSLOTSRANGE', `${at * share}`, `${last}`)
    }
    const [first, ...others] = this.servers
    for (const { url, port } of others) {
      const bus = portIn(await say(url, 'CONFIG', 'GET', 'cluster-port'))
      await say(first?.url ?? '', 'CLUSTER', 'MEET', '127.0.0.1', `${port}`, bus)
    }
    for (const { url } of this.servers) {
      for (let attempt = 0; attempt < 200; attempt++) {
        const info = `${await say(url, 'CLUSTER', 'INFO')}`
        const isWhole = info.includes('cluster_slots_ok:16384') && info.includes(`cluster_size:${this.servers.length}`)
        if (isWhole && info.includes('cluster_state:ok')) break
        await sleep(50)
      }
    }
  }
}

/** The value in the reply to CONFIG GET, whichever form it has. */
function portIn(reply: unknown): string {
  return Array.isArray(reply) ? `${reply[1]}` : `${Object.values(Object(reply))[0]}`
}
