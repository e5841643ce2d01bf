// npm run bench: compares millrace with its peers on this machine, and writes what it saw.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, type as osType, version as osVersion, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Arena, type Pace } from './measure.js'
import { pageOf } from './page.js'
import { allPeers, type Peer, type PeerName } from './peers.js'
import { canPin } from './process.js'
import type { Results, Row } from './results.js'
import { textTable } from './table.js'
import { type Workload, workloads } from './workloads.js'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.6' },
    only: { type: 'string', default: '' },
    peers: { type: 'string', default: '' },
    json: { type: 'string', default: 'build/bench.json' },
    html: { type: 'string', default: 'build/bench.html' },
  },
})

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The quick run proves that everything works; its figures say nothing. */
const pace: Pace = values.quick
  ? { rounds: 1, seconds: 0.1, warmup: 0.05 }
  : { rounds: Number(values.rounds), seconds: Number(values.seconds), warmup: 0.25 }

function shrink(workload: Workload): Workload {
  if (!values.quick) return workload
  const connections = Math.min(workload.connections ?? workload.load?.connections ?? 1, 50)
  return {
    ...workload,
    connections,
    ...(workload.load === undefined
      ? {}
      : { load: { ...workload.load, connections, verify: workload.mode !== 'deflate' } }),
  }
}

/** The peers that can run here; why the others can't goes into `missing`. */
function available(missing: Partial<Record<PeerName, string>>): Peer[] {
  const wanted = values.peers === '' ? allPeers : allPeers.filter(({ name }) => values.peers.split(',').includes(name))
  return wanted.filter((peer) => {
    try {
      peer.prepare()
      return true
    } catch (error) {
      missing[peer.name] = error instanceof Error ? error.message : String(error)
      return false
    }
  })
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

async function compare(): Promise<Results> {
  const missing: Partial<Record<PeerName, string>> = {}
  const arena = new Arena(available(missing), pace)
  const chosen = workloads.filter(({ id }) => new RegExp(values.only).test(id))
  const rows: Row[] = []
  try {
    for (const [index, workload] of chosen.entries()) {
      rows.push(
        await arena.measure(shrink(workload), (round, peer) => progress(index, chosen.length, workload, round, peer)),
      )
    }
  } finally {
    await arena.stop()
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
  return {
    date: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memory: totalmem(),
      system: `${osType()} ${release()} ${osVersion()}`,
      pinned: canPin,
    },
    versions: versions(),
    missing,
    rows,
  }
}

function progress(index: number, of: number, { title }: Workload, round: number, peer: PeerName): void {
  const line = `[${index + 1}/${of}] ${title}, round ${round + 1} of ${pace.rounds}: ${peer}`
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
  else if (round === 0 && peer === 'millrace') process.stderr.write(`${line}\n`)
}

const results = await compare()
writeFileSync(values.json, JSON.stringify(results, undefined, 1))
writeFileSync(values.html, pageOf(results))
console.log(textTable(results))
console.log(`\nEvery round: ${values.json}\nCharts:      ${values.html}`)
const failed = results.rows.some(({ servers }) => Object.values(servers).some(({ problem }) => problem !== undefined))
process.exit(failed ? 1 : 0)
