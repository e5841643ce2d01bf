// What is asked of the client next to ws: what one round of a row is, and what it gives.
import type { Program } from '../support/talk.js'
import type { Opening, Traffic } from './program.js'

export interface Row {
  readonly name: string
  readonly unit: 'µs per message' | 'bytes per connection'
  /** The most that it may be of what ws takes without bufferutil. */
  readonly goal: number
  /** Connections that are held while it is measured; 0 where each round opens its own. */
  readonly connections: number
  /** Each round has a process of its own, which has opened nothing. */
  readonly fresh: boolean
  round(client: Program, url: string, pace: Pace): Promise<number>
}

export interface Pace {
  readonly rounds: number
  readonly seconds: number
  readonly warmup: number
  /** Whether a process exchanges some thousand messages before its first round. */
  readonly warm: boolean
  /** Connections of the row that is about connections. */
  readonly connections: number
}

const KIB = 1024
/** Connections that warm a process whose memory is measured. */
const FIRST = 500

interface Echo {
  readonly connections: number
  /** Messages that warm a process. */
  readonly warming: number
  readonly flight?: number
}

/** So many connections that the process is busy: what is measured is its work, and not that it is woken up. */
function echo(name: string, size: number, goal: number, { connections, warming, flight = 1 }: Echo): Row {
  return {
    name,
    unit: 'µs per message',
    goal,
    connections,
    fresh: false,
    round(client, _, { seconds, warmup, warm }) {
      const warmMessages = warm ? warming : 0
      return client.ask<number>('round', { size, flight, seconds, warmup, warmMessages } satisfies Traffic)
    },
  }
}

const idle: Row = {
  name: 'idle connection',
  unit: 'bytes per connection',
  goal: 0.5,
  connections: 0,
  fresh: true,
  async round(client, url, { connections }) {
    const opened = async (count: number): Promise<number> => {
      await client.ask('open', { url, connections: count } satisfies Opening)
      return client.ask<number>('resident')
    }
    const before = await opened(FIRST)
    const after = await opened(connections)
    return Math.max(0, after - before) / connections
  },
}

export const rows: readonly Row[] = [
  echo('125 B × 1', 125, 0.5, { connections: 32, warming: 20_000 }),
  echo('125 B × 64', 125, 0.1, { connections: 8, flight: 64, warming: 20_000 }),
  echo('64 KiB', 64 * KIB, 0.08, { connections: 8, warming: 6000 }),
  echo('1 MiB', KIB * KIB, 0.15, { connections: 4, warming: 500 }),
  idle,
]
