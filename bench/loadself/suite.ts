// npm run bench -- loadself: what the load client takes itself, and whether its figures are right. A load generator that is
// slower than its server measures itself.
import { openTarget } from '../ab/target.js'
import { root } from '../support/publish.js'
import { chosenOf, measured, only, reached } from '../support/rows.js'
import { type Choice, type Found, pacing, type Suite } from '../support/suite.js'
import { roundedTo } from '../support/table.js'
import { type Figure, type Pace, rowsWith } from './rows.js'

const ROUNDS = 9

export const suite: Suite = {
  about: `One process of the load client on a core of its own, against one millrace server on another one. A figure is the least
disturbed of all rounds. "client ÷" rows are CPU time per message; "kept busy" rows are the shares of their cores that
client and server use; the rows of the open loop are the rate that was asked for and the one that was measured; p99 is
compared with that of another program, if there is one. Exits with 1 if a row does not reach what is asked.`,
  options: {
    only,
    other: {
      type: 'string',
      value: 'PROGRAM',
      default: '',
      help: 'another load generator, called with HOST PORT CONNECTIONS SIZE PIPELINE SECONDS WARMUP KIND PATH RATE',
    },
    ...pacing(ROUNDS, 0.5),
  },
  run,
}

async function run(choice: Choice): Promise<Found> {
  const pace = paceOf(choice)
  const chosen = chosenOf(choice, rowsWith(choice.text('other')))
  const server = await openTarget(root, 'echo')
  try {
    const found = await measured(chosen, { head: HEAD, lineOf }, (row) => row.measure(server, pace))
    return { figures: { pace, rows: found }, ok: reached(choice, found) }
  } finally {
    await server.stop()
  }
}

function paceOf(choice: Choice): Pace {
  if (choice.quick) return { rounds: 1, seconds: 0.1, warmup: 0.05 }
  return { rounds: choice.number('rounds'), seconds: choice.number('seconds'), warmup: 0.15 }
}

const HEAD = ['', '', 'found', 'against', 'ratio', 'asked', 'verdict']

function lineOf({ name, unit, ours, theirs, ratio, goal }: Figure): string[] {
  const figures = [ours, theirs].map((figure) => roundedTo(figure, 3, 3))
  return [name, unit, ...figures, ratio.toFixed(3), `≤ ${goal}`, ratio <= goal ? 'ok' : 'MORE']
}
