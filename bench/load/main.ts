// npm run bench:load: latency and throughput of whole servers as autocannon sees them, one message in flight for each of
// its connections.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { table } from '../codec/report.js'
import { type EchoServer, startServer } from './server.js'
import { FULL, QUICK, type Shot, shoot, type Target } from './shoot.js'
import { echoTargets, handshakeTarget, httpTargets } from './targets.js'

const HELP = `npm run bench:load -- [--quick] [--json FILE] [--url ws://127.0.0.1:9001/]
  --quick      a fraction of a second each: proves that each works, measures little
  --json FILE  writes all figures there
  --url URL    an echo server that runs already; it is not pinned to a core, nor is this process`

const HEADING = ['', '', 'answers/s', 'MB/s', 'p50 µs', 'p97.5 µs', 'p99 µs', 'max µs', 'failures']

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    url: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) console.log(HELP)
else await run(values.quick, values.url, values.json)

async function run(quick: boolean, url: string | undefined, file: string | undefined): Promise<void> {
  const server: EchoServer =
    url === undefined
      ? await startServer()
      : { url: new URL(url), cores: undefined, close: async (): Promise<void> => undefined }
  try {
    const shots = await shootAll(server.url, quick)
    console.log(reportOf(server, shots))
    const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', cores: server.cores ?? null }
    if (file !== undefined) writeFileSync(file, `${JSON.stringify({ quick, machine, shots }, null, 2)}\n`)
    if (shots.some(({ answers, failures }) => answers === 0 || failures > 0)) process.exitCode = 1
  } finally {
    await server.close()
  }
}

async function shootAll(url: URL, quick: boolean): Promise<Shot[]> {
  const shots: Shot[] = []
  const all: readonly Target[] = [...echoTargets(url), ...httpTargets(url), handshakeTarget(url)]
  for (const target of all) shots.push(quick ? await glance(target) : await shoot(target, FULL))
  return shots
}

/** On a busy machine nothing may be answered in a fraction of a second: then it takes longer. */
async function glance(target: Target): Promise<Shot> {
  const shot = await shoot(target, QUICK)
  return shot.answers > 0 || shot.failures > 0 ? shot : shoot(target, FULL)
}

function reportOf({ url, cores }: EchoServer, shots: readonly Shot[]): string {
  const where = cores === undefined ? 'not pinned' : `server on core ${cores[0]}, client on core ${cores[1]}`
  const rows = shots.map(({ name, connections, answersPerSecond, megabytesPerSecond, latency, failures }) => [
    name,
    `${connections} connections`,
    ...[answersPerSecond, megabytesPerSecond, latency.p50, latency.p97_5, latency.p99, latency.max, failures].map(
      (figure) => Math.round(figure).toLocaleString('en'),
    ),
  ])
  return [`${url.href}, ${where}`, ...table([HEADING, ...rows])].join('\n')
}
