// npm run bench:attacks: what peers that misbehave can make a server do and hold, and how long an honest one waits beside.
import { resolve } from 'node:path'
import { publish, root } from '../support/publish.js'
import { type Choice, type Circumstances, type Found, paceOf, pacing, type Suite } from '../support/suite.js'
import type { Attack } from './attack.js'
import { catalogue } from './catalogue.js'
import { holdingOf } from './holding.js'
import { manyOf } from './many.js'
import type { Pace } from './processes.js'
import {
  BOUNDS,
  broken,
  GUIDE,
  least,
  type ManyRow,
  manyTableOf,
  type Results,
  type Row,
  sectionOf,
  tableOf,
} from './report.js'
import { waitingBeside } from './waiting.js'

const names = catalogue.map(({ name }) => name)

export const suite: Suite = {
  about: `Exits with 1 if somebody waits longer than promised (${BOUNDS.one} ms beside one connection, ${BOUNDS.many} ms beside more), or if
something is held for ever.
The attacks: ${names.join(', ')}.`,
  options: {
    ...pacing(9, 0.7),
    json: { type: 'string', value: 'FILE', default: 'build/attacks.json', help: 'writes all figures there' },
    only: {
      type: 'string',
      value: 'NAMES',
      help: 'attacks, separated by commas; `many` is the thousand attackers alone, `one` all but those',
    },
    checkout: { type: 'string', value: 'DIR', help: 'the built checkout whose server is attacked. Default: this one' },
    publish: { type: 'boolean', help: 'puts the tables into docs/limits.md' },
  },
  run,
}

/** Those that are tried alone, and those that are tried a thousand at once. */
function chosen(choice: Choice): { readonly one: readonly Attack[]; readonly many: readonly Attack[] } {
  const only = choice.text('only')
  const wanted = only === 'one' || only === 'many' ? names : choice.names('only', names, 'attack')
  const attacks = catalogue.filter(({ name }) => wanted.includes(name))
  const many = attacks.filter((attack) => attack.many === true)
  return { one: only === 'many' ? [] : attacks, many: only === 'one' ? [] : many }
}

/** What an attack makes the server hold is seen a minute later: those measurements end beside others. */
async function measureEach(attacks: readonly Attack[], checkout: string, pace: Pace): Promise<Row[]> {
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

async function measureMany(attacks: readonly Attack[], checkout: string, pace: Pace): Promise<ManyRow[]> {
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

async function run(choice: Choice, about: Circumstances): Promise<Found> {
  const checkout = resolve(choice.text('checkout') || root)
  const pace: Pace = { ...paceOf(choice, 0, 0.2), patience: choice.quick ? 3000 : 12_000 }
  const { one, many } = chosen(choice)
  const rows = await measureEach(one, checkout, pace)
  const figures = { rows, many: await measureMany(many, checkout, pace) }
  const results: Results = { ...about, ...figures }
  console.log(`${tableOf(results)}\n\n${manyTableOf(results)}`)
  if (choice.flag('publish')) publish(sectionOf(results), GUIDE)
  const faults = pace.quick ? [] : broken(results)
  if (faults.length > 0) console.log(`\nnot as promised:\n${faults.join('\n')}`)
  return { figures, ok: faults.length === 0 }
}
