// How long a small echo waits while others send megabytes of JSON that the application parses: in the pool of threads
// with millrace, in the message handler with the others, who have nothing else.

import { LoadClient, type Round } from '../support/loadClient.js'
import { type Peer, startPeer } from '../support/peers.js'
import type { Pace } from '../support/suite.js'
import { rounded } from '../support/table.js'
import { byTurns, KIB, leastOf, type Measured, peersFor, type Section, smallEchoes } from './section.js'

/** Seconds that connecting may take: the documents must not end before the small echoes. */
const LATE = 1.5
const SMALL = { ...smallEchoes, size: 20 } as const
const DOCUMENTS = { connections: 4, size: 8_000_000, pipeline: 1, kind: 'text', verify: false, rate: 0 } as const

/** What one round of one server gave: of the small echoes, and of the documents. */
interface Both {
  readonly small: Round
  readonly documents: Round
}

export async function parsing(pace: Pace): Promise<Section> {
  const peers = peersFor('millrace', 'uWebSockets.js', 'ws', 'Bun')
  const servers = await byTurns(peers, pace.rounds, (peer) => oneRound(peer, pace))
  const p99 = (name: string): number => leastOf(servers, name, ({ small }) => p99Of(small))
  const goals = (['uWebSockets.js', 'ws'] as const).map((name) => ({
    what: `p99 of the small echo, millrace ÷ ${name}`,
    value: p99('millrace') / p99(name),
    limit: 0.1,
  }))
  return {
    id: 'parsing',
    title: 'A small echo while four connections send 8 MB of JSON each, which the application parses',
    note: '20 B at 1,000 per second; the documents without pause. millrace parses in its pool, the others in the handler.',
    head: ['', '', 'p50 µs', 'p99 µs', 'max µs', 'documents/s', 'CPU ms a document', 'main thread ms a document'],
    rows: servers.map(rowOf),
    goals: goals.filter(({ value }) => !Number.isNaN(value)),
    raw: servers,
  }
}

async function oneRound(peer: Peer, { seconds, warmup, quick }: Pace): Promise<Both> {
  const server = await startPeer(peer, 'documents')
  const small = new LoadClient(1, 'first')
  const large = new LoadClient(1, 'aside')
  const duration = seconds * (quick ? 1 : 4)
  const size = quick ? 256 * KIB : DOCUMENTS.size
  try {
    const echoes = (): Promise<Round> => small.load(server, { ...SMALL, duration, warmup })
    const beside = { ...DOCUMENTS, size, duration: duration + warmup + LATE, warmup }
    const [round, documents] = await large.beside(echoes, server, beside, 'documents')
    return { small: round, documents }
  } finally {
    small.stop()
    large.stop()
    await server.stop()
  }
}

/** Of the round in which the 99th percentile was least. */
function rowOf({ name, rounds }: Measured<Both>): string[] {
  const [first] = rounds.toSorted((one, other) => p99Of(one.small) - p99Of(other.small))
  if (first?.small.latency === undefined) return [name, '', '–']
  const { p50, p99, max } = first.small.latency
  const { rate, cpu, mainThread = 0 } = first.documents
  return [name, '', ...[p50, p99, max, rate, cpu / 1000, mainThread / 1000].map(rounded)]
}

function p99Of({ latency }: Round): number {
  return latency?.p99 ?? Number.NaN
}
