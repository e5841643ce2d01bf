// Where a peer differs from what a step of a case expects.
import type { Case, Verdict } from './case.js'

/**
 * `rule`: the rule of the case is broken. `wish`: it is kept, but not in the best way, such as by ending the connection
 * without a Close frame. `skip`: the case can't be run with this peer.
 */
export interface Deviation {
  readonly weight: 'rule' | 'wish' | 'skip'
  readonly expected: string
  readonly came: string
}

export function broken(expected: string, came: string): Deviation {
  return { weight: 'rule', expected, came }
}

export function lax(expected: string, came: string): Deviation {
  return { weight: 'wish', expected, came }
}

export function skip(why: string): Deviation {
  return { weight: 'skip', expected: '', came: why }
}

/** What the deviations of a case amount to: a `must` that is broken is a failure, and everything else is not strict. */
export function verdictOf({ level }: Case, deviations: readonly Deviation[]): Verdict {
  if (deviations.some(({ weight }) => weight === 'skip')) return 'skipped'
  if (deviations.some(({ weight }) => weight === 'rule') && level === 'must') return 'fail'
  return deviations.length === 0 ? 'pass' : 'non-strict'
}
