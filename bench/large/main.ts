// npm run bench:large: what millrace does with messages of the 64-bit tier, next to its peers, and the figures that set
// the defaults of the option `large`.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { canPin } from '../support/process.js'
import { writeCharts } from './charts.js'
import { crossover, poolSettings } from './crossover.js'
import { echoing } from './echoing.js'
import { parsing } from './parsing.js'
import { peak } from './peak.js'
import { met, type Pace, type Section, textOf } from './section.js'
import { streamedIn, streamedOut } from './streaming.js'

const HELP = `npm run bench:large -- [--quick] [--json FILE] [--only NAMES] [--rounds N] [--seconds N] [--charts]
  --quick       a fraction of everything: proves that it works, measures nothing
  --json FILE   writes all figures there
  --only NAMES  of echoing, parsing, peak, streamed-in, streamed-out, crossover, settings; separated by commas
  --rounds N    of each figure, the servers by turns; the least disturbed one counts. Default 3
  --seconds N   of each round. Default 0.6
  --charts      draws the curves of the crossover into docs/charts
The peers are installed by npm run bench:install. Exits with 1 if a figure that was to be reached was not.`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '0.6' },
    charts: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const pace: Pace = values.quick
  ? { rounds: 1, seconds: 0.1, warmup: 0.05, quick: true }
  : { rounds: Number(values.rounds), seconds: Number(values.seconds), warmup: 0.15, quick: false }

async function curves(): Promise<Section> {
  const section = await crossover(pace)
  if (values.charts) console.log(`drawn: ${writeCharts(section.raw).join(', ')}`)
  return section
}

const parts: Readonly<Record<string, () => Promise<Section>>> = {
  echoing: () => echoing(pace),
  parsing: () => parsing(pace),
  peak: () => peak(pace),
  'streamed-in': () => streamedIn(pace),
  'streamed-out': () => streamedOut(pace),
  crossover: curves,
  settings: () => poolSettings(pace),
}

async function run(only: readonly string[], file: string | undefined): Promise<void> {
  const unknown = only.filter((name) => parts[name] === undefined)
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; see --help`)
  const sections: Section[] = []
  for (const [name, measure] of Object.entries(parts)) {
    if (only.length > 0 && !only.includes(name)) continue
    const section = await measure()
    sections.push(section)
    console.log(textOf(section, !pace.quick))
  }
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', cores: cpus().length, pinned: canPin }
  const { quick } = pace
  if (file !== undefined) writeFileSync(file, `${JSON.stringify({ quick, machine, sections }, null, 2)}\n`)
  if (!quick && !sections.every(({ goals }) => goals.every(met))) process.exitCode = 1
}

if (values.help) console.log(HELP)
else await run(values.only === '' ? [] : values.only.split(','), values.json)
