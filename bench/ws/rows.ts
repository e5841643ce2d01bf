// What is asked of `millrace/ws` next to ws: what is done to a server in one round, and what that round gives.
import { setTimeout as wait } from 'node:timers/promises'
import type { LoadOptions } from '../../src/load/load.js'
import { connectionsFor } from '../comparison/workloads.js'
import type { LoadClient } from '../support/loadClient.js'
import type { MeasuredServer } from '../support/measuredServer.js'
import type { Mode, Place } from './target.js'

export interface Row {
  readonly name: string
  readonly unit: 'µs per message' | 'µs per delivery' | 'µs per handshake' | 'bytes per connection'
  readonly mode: Mode
  readonly place: Place
  /** The most that it may be of what ws takes. */
  readonly goal: number
  /** Each round has a server of its own, which nobody has used. */
  readonly fresh: boolean
  round(server: MeasuredServer, client: LoadClient, pace: Pace): Promise<number>
}

export interface Pace {
  readonly rounds: number
  readonly seconds: number
  /** Connections of the rows that are about connections. */
  readonly connections: number
}

const KIB = 1024
const WARMUP = 0.3
/** How long a server may take to forget connections that have ended, in milliseconds. */
const SETTLE = 200
/** Handshakes that warm a server whose memory is measured. */
const FIRST = 50

interface Echo extends Partial<Pick<LoadOptions, 'pipeline' | 'kind'>> {
  readonly mode?: Mode
}

function echo(
  name: string,
  size: number,
  goal: number,
  { pipeline = 1, kind = 'binary', mode = 'echo' }: Echo = {},
): Row {
  const load = { connections: connectionsFor(size), size, pipeline, kind, verify: false, rate: 0, warmup: WARMUP }
  return {
    name,
    unit: 'µs per message',
    mode,
    place: 'http',
    goal,
    fresh: false,
    round: async (server, client, { seconds }) => (await client.load(server, { ...load, duration: seconds })).cpu,
  }
}

/** One of the connections says something, and everyone is told. */
function room(connections: number, goal: number): Row {
  const load = { connections, size: 125, pipeline: 1, kind: 'binary', verify: false, rate: 0, warmup: WARMUP } as const
  return {
    name: `a frame to a room of ${connections.toLocaleString('en')}`,
    unit: 'µs per delivery',
    mode: 'room',
    place: 'http',
    goal,
    fresh: false,
    round: async (server, client, { seconds }) =>
      (await client.load(server, { ...load, duration: seconds }, 'broadcast')).cpu,
  }
}

function handshake(place: Place, goal: number): Row {
  return {
    name: `handshake, ${place}`,
    unit: 'µs per handshake',
    mode: 'echo',
    place,
    goal,
    fresh: false,
    async round(server, client, { connections }) {
      const { cpu } = await client.handshakes(server, connections)
      await client.release()
      await wait(SETTLE)
      return cpu
    },
  }
}

function idle(place: Place, goal: number): Row {
  return {
    name: `idle connection, ${place}`,
    unit: 'bytes per connection',
    mode: 'echo',
    place,
    goal,
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
}

export const rows: readonly Row[] = [
  echo('20 B × 1', 20, 0.5),
  echo('20 B × 64', 20, 0.2, { pipeline: 64 }),
  echo('20 B with a callback', 20, 0.6, { mode: 'callback' }),
  echo('1 KiB text', KIB, 0.6, { kind: 'text', mode: 'text' }),
  echo('64 KiB', 64 * KIB, 0.5),
  echo('1 MiB', KIB * KIB, 0.5),
  echo('1 KiB JSON, compressed', KIB, 0.2, { kind: 'deflate', mode: 'deflate' }),
  room(1000, 0.5),
  handshake('http', 0.9),
  handshake('port', 0.7),
  idle('http', 1),
  idle('port', 0.7),
]
