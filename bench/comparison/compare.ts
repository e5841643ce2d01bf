// npm run bench:compare OLD.json NEW.json: what has become slower, beyond what the rounds' spread explains.
// Machines differ from day to day, so figures are compared as ratios to a peer measured in the same run.
import { readFileSync } from 'node:fs'
import type { PeerName } from '../support/peers.js'
import type { Suite } from '../support/suite.js'
import { type Results, type Row, ratio, spread } from './results.js'

/** Smaller changes are noise even where the rounds happened to agree. */
const LEAST = 0.1

export interface Regression {
  readonly title: string
  readonly against: PeerName
  readonly before: number
  readonly after: number
}

/** Peers to compare by, best first: the floor has no garbage collector to disturb it. */
const references: readonly PeerName[] = ['floor', 'uWebSockets.js', 'Bun', 'ws']

/** The rows in which millrace lost ground to a reference that both runs have. */
export function regressions(before: Results, after: Results): Regression[] {
  return after.rows.flatMap((row) => {
    const old = before.rows.find(({ id }) => id === row.id)
    return old === undefined ? [] : lost(old, row)
  })
}

function lost(old: Row, row: Row): Regression[] {
  for (const against of references) {
    const before = ratio(old, against)
    const after = ratio(row, against)
    if (before === undefined || after === undefined) continue
    const tolerance = Math.max(LEAST, tightest(old, against), tightest(row, against))
    return after > before * (1 + tolerance) ? [{ title: row.title, against, before, after }] : []
  }
  return []
}

/** Minima repeat better than rounds do: half the spread, and never more than a quarter, is what they can differ by. */
function tightest(row: Row, against: PeerName): number {
  return Math.min(Math.max(spread(row, 'millrace'), spread(row, against)) / 2, 0.25)
}

export const suite: Suite = {
  about: 'Exits with 1 if a row has become slower, relative to a peer of the same run, by more than its rounds differ.',
  words: ['OLD.json', 'NEW.json'],
  options: {},
  async run({ words }) {
    const [before, after] = words.map((path): Results => JSON.parse(readFileSync(path, 'utf8')))
    const found = before === undefined || after === undefined ? [] : regressions(before, after)
    for (const { title, against, before, after } of found) {
      console.log(`slower: ${title}: ${before.toFixed(2)} × ${against} before, ${after.toFixed(2)} × now`)
    }
    if (found.length === 0) console.log('nothing became slower beyond the spread of its rounds')
    return { figures: {}, ok: found.length === 0 }
  },
}
