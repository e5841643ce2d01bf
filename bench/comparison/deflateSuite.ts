// npm run bench -- deflate: compressed messages, what was agreed on, and what travels.
import { type Choice, type Circumstances, type Found, pacing, type Suite } from '../support/suite.js'
import { markdownTable, rounded } from '../support/table.js'
import { choosing, compared } from './comparing.js'
import { deflateGoals, deflateRows } from './deflateRows.js'
import { verdicts } from './goals.js'
import { best, type Results, type Row, roundOf } from './results.js'
import { problems } from './table.js'

const columns = ['millrace', 'uWebSockets.js', 'uWS dedicated', 'Bun', 'ws'] as const
const NOTE = `Server CPU time in µs per message, or what the row says, of the least disturbed round. JSON, both directions compressed.
In brackets: bytes of a message on the wire to the server and from it, frame headers included; of a p99, what went with it.`

export const suite: Suite = {
  about: `Each server as it comes, but that it compresses short messages, too; rounds by turns.
The rows: ${deflateRows.map(({ id }) => id).join(', ')}.`,
  options: {
    ...choosing,
    ...pacing(7, 0.5),
    json: { type: 'string', value: 'FILE', default: 'build/deflate.json', help: 'writes every round there' },
  },
  run,
}

async function run(choice: Choice, about: Circumstances): Promise<Found> {
  const { results: figures, ok } = await compared(choice, about, deflateRows)
  const { rows, missing } = figures
  console.log([deflateTableOf(figures), agreed(rows), NOTE, ...problems(rows, missing)].join('\n\n'))
  return { figures, ok }
}

/** A line for each row, and one for each further goal. */
export function deflateTableOf({ rows }: Pick<Results, 'rows'>): string {
  const lines = [...verdicts(rows, deflateGoals)].flatMap(([row, reached]) => {
    const [first = ['', '', '', ''], ...more] = reached
    const cells = columns.map((peer) => cell(row, peer))
    return [[row.title, ...cells, ...first], ...more.map((goal) => ['', ...columns.map(() => ''), ...goal])]
  })
  return markdownTable([['', ...columns, 'against', 'ratio', 'asked', 'reached'], ...lines])
}

function cell(row: Row, peer: (typeof columns)[number]): string {
  const figure = best(row, peer)
  if (figure === undefined) return '–'
  if (row.unit === 'bytes per connection') return `${rounded(figure / 1024)} KiB per connection`
  if (row.unit === 'µs (p99)') return paced(row, peer)
  const wire = row.servers[peer]?.rounds.at(-1)?.deflate
  return wire === undefined
    ? rounded(figure)
    : `${rounded(figure)} (${Math.round(wire.sent)}, ${Math.round(wire.received)})`
}

/** Of the round with the least p99: both quantiles, and what of the load beside them went through in that round. */
function paced(row: Row, peer: (typeof columns)[number]): string {
  const { latency, beside } = roundOf(row, peer) ?? {}
  if (latency === undefined) return '–'
  const through = beside === undefined ? '' : `, ${rounded(beside)} of 4 MiB per second`
  return `${rounded(latency.p99)} (p50 ${rounded(latency.p50)}${through})`
}

/** What the servers have answered, each to the same offers. */
function agreed(rows: readonly Row[]): string {
  const answers = columns.flatMap((peer) => {
    const ids = new Map<string, string[]>()
    for (const { id, servers } of rows) {
      const negotiated = servers[peer]?.rounds.at(-1)?.deflate?.negotiated
      if (negotiated !== undefined) ids.set(negotiated, [...(ids.get(negotiated) ?? []), id])
    }
    return [...ids].map(([negotiated, those]) => `${peer} answered ${negotiated} (${those.join(', ')})`)
  })
  return answers.join('\n')
}
