// npm run bench:attacks: what peers that misbehave can make a server do and hold, and how long an honest one waits beside.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { canPin } from '../support/process.js'
import type { Attack } from './attack.js'
import { attackOf, catalogue } from './catalogue.js'
import { holdingOf } from './holding.js'
import { manyOf } from './many.js'
import { publish } from './publish.js'
import { BOUNDS, broken, least, type ManyRow, manyTableOf, type Results, type Row, tableOf } from './report.js'
import { waitingBeside } from './waiting.js'
import type { Pace } from './yard.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const HELP = `npm run bench:attacks -- [--quick] [--json FILE] [--only NAMES] [--checkout DIR] [--rounds N] [--seconds N] [--publish]
  --quick         a fraction of everything: proves that it works, measures nothing
  --json FILE     writes all figures there. Default build/attacks.json
  --only NAMES    attacks, separated by commas; \`many\` is the thousand attackers alone, \`one\` all but those
  --checkout DIR  the built checkout whose server is attacked. Default: this one
  --rounds N      of each attack; the least disturbed one counts. Default 9
  --seconds N     of each round. Default 0.7
  --publish       puts the tables into docs/limits.md
Exits with 1 if somebody waits longer than promised (${BOUNDS.one} ms beside one connection, ${BOUNDS.many} ms beside more), or if
something is held for ever.
The attacks: ${catalogue.map(({ name }) => name).join(', ')}.`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: `${root}build/attacks.json` },
    only: { type: 'string', default: '' },
    checkout: { type: 'string', default: root },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '0.7' },
    publish: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const checkout = resolve(values.checkout)
const pace: Pace = values.quick
  ? { rounds: 1, seconds: 0.2, patience: 3000, quick: true }
  : { rounds: Number(values.rounds), seconds: Number(values.seconds), patience: 12_000, quick: false }

interface Choice {
  readonly one: readonly Attack[]
  readonly many: readonly Attack[]
}

function choose(only: string): Choice {
  const many = catalogue.filter((attack) => attack.many === true)
  if (only === '') return { one: catalogue, many }
  if (only === 'one') return { one: catalogue, many: [] }
  if (only === 'many') return { one: [], many }
  const chosen = only.split(',').map(attackOf)
  return { one: chosen, many: chosen.filter((attack) => attack.many === true) }
}

/** What an attack makes the server hold is seen a minute later: those measurements end beside others. */
async function measureEach(attacks: readonly Attack[]): Promise<Row[]> {
  const rows: Promise<Row>[] = []
  for (const [index, attack] of attacks.entries()) {
    const { name, title, count = 1 } = attack
    const waiting = await waitingBeside(attack, checkout, pace)
    const { done } = await holdingOf(attack, checkout, pace)
    const titled = count === 1 ? title : `${count.toLocaleString('en')} × ${title}`
    rows.push(done.then((holding) => ({ name, title: titled, connections: count, waiting, holding })))
    const [alone, beside] = [waiting.alone, waiting.beside].map((rounds) => least(rounds)?.toFixed(1))
    progress(`[${index + 1}/${attacks.length}] ${name}: ${beside} ms, alone ${alone} ms`)
  }
  return Promise.all(rows)
}

async function measureMany(attacks: readonly Attack[]): Promise<ManyRow[]> {
  const rows: Promise<ManyRow>[] = []
  for (const attack of attacks) {
    const { name, title } = attack
    const { done } = await manyOf(attack, checkout, pace)
    rows.push(done.then((many) => ({ name, title, many })))
    progress(`1,000 × ${name}`)
  }
  return Promise.all(rows)
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`)
}

async function run(): Promise<void> {
  const { one, many } = choose(values.only)
  const rows = await measureEach(one)
  const results: Results = {
    quick: pace.quick,
    date: new Date().toISOString(),
    machine: { node: process.version, cpu: cpus()[0]?.model ?? '', cores: cpus().length, pinned: canPin },
    rows,
    many: await measureMany(many),
  }
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`)
  console.log(`${tableOf(results)}\n\n${manyTableOf(results)}`)
  if (values.publish) publish(results)
  const faults = broken(results)
  if (pace.quick || faults.length === 0) return
  console.log(`\nnot as promised:\n${faults.join('\n')}`)
  process.exitCode = 1
}

if (values.help) console.log(HELP)
else await run()
