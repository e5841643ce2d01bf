// npm run bench -- large: what millrace does with messages of the 64-bit tier, next to its peers, and the figures that set
// the defaults of the option `large`.
import { type Choice, type Found, type Pace, paceOf, pacing, type Suite } from '../support/suite.js'
import { writeCharts } from './charts.js'
import { crossover, poolSettings } from './crossover.js'
import { echoing } from './echoing.js'
import { parsing } from './parsing.js'
import { peak } from './peak.js'
import { met, type Section, textOf } from './section.js'
import { streamedIn, streamedOut } from './streaming.js'

type Part = (pace: Pace, charts: boolean) => Promise<Section>

const parts: Readonly<Record<string, Part>> = {
  echoing,
  parsing,
  peak,
  'streamed-in': streamedIn,
  'streamed-out': streamedOut,
  async crossover(pace, charts) {
    const section = await crossover(pace)
    if (charts) console.log(`drawn: ${writeCharts(section.raw).join(', ')}`)
    return section
  },
  settings: poolSettings,
}

export const suite: Suite = {
  about: `The parts: ${Object.keys(parts).join(', ')}.
The peers are installed by npm run bench:install. Exits with 1 if a figure that was to be reached was not.`,
  options: {
    ...pacing(3, 0.6),
    only: { type: 'string', value: 'NAMES', help: 'only these parts, separated by commas' },
    charts: { type: 'boolean', help: 'draws the curves of the crossover into docs/charts' },
  },
  run,
}

async function run(choice: Choice): Promise<Found> {
  const only = choice.names('only', Object.keys(parts))
  const pace = paceOf(choice, 0.15)
  const sections: Section[] = []
  for (const [name, measure] of Object.entries(parts)) {
    if (!only.includes(name)) continue
    const section = await measure(pace, choice.flag('charts'))
    sections.push(section)
    console.log(textOf(section, !pace.quick))
  }
  return { figures: { sections }, ok: pace.quick || sections.every(({ goals }) => goals.every(met)) }
}
