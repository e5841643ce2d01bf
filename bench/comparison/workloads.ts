// What is measured: the rows of the comparison.
import type { LoadOptions } from '../../src/load/load.js'
import type { LoadKind } from '../../src/load/payload.js'
import type { Mode, PeerName } from '../support/peers.js'
import { tiers } from '../support/tiers.js'

export type Group =
  | 'tiers'
  | 'content'
  | 'deflate'
  | 'handshakes'
  | 'memory'
  | 'memory in use'
  | 'latency'
  | 'growth'
  | 'broadcast'
  | 'import'

export type Unit =
  | 'µs per message'
  | 'µs per delivery'
  | 'µs per handshake'
  | 'µs per later handshake'
  | 'bytes per connection'
  | 'µs (p50)'
  | 'µs (p99)'
  | 'µs to import'

type Load = Omit<LoadOptions, 'url' | 'duration' | 'warmup'>

export interface Workload {
  readonly id: string
  readonly group: Group
  /** What a person reads. */
  readonly title: string
  /** What the row's figure is. */
  readonly unit: Unit
  /** What the servers are to do with messages. */
  readonly mode: Mode
  readonly load?: Load
  /** Another load that goes on meanwhile, and is not measured. */
  readonly beside?: Load
  /** Connections, where they are what is measured. */
  readonly connections?: number
  /** The peers that are compared. Default: those of the README's table. */
  readonly peers?: readonly PeerName[]
  /** Variants that take part besides those. */
  readonly also?: readonly PeerName[]
}

export function echo(group: Group, id: string, title: string, connections: number, size: number, rest = {}): Workload {
  const load = { connections, size, pipeline: 1, kind: 'binary' as LoadKind, verify: false, rate: 0, ...rest }
  return { id, group, title, unit: 'µs per message', mode: load.kind === 'deflate' ? 'deflate' : 'plain', load }
}

/** Ten connections keep a server busy with large messages; fifty are needed for small ones. */
export function connectionsFor(size: number): number {
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

const small = [1, 64].map((pipeline) =>
  echo('content', `20x${pipeline}`, `20 B, ${pipeline} in flight`, 50, 20, { pipeline }),
)

const content = (['text', 'utf8', 'deflate'] as const).map((kind) => {
  const title = { text: 'ASCII text', utf8: 'multi-byte text', deflate: 'permessage-deflate' }[kind]
  return echo('content', `${kind}-1024`, `1 KiB, ${title}`, 50, 1024, { kind })
})

/** Over TLS 1.3; the floor is a server of node:tls that looks at no payload. */
const secure = [1024, 65_536].map((size): Workload => {
  const row = echo(
    'content',
    `tls-${size}`,
    `${size / 1024} KiB over wss (floor: node:tls)`,
    connectionsFor(size),
    size,
  )
  return { ...row, mode: 'tls' }
})

/** The same server where Node's private API is missing, next to a server of node:net that looks at no payload. */
const publicApi = [125, 65_536].map((size): Workload => {
  const row = echo(
    'content',
    `public-${size}`,
    `${size} B, by the public API of Node.js (floor: node:net)`,
    connectionsFor(size),
    size,
  )
  return { ...row, mode: 'net', peers: ['floor', 'millrace', 'public API'] }
})

/** What a connection costs by itself is told apart from what Node's handle of it costs. */
const also: readonly PeerName[] = ['bare handle']

const growth = [10, 100, 1000, 8000, 10_000].map((connections): Workload => {
  const title = `125 B over ${connections.toLocaleString('en')} connections`
  return { ...echo('growth', `growth-${connections}`, title, connections, 125), also }
})

/** One of the connections publishes to all of them, in batches. */
const broadcasts = [1, 16].map((pipeline): Workload => {
  const title = `125 B broadcast to 1,000, ${pipeline} in flight`
  const row = echo('broadcast', `broadcast-1000x${pipeline}`, title, 1000, 125, { pipeline })
  return { ...row, unit: 'µs per delivery', mode: 'broadcast' }
})

/** Into a process that has had no connection, all kept open; and as many more after them. */
const handshakes = (['cold', 'warm'] as const).map((state): Workload => {
  const title = state === 'cold' ? 'opening handshake, the first 8,000' : 'opening handshake, the next 8,000'
  const unit = state === 'cold' ? 'µs per handshake' : 'µs per later handshake'
  return { id: `handshake-${state}`, group: 'handshakes', title, unit, mode: 'plain', connections: 8000 }
})

const idle = [1000, 8000, 10_000].map((connections): Workload => {
  const title = `idle connection, of ${connections.toLocaleString('en')}`
  return {
    id: `idle-${connections}`,
    group: 'memory',
    title,
    unit: 'bytes per connection',
    mode: 'plain',
    connections,
    also,
  }
})

/** Connections that echo large messages without pause. */
const streams: Load = { connections: 4, size: 1 << 24, pipeline: 1, kind: 'binary', verify: false, rate: 0 }

const latencies = (['p50', 'p99'] as const).flatMap((quantile): Workload[] => {
  const unit = `µs (${quantile})` as const
  const paced = (id: string, title: string): Workload => echo('latency', id, title, 10, 125, { rate: 1000 })
  const suffix = quantile === 'p99' ? '' : `-${quantile}`
  return [
    { ...paced(`paced-1000${suffix}`, '125 B at 1,000 per second'), unit },
    {
      ...paced(`latency-16MiB${suffix}`, '125 B at 1,000 per second, while 16 MiB messages stream'),
      unit,
      beside: streams,
    },
  ]
})

const importing: Workload = {
  id: 'import',
  group: 'import',
  title: 'a process that imports the library',
  unit: 'µs to import',
  mode: 'import',
}

export const workloads: readonly Workload[] = [
  ...lengths,
  ...small,
  ...content,
  ...secure,
  ...publicApi,
  ...handshakes,
  ...idle,
  ...latencies,
  ...growth,
  ...broadcasts,
  importing,
]
