// npm run bench -- counters: what the counters of a server take of an echo, next to the same server without them.
import { loadavg } from 'node:os'
import { type Compared, compare } from '../ab/compare.js'
import { CALM, HEAD, LEAST_ROUNDS, lineOf, paceOf } from '../ab/report.js'
import { rows } from '../ab/rows.js'
import { LoadClient } from '../support/loadClient.js'
import { root } from '../support/publish.js'
import { chosenOf, only } from '../support/rows.js'
import { type Choice, type Found, pacing, type Suite } from '../support/suite.js'
import { textTable } from '../support/table.js'
import { withoutCounting } from './withoutCounting.js'

const CLIENT_CORE = 1
/** The messages that cost least, so that counting them is the largest share. */
const ROWS = ['20 B × 1', '20 B × 64', 'publish to 1,000']
const chosenRows = rows.filter(({ name }) => ROWS.includes(name))

export const suite: Suite = {
  about: `Two servers without counters, A A', and two with them, B B', take turns: a copy of this build, in which what is called
for each message does nothing, and this build. Figures and verdicts are those of the suite ab; "each" is what counting one
message takes, in nanoseconds of CPU time. The suite codec has the counters alone: --only count.
The rows: ${ROWS.join('; ')}.`,
  options: {
    only,
    ...pacing(LEAST_ROUNDS, 0.5),
  },
  run,
}

async function run(choice: Choice): Promise<Found> {
  const pace = paceOf(choice)
  const chosen = chosenOf(choice, chosenRows)
  const [busy = 0] = loadavg()
  if (busy > CALM)
    process.stderr.write(`others use this machine (load average ${busy.toFixed(1)}): figures are disturbed\n`)
  const copy = await withoutCounting(root)
  const client = new LoadClient(CLIENT_CORE, 'first')
  const found: Compared[] = []
  try {
    for (const row of chosen) found.push(await compare(row, copy.folder, root, client, pace))
  } finally {
    client.stop()
    copy.remove()
  }
  console.log(textTable([[...HEAD, 'each'], ...found.map((one) => [...lineOf(one), eachOf(one)])]).join('\n'))
  return { figures: { pace, rows: found }, ok: choice.quick || found.every(({ ok }) => ok) }
}

/** What the servers with counters take more, in nanoseconds per message. */
function eachOf({ least: [a, a2, b, b2] }: Compared): string {
  return `${Math.round((Math.min(b, b2) - Math.min(a, a2)) * 1000)} ns`
}
