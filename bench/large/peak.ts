// The most memory that a server holds while large messages come from everyone at once.

import { LoadClient } from '../support/loadClient.js'
import { type Peer, startPeer } from '../support/peers.js'
import { memory } from '../support/process.js'
import type { Pace } from '../support/suite.js'
import { rounded } from '../support/table.js'
import { byTurns, KIB, leastOf, MIB, megabytes, peersFor, type Section } from './section.js'

const CONNECTIONS = 20

export async function peak({ quick, rounds }: Pace): Promise<Section> {
  const size = quick ? 256 * KIB : 16 * MIB
  const peers = peersFor('floor', 'millrace', 'uWebSockets.js', 'ws', 'Bun')
  const servers = await byTurns(peers, Math.min(rounds, 3), (peer) => grown(peer, size))
  const of = (name: string): number => leastOf(servers, name, (bytes) => bytes)
  const goals = [
    { what: 'peak, millrace ÷ ws', value: of('millrace') / of('ws'), limit: 0.5 },
    { what: 'peak of millrace in MB', value: of('millrace') / 1e6, limit: Math.round((CONNECTIONS * size) / 1e6 + 80) },
  ]
  return {
    id: 'peak',
    title: `Peak memory, ${CONNECTIONS} connections that send ${size / MIB} MiB each at once`,
    note: 'Each sends one message, which is echoed. VmHWM of a fresh process, less what it held when it listened.',
    head: ['', '', 'MB', '÷ payload'],
    rows: servers.map(({ name }) => [name, '', megabytes(of(name)), rounded(of(name) / (CONNECTIONS * size))]),
    goals: goals.filter(({ value }) => !Number.isNaN(value)),
    raw: servers,
  }
}

/** Bytes above what the server held when it began to listen. */
async function grown(peer: Peer, size: number): Promise<number> {
  const server = await startPeer(peer)
  const client = new LoadClient(1)
  const before = memory(server.pid).now
  const load = { connections: CONNECTIONS, size, pipeline: 1, verify: false, rate: 0, duration: 0, warmup: 0 } as const
  try {
    const { peakMemory } = await client.load(server, { ...load, kind: 'binary' }, 'volley')
    return peakMemory - before
  } finally {
    client.stop()
    await server.stop()
  }
}
