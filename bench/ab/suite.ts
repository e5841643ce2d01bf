// npm run bench -- ab: whether one built checkout is slower than another, or holds more memory.
import { loadavg } from 'node:os'
import { LoadClient } from '../support/loadClient.js'
import { chosenOf, only } from '../support/rows.js'
import { type Choice, type Found, pacing, type Suite } from '../support/suite.js'
import { textTable } from '../support/table.js'
import { type Compared, compare, TOLERANCE } from './compare.js'
import { CALM, HEAD, LEAST_ROUNDS, lineOf, paceOf } from './report.js'
import { rows } from './rows.js'
import { builtCheckout } from './target.js'

const CLIENT_CORE = 1

export const suite: Suite = {
  about: `Two servers of each checkout, A A' B B', take turns. They are started anew three times, because no two
processes are compiled alike. A figure is the least of all rounds: CPU time of the server's process, or memory.
The change of a row is ok if it is at most ${TOLERANCE * 100} % or the spread of A against A', whichever is more. Exits with 1 if one is not.
The load is this checkout's own, in a process of its own.
The rows: ${rows.map(({ name }) => name).join('; ')}.`,
  words: ['DIR_A', 'DIR_B'],
  options: {
    only,
    ...pacing(LEAST_ROUNDS, 0.5),
  },
  run,
}

async function run(choice: Choice): Promise<Found> {
  const [a, b] = choice.words.map(builtCheckout)
  const pace = paceOf(choice)
  if (a === undefined || b === undefined) throw new Error('two checkouts are compared')
  const chosen = chosenOf(choice, rows)
  const [busy = 0] = loadavg()
  if (busy > CALM)
    process.stderr.write(`others use this machine (load average ${busy.toFixed(1)}): figures are disturbed\n`)
  const client = new LoadClient(CLIENT_CORE, 'first')
  const found: Compared[] = []
  try {
    for (const row of chosen) {
      const compared = await compare(row, a, b, client, pace)
      found.push(compared)
      process.stderr.write(`${lineOf(compared).join('  ')}\n`)
    }
  } finally {
    client.stop()
  }
  console.log([`A: ${a}`, `B: ${b}`, '', ...textTable([HEAD, ...found.map(lineOf)])].join('\n'))
  return { figures: { a, b, pace, rows: found }, ok: choice.quick || found.every(({ ok }) => ok) }
}
