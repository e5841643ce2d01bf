// npm run bench -- SUITE: all benchmarks, each by its name. Without a name: the comparison with all peers, which are
// installed first.
import { spawnSync } from 'node:child_process'
import { runSuite, type Suite } from './support/suite.js'

/** What the help text says of each suite, and where it is: a suite is loaded when it is to run. */
const suites: Readonly<Record<string, readonly [about: string, load: () => Promise<Suite>]>> = {
  peers: [
    'whole servers: millrace against ws, uWebSockets.js, Bun and a floor in C',
    async () => (await import('./comparison/suite.js')).suite,
  ],
  ab: ['one built checkout against another, row by row', async () => (await import('./ab/suite.js')).suite],
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
  return runSuite(name, await found[1](), args)
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
