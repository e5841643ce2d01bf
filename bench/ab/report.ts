// How an A/B comparison is paced, and how its rows are told.
import type { Choice } from '../support/suite.js'
import type { Compared } from './compare.js'
import type { Pace } from './rows.js'

/** Processes that wanted to run in the last minute, of which figures take no harm. */
export const CALM = 1
/** Fewer rounds leave too much to chance. */
export const LEAST_ROUNDS = 9

export function paceOf(choice: Choice): Pace {
  if (choice.quick) return { rounds: 1, generations: 1, warming: 0, seconds: 0.2, connections: 50, subscribers: 20 }
  const [rounds, seconds] = [choice.number('rounds'), choice.number('seconds')]
  if (!Number.isInteger(rounds) || rounds < LEAST_ROUNDS) {
    throw new Error(`--rounds must be a whole number from ${LEAST_ROUNDS} on: fewer leave too much to chance`)
  }
  return { rounds, generations: 3, warming: 1, seconds, connections: 2000, subscribers: 1000 }
}

export const HEAD = ['', '', 'A', "A'", 'B', "B'", 'change', 'spread of A', 'verdict']

export function lineOf({ name, unit, least, change, spread, ok }: Compared): string[] {
  const figures = least.map((figure) => figure.toFixed(unit === 'bytes per connection' ? 0 : 3))
  return [name, unit, ...figures, percent(change), percent(spread), ok ? 'ok' : 'MORE']
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
