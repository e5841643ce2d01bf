// npm run bench -- load: latency and throughput of whole servers as autocannon sees them, one message in flight for each
// of its connections.
import { canPin, pinThisProcess } from '../support/process.js'
import { startEchoServer } from '../support/serverProcess.js'
import { type Choice, type Found, measuring, type Suite } from '../support/suite.js'
import { textTable } from '../support/table.js'
import { type AutocannonRun, autocannonRun, FULL, QUICK, type Target } from './autocannonRun.js'
import { echoTargets, handshakeTarget, httpTargets } from './targets.js'

export const suite: Suite = {
  options: {
    ...measuring,
    only: { type: 'string', value: 'TEXT', help: 'only targets whose name contains it' },
    url: { type: 'string', value: 'URL', help: 'an echo server that runs already; nothing is pinned to a core then' },
  },
  run,
}

const HEADING = ['', '', 'answers/s', 'MB/s', 'p50 µs', 'p97.5 µs', 'p99 µs', 'max µs', 'failures']
const CLIENT_CORE = 1

async function run(choice: Choice): Promise<Found> {
  const given = choice.text('url')
  const server = given === '' ? await startEchoServer() : undefined
  const url = new URL(server?.url ?? given)
  const pinned = server !== undefined && canPin
  if (pinned) pinThisProcess(CLIENT_CORE)
  const all: readonly Target[] = [...echoTargets(url), ...httpTargets(url), handshakeTarget(url)]
  const runs: AutocannonRun[] = []
  try {
    for (const target of all.filter(({ name }) => name.includes(choice.text('only')))) {
      runs.push(choice.quick ? await glance(target) : await autocannonRun(target, FULL))
    }
  } finally {
    await server?.stop()
  }
  const where = pinned ? `server on core 0, client on core ${CLIENT_CORE}` : 'not pinned'
  console.log([`${url.href}, ${where}`, ...textTable([HEADING, ...runs.map(cells)])].join('\n'))
  return { figures: { runs }, ok: runs.every(({ answers, failures }) => answers > 0 && failures === 0) }
}

/** On a busy machine nothing may be answered in a fraction of a second: then it takes longer. */
async function glance(target: Target): Promise<AutocannonRun> {
  const found = await autocannonRun(target, QUICK)
  return found.answers > 0 || found.failures > 0 ? found : autocannonRun(target, FULL)
}

function cells(run: AutocannonRun): string[] {
  const { name, connections, answersPerSecond, megabytesPerSecond, latency, failures } = run
  const { p50, p97_5, p99, max } = latency
  const figures = [answersPerSecond, megabytesPerSecond, p50, p97_5, p99, max, failures]
  return [name, `${connections} connections`, ...figures.map((figure) => Math.round(figure).toLocaleString('en'))]
}
