// npm run bench -- table: the rows that have a goal, in some fifteen minutes, with what was asked of each.
import { type Choice, type Circumstances, type Found, pacing, type Suite } from '../support/suite.js'
import { markdownTable, rounded } from '../support/table.js'
import { choosing, compared, type Plan } from './comparing.js'
import { goals, isJudged, isNeeded, verdicts } from './goals.js'
import { best, type Results } from './results.js'
import { problems, streamed, titleOf } from './table.js'
import { workloads } from './workloads.js'

/** Peers that no goal of a row names are measured, too, but not as often. */
const SHARE = 3
const columns = ['millrace', 'uWebSockets.js', 'ws', 'floor', 'bare handle', 'Bun', 'public API'] as const
const NOTE = `Server CPU time in µs per message, where the row says nothing else, of the least disturbed round. The bare handle is the
floor of Node.js itself: its TCP handles without anything of ours.`
const HEAD = ['', ...columns, 'against', 'ratio', 'asked', 'reached']

export const suite: Suite = {
  about: `Rounds of all servers by turns; each figure is the least of them. Over wss, the floor is node:tls, and of the public API it is node:net.
The rows: ${[...new Set(goals.map(({ row }) => row))].join(', ')}.`,
  options: {
    ...choosing,
    ...pacing(9, 0.5),
    json: { type: 'string', value: 'FILE', default: 'build/table.json', help: 'writes every round there' },
  },
  run,
}

async function run(choice: Choice, about: Circumstances): Promise<Found> {
  const rows = workloads.filter(({ id }) => isJudged(id))
  const { results: figures, ok } = await compared(choice, about, rows, plan)
  console.log(
    [tableOf(figures), NOTE, ...figures.rows.flatMap(streamed), ...problems(figures.rows, figures.missing)].join(
      '\n\n',
    ),
  )
  return { figures, ok }
}

const plan: Plan =
  ({ id }, { rounds }) =>
  (peer) =>
    isNeeded(id, peer) ? rounds : Math.ceil(rounds / SHARE)

/** A line for each goal, with the figures in its row's first line. */
export function tableOf({ rows, versions }: Results): string {
  const lines = [...verdicts(rows)].flatMap(([row, reached]) => {
    const figures = columns.map((peer) => rounded(best(row, peer) ?? Number.NaN))
    const [first = ['', '', '', ''], ...more] = reached
    return [[titleOf(row), ...figures, ...first], ...more.map((goal) => ['', ...columns.map(() => ''), ...goal])]
  })
  const origin = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${origin.join(', ')}\n\n${markdownTable([HEAD, ...lines])}`
}
