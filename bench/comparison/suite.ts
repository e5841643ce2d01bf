// npm run bench: compares millrace with its peers on this machine, and writes what it saw.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { allPeers, availablePeers, type PeerName } from '../support/peers.js'
import { type Choice, type Circumstances, type Found, paceOf, pacing, type Suite } from '../support/suite.js'
import { pageOf } from './page.js'
import type { Results, Row } from './results.js'
import { Rounds } from './rounds.js'
import { textOf } from './table.js'
import { type Workload, workloads } from './workloads.js'

export const suite: Suite = {
  about:
    'The peers are installed by npm run bench:install; npm run bench installs them, and compares with all of them.',
  options: {
    only: { type: 'string', value: 'PATTERN', help: 'only rows whose id matches this regular expression' },
    peers: { type: 'string', value: 'NAMES', help: 'only these servers, separated by commas' },
    ...pacing(5, 0.6),
    json: { type: 'string', value: 'FILE', default: 'build/bench.json', help: 'writes every round there' },
    html: { type: 'string', value: 'FILE', default: 'build/bench.html', help: 'writes a page with charts there' },
  },
  run,
}

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The quick run proves that everything works; its figures say nothing. */
function shrink(workload: Workload): Workload {
  const connections = Math.min(workload.connections ?? workload.load?.connections ?? 1, 50)
  return {
    ...workload,
    connections,
    ...(workload.load === undefined
      ? {}
      : { load: { ...workload.load, connections, verify: workload.mode !== 'deflate' } }),
  }
}

function versions(): Record<string, string> {
  const found: Record<string, string> = { node: process.versions.node }
  const manifest = (path: string): { version: string } => JSON.parse(readFileSync(path, 'utf8'))
  found['millrace'] = manifest(`${root}package.json`).version
  const require = createRequire(`${root}bench/peers/package.json`)
  for (const name of ['ws', 'bufferutil', '@trufflesuite/uws-js-unofficial', 'bun']) {
    try {
      found[name] = manifest(require.resolve(`./node_modules/${name}/package.json`)).version
    } catch {
      found[name] = 'not installed'
    }
  }
  return found
}

async function run(choice: Choice, about: Circumstances): Promise<Found> {
  const missing: Partial<Record<PeerName, string>> = {}
  const pace = paceOf(choice, 0.25)
  const all = allPeers.map(({ name }) => name)
  const wanted = choice.names('peers', all)
  const rounds = new Rounds(
    availablePeers(
      all.filter((name) => wanted.includes(name)),
      (name, why) => {
        missing[name] = why
      },
    ),
    pace,
  )
  const chosen = workloads.filter(({ id }) => new RegExp(choice.text('only')).test(id))
  const rows: Row[] = []
  try {
    for (const [index, workload] of chosen.entries()) {
      const tell = (round: number, peer: PeerName): void =>
        progress(
          `[${index + 1}/${chosen.length}] ${workload.title}, round ${round + 1} of ${pace.rounds}: ${peer}`,
          round === 0 && peer === 'millrace',
        )
      rows.push(await rounds.measure(choice.quick ? shrink(workload) : workload, tell))
    }
  } finally {
    await rounds.stop()
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
  const figures = { versions: versions(), missing, rows }
  const results: Results = { ...about, ...figures }
  writeFileSync(choice.text('html'), pageOf(results))
  console.log(textOf(results))
  console.log(`\nEvery round: ${choice.text('json')}\nCharts:      ${choice.text('html')}`)
  const ok = rows.every(({ servers }) => Object.values(servers).every(({ problem }) => problem === undefined))
  return { figures, ok }
}

/** Where nobody looks at it now, a line for each row is enough. */
function progress(line: string, isFirst: boolean): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
  else if (isFirst) process.stderr.write(`${line}\n`)
}
