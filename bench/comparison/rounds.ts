// Measures one row: all servers, round after round, A B A B, so that a disturbed minute disturbs everyone.
import { setTimeout as wait } from 'node:timers/promises'
import { KeptServers } from '../support/keptServers.js'
import { LoadClient, type Round } from '../support/loadClient.js'
import { type Peer, type PeerName, startPeer } from '../support/peers.js'
import { memory, type RunningServer } from '../support/process.js'
import type { Pace } from '../support/suite.js'
import { messageOf } from '../support/talk.js'
import type { Measured, Row } from './results.js'
import { streams, type Workload } from './workloads.js'

/** The core of the load clients; the servers have the first. */
const CLIENT_CORE = 1
/** Seconds that connecting may take: the streams must not end before the echoes beside them. */
const LATE = 1
/** How long a server may take to forget the connections of an earlier measurement, in milliseconds. */
const SETTLE = 300

/** Servers that stay up from row to row, with one load client. */
export class Rounds {
  readonly #peers: readonly Peer[]
  readonly #client = new LoadClient(CLIENT_CORE)
  readonly #streamer = new LoadClient(CLIENT_CORE, 'last')
  readonly #servers = new KeptServers()
  readonly #pace: Pace

  constructor(peers: readonly Peer[], pace: Pace) {
    this.#peers = peers
    this.#pace = pace
  }

  async measure(workload: Workload, progress: (round: number, peer: PeerName) => void): Promise<Row> {
    const servers: Partial<Record<PeerName, { rounds: Round[]; problem?: string }>> = {}
    const peers = this.#peers.filter(({ modes }) => modes.includes(workload.mode))
    const rounds = workload.group === 'memory' ? Math.min(this.#pace.rounds, 2) : this.#pace.rounds
    for (let round = 0; round < rounds; round++) {
      for (const peer of peers) {
        progress(round, peer.name)
        const measured = servers[peer.name] ?? { rounds: [] }
        servers[peer.name] = measured
        if (measured.problem !== undefined) continue
        try {
          measured.rounds.push(await this.#round(workload, peer))
        } catch (error) {
          measured.problem = messageOf(error)
        }
      }
    }
    const { id, group, title, unit } = workload
    return { id, group, title, unit, servers: servers as Partial<Record<PeerName, Measured>> }
  }

  async stop(): Promise<void> {
    this.#client.stop()
    this.#streamer.stop()
    await this.#servers.stop()
  }

  async #round(workload: Workload, peer: Peer): Promise<Round> {
    if (workload.group === 'memory') return this.#idleMemory(peer, workload.connections ?? 0)
    const server = await this.#servers.get(`${peer.name} ${workload.mode}`, () => startPeer(peer, workload.mode))
    if (workload.group === 'handshakes') return this.#handshakes(server, workload.connections ?? 0)
    if (workload.load === undefined) throw new Error('the row has no load')
    const { seconds, warmup } = this.#pace
    const options = { ...workload.load, duration: seconds, warmup }
    if (workload.group === 'broadcast') return this.#client.load(server, options, 'broadcast')
    if (workload.group !== 'latency') return this.#client.load(server, options)
    const echoes = (): Promise<Round> => this.#client.load(server, { ...options, duration: seconds * 2 })
    const beside = { ...streams, duration: seconds * 2 + warmup + LATE, warmup }
    const [round] = await this.#streamer.beside(echoes, server, beside)
    return round
  }

  async #handshakes(server: RunningServer, connections: number): Promise<Round> {
    const round = await this.#client.handshakes(server, connections)
    await this.#client.release()
    await wait(SETTLE)
    return round
  }

  /** A server of its own: what earlier connections left behind would be used again, and not be counted. */
  async #idleMemory(peer: Peer, connections: number): Promise<Round> {
    const server = await startPeer(peer)
    try {
      await this.#client.handshakes(server, 50)
      await wait(SETTLE)
      const before = memory(server.pid).now
      const round = await this.#client.handshakes(server, connections)
      await wait(SETTLE)
      const { now, peak } = memory(server.pid)
      return { ...round, cpu: Math.max(now - before, 0) / connections, peakMemory: peak }
    } finally {
      await this.#client.release()
      await server.stop()
    }
  }
}
