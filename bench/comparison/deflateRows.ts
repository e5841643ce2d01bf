// What is measured of permessage-deflate, and what is asked of each row.
import type { DeflateLoad } from '../../src/load/deflateMaterial.js'
import type { PeerName } from '../support/peers.js'
import { against, atMost, type Goal, ours } from './goals.js'
import { echo, type Workload } from './workloads.js'

const PEERS: readonly PeerName[] = ['millrace', 'uWebSockets.js', 'uWS dedicated', 'Bun', 'ws']
/** What a client offers that has no window between two messages. */
const ALONE = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'
/** What one offers that lets its window not be limited. */
const UNLIMITED = 'permessage-deflate'
const CONNECTIONS = 50
const MANY = 256
/** Connections whose memory is measured. */
const HELD = 2000
const KIB = 1024

function row(id: string, title: string, size: number, deflate: DeflateLoad = {}): Workload {
  return { ...echo('deflate', id, title, CONNECTIONS, size, { kind: 'deflate', deflate }), peers: PEERS }
}

/** With its dedicated compressor, uWebSockets.js has context takeover whatever a client asks for. */
function alone(workload: Workload): Workload {
  return { ...workload, peers: (workload.peers ?? PEERS).filter((peer) => peer !== 'uWS dedicated') }
}

function plain(id: string, title: string, size: number): Workload {
  return { ...echo('deflate', id, title, CONNECTIONS, size, { kind: 'text' }), peers: ['millrace'] }
}

/** Messages of 1 KiB, until each window is full; the peers are not asked for their memory. */
function memory(id: string, title: string, load: { kind: 'deflate' | 'text'; deflate?: DeflateLoad }): Workload {
  const found = echo('memory in use', id, title, HELD, KIB, load)
  return { ...found, unit: 'bytes per connection', peers: ['millrace', 'uWebSockets.js', 'uWS dedicated', 'ws'] }
}

/** Connections that echo 4 MiB of JSON without pause, each deflated by zlib: it costs the client next to nothing. */
const streams = { connections: 4, size: 4 * KIB * KIB, pipeline: 1, kind: 'deflate', verify: false, rate: 0 } as const

/** So many of these messages per second are nearly all that ws takes. */
const PACED = 10

/** Small echoes of clients that do not compress, while others do. */
function beside(id: string, what: string, load: { readonly rate?: number; readonly shares?: boolean } = {}): Workload {
  return {
    ...echo('latency', id, `125 B at 1,000 per second, while ${what}`, 10, 125, { rate: 1000 }),
    mode: 'deflate',
    unit: 'µs (p99)',
    beside: { ...streams, ...load, deflate: { offer: ALONE, once: true } },
    peers: ['millrace', 'uWebSockets.js', 'Bun', 'ws'],
  }
}

export const deflateRows: readonly Workload[] = [
  row('deflate-one', '1 KiB, one document', KIB),
  alone(row('deflate-alone', '1 KiB, no takeover, deflated by zlib at level 6', KIB, { offer: ALONE, once: true })),
  row('deflate-many', `1 KiB, ${MANY} documents`, KIB, { documents: MANY }),
  plain('plain-128', '128 B, not compressed', 128),
  row('deflate-128', '128 B, one document', 128),
  row('deflate-128-many', `128 B, ${MANY} documents`, 128, { documents: MANY }),
  row('deflate-16384', '16 KiB, one document', 16 * KIB),
  row('deflate-16384-many', '16 KiB, 64 documents', 16 * KIB, { documents: 64 }),
  beside('deflate-beside', '4 MiB of JSON are echoed compressed'),
  beside('deflate-beside-paced', `${PACED} of these per second are, whatever the server`, {
    rate: PACED,
    shares: true,
  }),
  memory('memory-plain', 'memory, not compressed', { kind: 'text' }),
  memory('memory-limited', 'memory, takeover', { kind: 'deflate', deflate: { documents: MANY } }),
  memory('memory-unlimited', 'memory, takeover, no client_max_window_bits', {
    kind: 'deflate',
    deflate: { documents: MANY, offer: UNLIMITED },
  }),
  alone(
    memory('memory-alone', 'memory, no takeover', {
      kind: 'deflate',
      deflate: { documents: MANY, offer: ALONE, once: true },
    }),
  ),
]

const UWS = 'uWebSockets.js'

export const deflateGoals: readonly Goal[] = [
  against('deflate-one', UWS, 0.65),
  against('deflate-one', 'Bun', 0.65),
  against('deflate-one', 'ws', 0.13),
  against('deflate-alone', UWS, 0.85),
  against('deflate-alone', 'Bun', 0.85),
  against('deflate-alone', 'ws', 0.85),
  against('deflate-many', UWS, 0.5),
  against('deflate-many', 'uWS dedicated', 0.5),
  ours('deflate-128', 'plain-128', 1.25),
  against('deflate-16384', UWS, 0.6),
  against('deflate-16384-many', UWS, 0.6),
  against('deflate-beside', 'ws', 0.3),
  atMost('memory-limited', 24 * KIB),
  atMost('memory-unlimited', 52 * KIB),
  ours('memory-alone', 'memory-plain', 1.05),
]
