// npm run bench -- SUITE: all benchmarks, each by its name. Without a name: the comparison with all peers, which are
// installed first.
import { spawnSync } from 'node:child_process'
import { runSuite, type Suite } from './support/suite.js'

/** What the help text says of each suite, and where it is: a suite is loaded when it is to run. */
const suites: Readonly<Record<string, readonly [about: string, load: () => Promise<{ readonly suite: Suite }>]>> = {
  peers: [
    'whole servers: millrace next to ws, uWebSockets.js, Bun and a floor in C',
    () => import('./comparison/suite.js'),
  ],
  table: [
    'what is asked of each row, and what it reaches, in a quarter of an hour',
    () => import('./comparison/goalSuite.js'),
  ],
  deflate: ['compressed messages: the goals, and the bytes on the wire', () => import('./comparison/deflateSuite.js')],
  compare: ['what has become slower between two runs of it', () => import('./comparison/compare.js')],
  publish: ['puts the last run of it into the README', () => import('./comparison/publish.js')],
  codec: ['the codec alone, step by step', () => import('./codec/suite.js')],
  load: ['latency and throughput, driven by autocannon', () => import('./load/suite.js')],
  large: ['messages of the 64-bit tier', () => import('./large/suite.js')],
  attacks: ['what peers that misbehave can make a server do and hold', () => import('./attacks/suite.js')],
  ws: ['the same program on ws and on millrace/ws', () => import('./ws/suite.js')],
  client: ['what a client takes with millrace, ws and undici', () => import('./client/suite.js')],
  loadself: [
    'what the load client itself takes, and whether its figures are right',
    () => import('./loadself/suite.js'),
  ],
  http2: ['what WebSockets cost a server over HTTP/2', () => import('./http2/suite.js')],
  topics: ['what a history of topics costs, and how quickly many come back', () => import('./topics/suite.js')],
  counters: ['what counting messages takes of an echo', () => import('./counters/suite.js')],
  ab: ['whether one built checkout takes more than another', () => import('./ab/suite.js')],
}

const HELP = `npm run bench -- SUITE [options]; npm run bench -- SUITE --help lists the options
${Object.entries(suites)
  .map(([name, [about]]) => `  ${name.padEnd(9)} ${about}`)
  .join('\n')}`

async function main(args: readonly string[]): Promise<number> {
  const [name = ''] = args
  if (name === '--help' || name === '-h') {
    console.log(HELP)
    return 0
  }
  if (name === '' || name.startsWith('-')) return install() || run('peers', args)
  return run(name, args.slice(1))
}

async function run(name: string, args: readonly string[]): Promise<number> {
  const found = suites[name]
  if (found === undefined) throw new Error(`there is no suite ${name}\n${HELP}`)
  const { suite } = await found[1]()
  return runSuite(name, suite, args)
}

/** Returns npm's exit code. */
function install(): number {
  const { status } = spawnSync('npm', ['run', 'bench:install'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  return status ?? 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
