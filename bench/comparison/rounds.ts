// Measures one row: all servers, round after round, A B A B, so that a disturbed minute disturbs everyone.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { KeptServers } from '../support/keptServers.js'
import { LoadClient, type Round } from '../support/loadClient.js'
import { type Mode, type Peer, type PeerName, startPeer, variants } from '../support/peers.js'
import { memory, pinned, type RunningServer } from '../support/process.js'
import { root } from '../support/publish.js'
import type { Pace } from '../support/suite.js'
import { messageOf } from '../support/talk.js'
import type { Measured, Row } from './results.js'
import type { Workload } from './workloads.js'

/** The core of the load clients; the servers have the first. */
const CLIENT_CORE = 1
/** Seconds that connecting may take: the streams must not end before the echoes beside them. */
const LATE = 1
/** How long a server may take to be done with what is over, in milliseconds. */
const SETTLE = 300
/** Handshakes that warm a server whose memory is measured. */
const FIRST = 50
/** Each takes long, and repeats well. */
const ROUNDS_OF_MEMORY = 2

/** How many rounds a peer gets in a row. Default: those of the pace. */
export type RoundsOf = (peer: PeerName) => number

type Servers = Partial<Record<PeerName, { rounds: Round[]; problem?: string }>>

/** Servers that stay up from row to row, with one load client. */
export class Rounds {
  readonly #peers: readonly Peer[]
  readonly #pace: Pace
  readonly #client = new LoadClient(CLIENT_CORE, 'first')
  readonly #streamer = new LoadClient(CLIENT_CORE, 'aside')
  readonly #servers = new KeptServers()
  /** What has been measured, by the load: rows that tell other figures of the same load share its rounds. */
  readonly #measured = new Map<string, Servers>()

  constructor(peers: readonly Peer[], pace: Pace) {
    this.#peers = peers
    this.#pace = pace
  }

  async measure(
    workload: Workload,
    progress: (round: number, peer: PeerName) => void = () => undefined,
    roundsOf: RoundsOf = () => this.#pace.rounds,
  ): Promise<Row> {
    const { id, group, title, unit, mode, load, beside, connections } = workload
    const key = JSON.stringify([group, mode, load, beside, connections, workload.peers])
    const servers = this.#measured.get(key) ?? (await this.#rounds(workload, progress, roundsOf))
    this.#measured.set(key, servers)
    return { id, group, title, unit, servers: servers as Partial<Record<PeerName, Measured>> }
  }

  async stop(): Promise<void> {
    this.#client.stop()
    this.#streamer.stop()
    await this.#servers.stop()
  }

  async #rounds(workload: Workload, progress: (round: number, peer: PeerName) => void, roundsOf: RoundsOf) {
    const servers: Servers = {}
    const { mode, group } = workload
    const peers = this.#peers.filter(({ name, modes }) => modes.includes(mode) && takesPart(name, workload))
    const rounds = group.startsWith('memory') ? Math.min(this.#pace.rounds, ROUNDS_OF_MEMORY) : this.#pace.rounds
    for (let round = 0; round < rounds; round++) {
      for (const peer of peers) {
        const measured = servers[peer.name] ?? { rounds: [] }
        servers[peer.name] = measured
        if (measured.problem !== undefined || round >= roundsOf(peer.name)) continue
        progress(round, peer.name)
        try {
          measured.rounds.push(await this.#round(workload, peer))
        } catch (error) {
          measured.problem = messageOf(error)
        }
      }
    }
    return servers
  }

  async #round(workload: Workload, peer: Peer): Promise<Round> {
    const { mode, load, beside, group, connections = 0 } = workload
    if (group === 'import') return importing(peer)
    if (group === 'memory') return this.#afresh(peer, (server) => this.#idleMemory(server, connections))
    if (group === 'memory in use') return this.#afresh(peer, (server) => this.#memoryInUse(server, workload), mode)
    if (group === 'handshakes') return this.#afresh(peer, (server) => this.#handshakes(server, connections))
    if (load === undefined) throw new Error('the row has no load')
    const server = await this.#servers.get(`${peer.name} ${mode}`, () => startPeer(peer, mode))
    const { seconds, warmup } = this.#pace
    const duration = group === 'latency' ? seconds * 2 : seconds
    const shares = beside !== undefined
    const run = (): Promise<Round> =>
      this.#client.load(server, { ...load, duration, warmup, shares }, group === 'broadcast' ? 'broadcast' : 'load')
    if (beside === undefined) return run()
    const longer = { ...beside, duration: duration + warmup + LATE, warmup }
    const [round, { rate }] = await this.#streamer.beside(run, server, longer)
    return { ...round, beside: rate }
  }

  /** A server of its own: what earlier connections left behind would be used again, and not be counted. */
  async #afresh(peer: Peer, work: (server: RunningServer) => Promise<Round>, mode: Mode = 'plain'): Promise<Round> {
    const server = await startPeer(peer, mode)
    try {
      return await work(server)
    } finally {
      await this.#client.release()
      await server.stop()
    }
  }

  async #handshakes(server: RunningServer, connections: number): Promise<Round> {
    const cold = await this.#client.handshakes(server, connections)
    await wait(SETTLE)
    const { cpu: warm } = await this.#client.handshakes(server, connections)
    return { ...cold, warm }
  }

  /** What connections hold while they are in use: beyond what a few have left behind, which were in use, too. */
  async #memoryInUse(server: RunningServer, { load }: Workload): Promise<Round> {
    if (load === undefined) throw new Error('the row has no load')
    const { seconds, warmup } = this.#pace
    await this.#client.load(server, { ...load, connections: FIRST, duration: seconds, warmup })
    await wait(SETTLE)
    const before = memory(server.pid).now
    const round = await this.#client.load(server, { ...load, duration: seconds * 2, warmup: seconds * 2 })
    return { ...round, cpu: Math.max(round.memory - before, 0) / load.connections }
  }

  async #idleMemory(server: RunningServer, connections: number): Promise<Round> {
    await this.#client.handshakes(server, FIRST)
    await wait(SETTLE)
    const before = memory(server.pid).now
    const round = await this.#client.handshakes(server, connections)
    await wait(SETTLE)
    const { now, peak } = memory(server.pid)
    return { ...round, cpu: Math.max(now - before, 0) / connections, peakMemory: peak }
  }
}

function takesPart(name: PeerName, { peers, also = [] }: Workload): boolean {
  return also.includes(name) || (peers?.includes(name) ?? !variants.includes(name))
}

const run = promisify(execFile)

/** CPU time of a process from its start until it has imported the peer's library. */
async function importing({ name, command }: Peer): Promise<Round> {
  const [node = process.execPath] = command('import')
  const [program, ...args] = pinned(0, [node, join(root, 'bench', 'peers', 'import.mjs'), name])
  const { stdout } = await run(program, args)
  return { cpu: Number(stdout), busy: 1, rate: 0, latency: undefined, peakMemory: 0 }
}
