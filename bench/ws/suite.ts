// npm run bench -- ws: what a program for ws takes on `millrace/ws`, as a share of what it takes on ws itself.
import { LoadClient } from '../support/loadClient.js'
import type { MeasuredServer } from '../support/measuredServer.js'
import { chosenOf, measured, only, reached } from '../support/rows.js'
import { type Choice, type Found, pacing, type Suite } from '../support/suite.js'
import { roundedTo } from '../support/table.js'
import { type Pace, type Row, rows } from './rows.js'
import { type Engine, openTarget } from './target.js'

const CLIENT_CORE = 1
const ROUNDS = 9
/** With fewer, the memory of a connection is that of V8's young generation, which has up to 16 MiB and is filled or not. */
const CONNECTIONS = 8000
const ENGINES: readonly Engine[] = ['ws', 'millrace']

/** The least figure of each engine, and what one is of the other. */
interface Compared extends Pick<Row, 'name' | 'unit' | 'goal'> {
  readonly ws: number
  readonly millrace: number
  readonly ratio: number
  readonly rounds: readonly (readonly number[])[]
}

export const suite: Suite = {
  about: `The same program on both, by turns, each in a process of its own. A figure is the least of all rounds: CPU time of the
server's process, or memory. Exits with 1 if one is above its goal.
The rows: ${rows.map(({ name }) => name).join('; ')}.`,
  options: {
    only,
    ...pacing(ROUNDS, 0.5),
  },
  run,
}

async function run(choice: Choice): Promise<Found> {
  const pace = paceOf(choice)
  const chosen = chosenOf(choice, rows)
  const client = new LoadClient(CLIENT_CORE, 'first')
  try {
    const found = await measured(chosen, { head: HEAD, lineOf }, (row) => compare(row, client, pace))
    return { figures: { pace, rows: found }, ok: reached(choice, found) }
  } finally {
    client.stop()
  }
}

function paceOf(choice: Choice): Pace {
  if (choice.quick) return { rounds: 1, seconds: 0.4, connections: 50 }
  return { rounds: choice.number('rounds'), seconds: choice.number('seconds'), connections: CONNECTIONS }
}

/** Measures both engines by turns; the first of a round is the second of the next. */
async function compare(row: Row, client: LoadClient, pace: Pace): Promise<Compared> {
  const open = (engine: Engine): Promise<MeasuredServer> => openTarget(engine, row.mode, row.place)
  const kept = row.fresh ? [] : await Promise.all(ENGINES.map(open))
  const rounds: number[][] = []
  try {
    for (let round = 0; round < pace.rounds; round++) {
      const figures: number[] = []
      for (const turn of [round % 2, 1 - (round % 2)]) {
        const server = kept[turn] ?? (await open(ENGINES[turn] ?? 'ws'))
        figures[turn] = await row.round(server, client, pace)
        if (row.fresh) await server.stop()
      }
      rounds.push(figures)
    }
  } finally {
    await Promise.all(kept.map((server) => server.stop()))
  }
  const [ws = 0, millrace = 0] = ENGINES.map((_, at) => Math.min(...rounds.map((figures) => figures[at] ?? Infinity)))
  const { name, unit, goal } = row
  return { name, unit, goal, ws, millrace, ratio: millrace / ws, rounds }
}

const HEAD = ['', '', 'ws', 'millrace/ws', 'ratio', 'asked', 'verdict']

function lineOf({ name, unit, ws, millrace, ratio, goal }: Compared): string[] {
  const figures = [ws, millrace].map((figure) => roundedTo(figure, 3, 2))
  return [name, unit, ...figures, ratio.toFixed(2), `≤ ${goal}`, ratio <= goal ? 'ok' : 'MORE']
}
