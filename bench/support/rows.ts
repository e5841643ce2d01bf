// A suite whose rows are measured one after the other: which of them, what is told meanwhile, and whether all goals are reached.
import type { Choice, Option } from './suite.js'
import { textTable } from './table.js'

/** The option that chooses rows. */
export const only: Option = { type: 'string', value: 'TEXT', help: 'only rows whose name contains it' }

/** The rows that the option chooses. Throws if there is none. */
export function chosenOf<Row extends { readonly name: string }>(choice: Choice, rows: readonly Row[]): readonly Row[] {
  const chosen = rows.filter(({ name }) => name.includes(choice.text('only')))
  if (chosen.length === 0) throw new Error(`there is no row ${choice.text('only')}; see --help`)
  return chosen
}

/** A figure beside the one that was to be reached. */
interface Compared {
  readonly ratio: number
  readonly goal: number
}

/** How what was found is shown: the head of the table, and a line of it. */
interface Shown<Figure> {
  readonly head: readonly string[]
  lineOf(figure: Figure): readonly string[]
}

/** Measures the rows, tells each when it is done, and prints the table of all. */
export async function measured<Row, Figure extends Compared>(
  rows: readonly Row[],
  { head, lineOf }: Shown<Figure>,
  compare: (row: Row) => Promise<Figure>,
): Promise<Figure[]> {
  const found: Figure[] = []
  for (const row of rows) {
    const figure = await compare(row)
    found.push(figure)
    process.stderr.write(`${lineOf(figure).join('  ')}\n`)
  }
  console.log(textTable([head, ...found.map(lineOf)]).join('\n'))
  return found
}

/** Whether all goals are reached; a quick run measures nothing, so it reaches them. */
export function reached(choice: Choice, found: readonly Compared[]): boolean {
  return choice.quick || found.every(({ ratio, goal }) => ratio <= goal)
}
