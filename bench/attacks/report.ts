// What was found, as tables in Markdown: for the terminal, and for the guide on limits.
import type { FiguresPage } from '../support/publish.js'
import type { Circumstances } from '../support/suite.js'
import { markdownTable, roundedTo } from '../support/table.js'
import { type Aftermath, NOTHING } from './aftermath.js'
import type { Holding } from './holding.js'
import type { Many } from './many.js'
import type { Waiting } from './waiting.js'

export interface Row {
  readonly name: string
  readonly title: string
  /** Of the attack. */
  readonly connections: number
  readonly waiting: Waiting
  readonly holding: Holding
}

export interface ManyRow {
  readonly name: string
  readonly title: string
  readonly many: Many
}

export interface Results extends Circumstances {
  readonly rows: readonly Row[]
  readonly many: readonly ManyRow[]
}

/** Where the figures are published. */
export const GUIDE: FiguresPage = { file: 'docs/limits.md', command: 'npm run bench:attacks -- --publish' }

/** Both tables, with the machine and the date of the figures. */
export function sectionOf(results: Results): string {
  const { date, machine } = results
  const origin = `${date.slice(0, 10)}, Node.js ${machine.node.slice(1)}, ${machine.cpu}, ${machine.cores} cores${machine.pinned ? ', server and clients on one each' : ''}.`
  return `${origin}\n\n${tableOf(results)}\n\nA thousand attackers at once:\n\n${manyTableOf(results)}\n`
}

/** What is promised, in milliseconds: of an echo beside one attacker, and of any answer beside a thousand. */
export const BOUNDS = { one: 20, many: 1000 } as const

/** The least of the rounds; undefined if there was none. */
export function least(rounds: readonly number[]): number | undefined {
  return rounds.length === 0 ? undefined : Math.min(...rounds)
}

/** What is not as promised, in words. */
export function broken({ rows, many }: Results): string[] {
  return [
    ...rows.flatMap(({ name, connections, waiting, holding }) => {
      const bound = connections === 1 ? BOUNDS.one : BOUNDS.many
      const problems = [...waiting.problems, ...holding.problems]
      return complaints(name, least(waiting.beside) ?? Infinity, bound, holding, problems)
    }),
    ...many.flatMap(({ name, many: found }) => {
      const wait = Math.max(found.connected, found.newcomers)
      return complaints(`1,000 × ${name}`, wait, BOUNDS.many, found, found.problems)
    }),
  ]
}

function complaints(
  name: string,
  wait: number,
  bound: number,
  { after, connections, freed }: Aftermath,
  problems: readonly string[],
): string[] {
  // If nobody could look at it, that is a problem of its own.
  const kept = freed === null && (after >= NOTHING || connections > 0)
  const found = [
    ...(wait > bound ? [`${milliseconds(wait)} ms instead of ${bound}`] : []),
    ...(kept ? ['something is held for ever'] : []),
    ...problems,
  ]
  return found.length === 0 ? [] : [`${name}: ${[...new Set(found)].join('; ')}`]
}

const HEAD = [
  'attack',
  'honest alone, ms',
  'beside it, ms',
  'sent, MB',
  'process grew, MB',
  'held, MB',
  'held per byte sent',
  'held after it has left',
]

export function tableOf({ rows }: Results): string {
  return markdownTable([
    HEAD,
    ...rows.map(({ title, waiting, holding }) => [
      title + noted([...waiting.problems, ...holding.problems]),
      milliseconds(least(waiting.alone)),
      milliseconds(least(waiting.beside)),
      megabytes(holding.sent),
      megabytes(holding.resident),
      megabytes(holding.live),
      holding.sent === 0 ? '–' : two(Math.max(0, holding.live) / holding.sent),
      afterwards(holding),
    ]),
  ])
}

export function manyTableOf({ many }: Results): string {
  const head = [
    'attackers',
    'connected peers wait, ms',
    'newcomers wait, ms',
    'answers to newcomers',
    'honest peers closed',
    'sent, MB',
    'held after they have left',
  ]
  return markdownTable([
    head,
    ...many.map(({ title, many: found }) => [
      title + noted(found.problems),
      milliseconds(found.connected),
      milliseconds(found.newcomers),
      Object.entries(found.answers)
        .map(([answer, times]) => `${answer}: ${times}`)
        .join(', '),
      String(found.lost),
      megabytes(found.sent),
      afterwards(found),
    ]),
  ])
}

function afterwards({ after, connections, freed }: Aftermath): string {
  if (freed === null) return held(after, connections)
  return freed < 5 ? 'nothing' : `nothing, ${two(freed)} s later`
}

function held(bytes: number, connections: number): string {
  const parts = [
    ...(bytes < NOTHING ? [] : [`${megabytes(bytes)} MB`]),
    ...(connections === 0 ? [] : [`${connections} connections`]),
  ]
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

function noted(problems: readonly string[]): string {
  return problems.length === 0 ? '' : ` (**${[...new Set(problems)].join('; ')}**)`
}

function milliseconds(value: number | undefined): string {
  return two(value ?? Infinity)
}

function megabytes(bytes: number): string {
  return two(Math.max(0, bytes) / 1e6)
}

/** Two digits that count, and no more than a hundredth. */
function two(value: number): string {
  return roundedTo(value, 2, value >= 10 ? 0 : 2)
}
