// What is measured: the rows of the comparison.
import type { LoadOptions } from '../../src/load/load.js'
import type { PayloadKind } from '../../src/load/payload.js'
import type { Mode } from '../support/peers.js'
import { tiers } from '../support/tiers.js'

export type Group = 'tiers' | 'content' | 'handshakes' | 'memory' | 'latency' | 'growth' | 'broadcast'

export interface Workload {
  readonly id: string
  readonly group: Group
  /** What a person reads. */
  readonly title: string
  /** What a round's `cpu` counts. */
  readonly unit: 'µs per message' | 'µs per delivery' | 'µs per handshake' | 'bytes per connection' | 'µs (p99)'
  /** What the servers are to do with messages. */
  readonly mode: Mode
  readonly load?: Omit<LoadOptions, 'url' | 'duration' | 'warmup'>
  /** Connections, where they are what is measured. */
  readonly connections?: number
}

function echo(group: Group, id: string, title: string, connections: number, size: number, rest = {}): Workload {
  const load = { connections, size, pipeline: 1, kind: 'binary' as PayloadKind, verify: false, rate: 0, ...rest }
  return { id, group, title, unit: 'µs per message', mode: load.kind === 'deflate' ? 'deflate' : 'plain', load }
}

/** Ten connections keep a server busy with large messages; fifty are needed for small ones. */
function connectionsFor(size: number): number {
  if (size >= 1 << 24) return 2
  return size >= 1 << 16 ? 10 : 50
}

const lengths = tiers.flatMap(({ length: size, label }) => {
  const pipelines = size <= 1024 ? [1, 16, 64] : size <= 16_384 ? [1, 16] : [1]
  return pipelines
    .filter((pipeline) => pipeline === 1 || [16, 125, 1024, 16_384].includes(size))
    .map((pipeline) =>
      echo('tiers', `${size}x${pipeline}`, `${label}, ${pipeline} in flight`, connectionsFor(size), size, { pipeline }),
    )
})

const content = (['text', 'utf8', 'deflate'] as const).map((kind) => {
  const title = { text: 'ASCII text', utf8: 'multi-byte text', deflate: 'permessage-deflate' }[kind]
  return echo('content', `${kind}-1024`, `1 KiB, ${title}`, 50, 1024, { kind })
})

const growth = [10, 100, 1000, 10_000].map((connections) =>
  echo(
    'growth',
    `growth-${connections}`,
    `125 B over ${connections.toLocaleString('en')} connections`,
    connections,
    125,
  ),
)

/** One of the connections publishes to all of them, in batches. */
const broadcasts = [1, 16].map((pipeline): Workload => {
  const title = `125 B broadcast to 1,000, ${pipeline} in flight`
  const row = echo('broadcast', `broadcast-1000x${pipeline}`, title, 1000, 125, { pipeline })
  return { ...row, unit: 'µs per delivery', mode: 'broadcast' }
})

const handshakes: Workload = {
  id: 'handshakes',
  group: 'handshakes',
  title: 'opening handshake',
  unit: 'µs per handshake',
  mode: 'plain',
  connections: 4000,
}

const idle = [1000, 10_000].map((connections): Workload => {
  const title = `idle connection, of ${connections.toLocaleString('en')}`
  return { id: `idle-${connections}`, group: 'memory', title, unit: 'bytes per connection', mode: 'plain', connections }
})

export const workloads: readonly Workload[] = [
  ...lengths,
  ...content,
  handshakes,
  ...idle,
  {
    ...echo('latency', 'latency-16MiB', '125 B at 1,000 per second, while 16 MiB messages stream', 10, 125, {
      rate: 1000,
    }),
    unit: 'µs (p99)',
  },
  ...growth,
  ...broadcasts,
]

/** The other load of the latency row: connections that echo large messages without pause. */
export const streams: Omit<LoadOptions, 'url' | 'duration' | 'warmup'> = {
  connections: 4,
  size: 1 << 24,
  pipeline: 1,
  kind: 'binary',
  verify: false,
  rate: 0,
}
