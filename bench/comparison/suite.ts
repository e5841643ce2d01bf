// npm run bench: compares millrace with its peers on this machine, and writes what it saw.
import { writeFileSync } from 'node:fs'
import { type Choice, type Circumstances, type Found, pacing, type Suite } from '../support/suite.js'
import { choosing, compared } from './comparing.js'
import { pageOf } from './page.js'
import { textOf } from './table.js'
import { workloads } from './workloads.js'

export const suite: Suite = {
  about:
    'The peers are installed by npm run bench:install; npm run bench installs them, and compares with all of them.',
  options: {
    ...choosing,
    ...pacing(5, 0.6),
    json: { type: 'string', value: 'FILE', default: 'build/bench.json', help: 'writes every round there' },
    html: { type: 'string', value: 'FILE', default: 'build/bench.html', help: 'writes a page with charts there' },
  },
  run,
}

async function run(choice: Choice, about: Circumstances): Promise<Found> {
  // Rows with servers of their own have no place in a table of these: `npm run bench -- table` has them.
  const rows = workloads.filter(({ peers }) => peers === undefined)
  const { results: figures, ok } = await compared(choice, about, rows)
  writeFileSync(choice.text('html'), pageOf(figures))
  console.log(textOf(figures))
  console.log(`\nEvery round: ${choice.text('json')}\nCharts:      ${choice.text('html')}`)
  return { figures, ok }
}
