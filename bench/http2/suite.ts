// npm run bench -- http2: what WebSockets cost a server over HTTP/2, as a share of what they cost over HTTP/1.1.
import { fileURLToPath } from 'node:url'
import { connect } from '../../src/client.js'
import { cert } from '../../test/support/certificate.js'
import { LoadClient } from '../support/loadClient.js'
import { MeasuredServer } from '../support/measuredServer.js'
import { chosenOf, measured, only, reached } from '../support/rows.js'
import { type Choice, type Found, type Pace, paceOf, pacing, type Suite } from '../support/suite.js'
import { roundedTo } from '../support/table.js'
import { MEMORY_CONNECTIONS, type Row, rows } from './rows.js'

const CLIENT_CORE = 1
const ROUNDS = 9
const SERVER = fileURLToPath(new URL('./server.js', import.meta.url))

/** The versions of HTTP, by turns. */
const VERSIONS = ['1.1', '2'] as const
type Version = (typeof VERSIONS)[number]

interface Compared extends Pick<Row, 'name' | 'goal'> {
  readonly unit: string
  readonly http1: number
  readonly http2: number
  readonly ratio: number
}

export const suite: Suite = {
  about: `One server for each version of HTTP, by turns: that of HTTP/1.1 by the public API alone, that of HTTP/2 as it is by default. A figure is the least of all rounds: CPU time
of the server per message, there and back, or memory. Exits with 1 if a ratio is above its goal.
The rows: ${rows.map(({ name }) => name).join('; ')}.`,
  options: {
    only,
    ...pacing(ROUNDS, 0.3),
  },
  run,
}

const HEAD = ['', '', 'HTTP/1.1', 'HTTP/2', 'ratio', 'asked', 'verdict']

async function run(choice: Choice): Promise<Found> {
  const pace = paceOf(choice, 0.15)
  const chosen = chosenOf(choice, rows)
  const found = await measured(chosen, { head: HEAD, lineOf }, (row) => compare(row, pace))
  return { figures: { pace, rows: found }, ok: reached(choice, found) }
}

async function compare(row: Row, pace: Pace): Promise<Compared> {
  const figures = row.echo === undefined ? await memories(row, pace) : await costs(row, row.echo, pace)
  const [http1, http2] = VERSIONS.map((version) => Math.min(...figures[version])) as [number, number]
  const unit = row.echo === undefined ? 'KiB' : 'µs per message'
  return { name: row.name, goal: row.goal, unit, http1, http2, ratio: http2 / http1 }
}

/** CPU time per message, in microseconds. */
async function costs(
  { secure }: Row,
  echo: NonNullable<Row['echo']>,
  { rounds, seconds, warmup }: Pace,
): Promise<Record<Version, number[]>> {
  const figures: Record<Version, number[]> = { '1.1': [], '2': [] }
  const client = new LoadClient(CLIENT_CORE)
  const servers = await Promise.all(VERSIONS.map((version) => open(version, secure)))
  const load = { ...echo, duration: seconds, warmup, kind: 'binary', verify: false, rate: 0 } as const
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [at, version] of VERSIONS.entries()) {
        const server = servers[at]
        if (server === undefined) continue
        const target = secure ? { ...server, pid: server.pid, url: server.url.replace('ws:', 'wss:') } : server
        const { cpu, rate } = await client.load(target as MeasuredServer, { ...load, http2: version === '2' })
        // In a short round on a busy machine, a server may get no time at all: that it cost nothing is no figure.
        if (rate > 0) figures[version].push(cpu)
      }
    }
  } finally {
    client.stop()
    await Promise.all(servers.map((server) => server.stop()))
  }
  return figures
}

/** Memory of connections that say nothing, in KiB together. */
async function memories({ secure }: Row, { rounds }: Pace): Promise<Record<Version, number[]>> {
  const figures: Record<Version, number[]> = { '1.1': [], '2': [] }
  for (let round = 0; round < rounds; round++) {
    for (const version of VERSIONS) {
      const server = await open(version, secure)
      try {
        figures[version].push(await memoryOf(server, version))
      } finally {
        await server.stop()
      }
    }
  }
  return figures
}

/** The first connections pay for code that is loaded and compiled, so what is measured are those that come after them. */
async function memoryOf(server: MeasuredServer, version: Version): Promise<number> {
  const url = server.url.replace('ws:', 'wss:')
  const options = { http2: version === '2', tls: { ca: cert } }
  const opened = (): Promise<unknown> =>
    Promise.all(Array.from({ length: MEMORY_CONNECTIONS }, () => connect(url, options)))
  await opened()
  await server.resident()
  const before = await server.resident()
  await opened()
  await server.resident()
  return ((await server.resident()) - before) / 1024
}

function open(version: Version, secure: boolean): Promise<MeasuredServer> {
  return MeasuredServer.open(SERVER, [version, secure ? 'tls' : 'plain'])
}

function lineOf({ name, unit, http1, http2, ratio, goal }: Compared): string[] {
  const asked = goal === Infinity ? ['', 'reported'] : [`≤ ${goal}`, ratio <= goal ? 'ok' : 'MORE']
  return [name, unit, roundedTo(http1, 3, 2), roundedTo(http2, 3, 2), ratio.toFixed(3), ...asked]
}
