// The rows of an A/B comparison: what is done to a server in one round, and what that round gives.
import { setTimeout as wait } from 'node:timers/promises'
import type { LoadOptions } from '../../src/load/load.js'
import type { LoadClient } from '../support/loadClient.js'
import type { MeasuredServer } from '../support/measuredServer.js'
import type { Mode } from './target.js'

/** How long, and how much, is measured in a round. */
export interface Pace {
  readonly rounds: number
  /** How often the servers are started anew in these rounds. */
  readonly generations: number
  /** Rounds of each generation before those that count, for the compiler of the server's JavaScript. */
  readonly warming: number
  readonly seconds: number
  /** Connections of the rows that are about connections. */
  readonly connections: number
  readonly subscribers: number
}

export interface Row {
  readonly name: string
  readonly unit: 'µs per message' | 'µs per delivery' | 'µs per handshake' | 'bytes per connection'
  readonly mode: Mode
  /** Each round has a server of its own, which nobody has used. */
  readonly fresh: boolean
  round(server: MeasuredServer, client: LoadClient, pace: Pace): Promise<number>
}

const KIB = 1024
const WARMUP = 0.15
/** How long a server may take to forget connections that have ended, in milliseconds. */
const SETTLE = 200
/** Handshakes that warm a server whose memory is measured. */
const FIRST = 50

type Echo = Partial<Pick<LoadOptions, 'pipeline' | 'kind'>>

function echo(name: string, size: number, { pipeline = 1, kind = 'binary' }: Echo = {}): Row {
  const load = { connections: 1, size, pipeline, kind, verify: false, rate: 0, warmup: WARMUP }
  return {
    name,
    unit: 'µs per message',
    mode: 'echo',
    fresh: false,
    round: async (server, client, { seconds }) => (await client.load(server, { ...load, duration: seconds })).cpu,
  }
}

const publish: Row = {
  name: 'publish to 1,000',
  unit: 'µs per delivery',
  mode: 'publish',
  fresh: false,
  async round(server, client, { seconds, subscribers: connections }) {
    const load = { connections, size: 125, pipeline: 1, kind: 'binary', verify: false, rate: 0 } as const
    return (await client.load(server, { ...load, duration: seconds, warmup: WARMUP }, 'broadcast')).cpu
  },
}

/** The first handshakes of a server, or those of one that has seen many: a tenth of a second each time, so three times. */
function handshake(name: string, fresh: boolean): Row {
  return {
    name,
    unit: 'µs per handshake',
    mode: 'echo',
    fresh,
    async round(server, client, { connections }) {
      const figures: number[] = []
      for (let time = 0; time < (fresh ? 1 : 3); time++) {
        figures.push((await client.handshakes(server, connections)).cpu)
        await client.release()
        await wait(SETTLE)
      }
      return Math.min(...figures)
    },
  }
}

const idle: Row = {
  name: 'idle memory',
  unit: 'bytes per connection',
  mode: 'echo',
  fresh: true,
  async round(server, client, { connections }) {
    await client.handshakes(server, FIRST)
    await wait(SETTLE)
    const before = await server.resident()
    await client.handshakes(server, connections)
    await wait(SETTLE)
    const after = await server.resident()
    await client.release()
    return Math.max(0, after - before) / connections
  },
}

export const rows: readonly Row[] = [
  echo('20 B × 1', 20),
  echo('20 B × 64', 20, { pipeline: 64 }),
  echo('1 KiB text', KIB, { kind: 'text' }),
  echo('64 KiB', 64 * KIB),
  echo('1 MiB', KIB * KIB),
  publish,
  handshake('handshake, cold', true),
  handshake('handshake, warm', false),
  idle,
]
