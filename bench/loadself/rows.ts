// What is asked of `millrace bench` itself: each row is measured in rounds, and says what it was to reach.
import { fileURLToPath } from 'node:url'
import { environmentOf } from '../client/engines.js'
import type { Opening, Traffic } from '../client/program.js'
import { LoadClient, type Round } from '../support/loadClient.js'
import type { MeasuredServer } from '../support/measuredServer.js'
import { Program } from '../support/talk.js'
import { otherP99 } from './other.js'

const CLIENT_CORE = 1
const CLIENT_PROGRAM = fileURLToPath(new URL('../client/program.js', import.meta.url))
const KIB = 1024

export interface Pace {
  readonly rounds: number
  readonly seconds: number
  readonly warmup: number
}

/** What was found: two figures, and how far they are from what was asked: at most `goal`. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly theirs: number
  readonly ratio: number
  readonly goal: number
}

export interface Row {
  readonly name: string
  measure(server: MeasuredServer, pace: Pace): Promise<Figure>
}

interface Shape {
  readonly size: number
  readonly pipeline?: number
  readonly rate?: number
  readonly connections?: number
}

/** As the command does it: messages have sequence numbers. */
function loadOf({ size, pipeline = 1, rate = 0, connections = 50 }: Shape, { seconds, warmup }: Pace) {
  const rest = { kind: 'binary', verify: false, sequence: true } as const
  return { connections, size, pipeline, rate, duration: seconds, warmup, ...rest }
}

/** Runs rounds of a load, and of something else by turns. */
async function rounds<Other>(
  server: MeasuredServer,
  shape: Shape,
  pace: Pace,
  other: () => Promise<Other>,
): Promise<{ readonly own: Round[]; readonly others: Other[] }> {
  const client = new LoadClient(CLIENT_CORE)
  const [own, others]: [Round[], Other[]] = [[], []]
  try {
    for (let round = 0; round < pace.rounds; round++) {
      if (round % 2 === 1) others.push(await other())
      own.push(await client.load(server, loadOf(shape, pace)))
      if (round % 2 === 0) others.push(await other())
    }
  } finally {
    client.stop()
  }
  return { own, others }
}

const nothing = (): Promise<void> => Promise.resolve()

/** The load client's CPU time as a share of the server's. */
const againstServer: Row = {
  name: '20 B × 64, client ÷ server',
  async measure(server, pace) {
    const { own } = await rounds(server, { size: 20, pipeline: 64 }, pace, nothing)
    const ours = Math.min(...own.map(({ client = 0 }) => client))
    const theirs = Math.min(...own.map(({ cpu }) => cpu))
    return { name: this.name, unit: 'µs per message', ours, theirs, ratio: ours / theirs, goal: 0.8 }
  },
}

/** The same as a share of what a client on ws takes, which masks in C. */
function againstWs(engine: 'ws' | 'ws with bufferutil'): Row {
  return {
    name: `20 B × 64, client ÷ ${engine}`,
    async measure(server, pace) {
      const program = new Program(CLIENT_CORE, CLIENT_PROGRAM, [engine], { environment: environmentOf(engine) })
      const traffic: Traffic = { size: 20, flight: 64, seconds: pace.seconds, warmup: pace.warmup }
      try {
        await program.ask('open', { url: server.url, connections: 50 } satisfies Opening)
        const shape = { size: 20, pipeline: 64 }
        const { own, others } = await rounds(server, shape, pace, () => program.ask<number>('round', traffic))
        const ours = Math.min(...own.map(({ client = 0 }) => client))
        const theirs = Math.min(...others)
        return { name: this.name, unit: 'µs per message', ours, theirs, ratio: ours / theirs, goal: 0.3 }
      } finally {
        await program.stop()
      }
    },
  }
}

/** How busy a server is kept by one process: of its core, the share that it uses. */
function busy(label: string, shape: Shape): Row {
  return {
    name: `server kept busy, ${label}`,
    async measure(server, pace) {
      const { own } = await rounds(server, shape, pace, nothing)
      const best = own.reduce((one, other) => (other.busy > one.busy ? other : one))
      const share = ((best.client ?? 0) / best.cpu) * best.busy
      return {
        name: this.name,
        unit: 'client, server',
        ours: share,
        theirs: best.busy,
        ratio: 0.95 / best.busy,
        goal: 1,
      }
    },
  }
}

/** How far the rate is from what was asked for. */
function exact(rate: number): Row {
  return {
    name: `open loop, ${rate.toLocaleString('en')} per second`,
    async measure(server, pace) {
      const { own } = await rounds(server, { size: 20, rate }, { ...pace, seconds: 3 * pace.seconds }, nothing)
      const near = own.map((round) => round.rate).reduce((a, b) => (Math.abs(a - rate) < Math.abs(b - rate) ? a : b))
      const off = Math.abs(near / rate - 1)
      return { name: this.name, unit: 'messages/s', ours: near, theirs: rate, ratio: off, goal: 0.01 }
    },
  }
}

/** How far its 99th percentile is from that of another load generator, by what it may differ: 20 %, or 0.2 ms. */
function agreement(path: string, label: string, shape: Shape): Row {
  return {
    name: `p99 as the other tells it, ${label}`,
    async measure(server, pace) {
      const load = loadOf(shape, { ...pace, seconds: 3 * pace.seconds })
      const longer = { ...pace, seconds: 3 * pace.seconds }
      const { own, others } = await rounds(server, shape, longer, () => otherP99(path, server.url, load))
      const ours = Math.min(...own.map(({ latency }) => latency?.p99 ?? Infinity))
      const theirs = Math.min(...others)
      const ratio = Math.abs(ours - theirs) / Math.max(0.2 * theirs, 200)
      return { name: this.name, unit: 'µs', ours, theirs, ratio, goal: 1 }
    },
  }
}

const tiers: readonly (readonly [label: string, shape: Shape])[] = [
  ['20 B × 16', { size: 20, pipeline: 16 }],
  ['20 B × 64', { size: 20, pipeline: 64 }],
  ['125 B × 16', { size: 125, pipeline: 16 }],
  ['126 B × 16', { size: 126, pipeline: 16 }],
  ['1 KiB × 16', { size: KIB, pipeline: 16 }],
  ['16 KiB × 16', { size: 16 * KIB, pipeline: 16 }],
  ['65,535 B × 16', { size: 64 * KIB - 1, pipeline: 16, connections: 10 }],
  ['65,536 B × 16', { size: 64 * KIB, pipeline: 16, connections: 10 }],
  ['1 MiB × 16', { size: KIB * KIB, pipeline: 16, connections: 4 }],
]

/** The rows; those about another load generator only where there is one. */
export function rowsWith(other: string): readonly Row[] {
  const agreeing =
    other === ''
      ? []
      : [
          agreement(other, '20 B × 1', { size: 20 }),
          agreement(other, '1 KiB × 16', { size: KIB, pipeline: 16 }),
          agreement(other, '20 B at 1,000 per second', { size: 20, rate: 1000 }),
          agreement(other, '20 B at 10,000 per second', { size: 20, rate: 10_000 }),
        ]
  return [
    againstServer,
    againstWs('ws'),
    againstWs('ws with bufferutil'),
    ...tiers.map(([label, shape]) => busy(label, shape)),
    ...[1000, 10_000, 50_000].map(exact),
    ...agreeing,
  ]
}
