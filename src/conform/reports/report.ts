// What all reports are made of: the outcomes of a run, counted.
import type { Outcome, Verdict } from '../case.js'

export interface Report {
  /** Who was tested: an address, or how a client calls itself. */
  readonly subject: string
  readonly outcomes: readonly Outcome[]
  /** Whether what is not strict fails, too. */
  readonly strict: boolean
  readonly milliseconds: number
}

export type Counts = Readonly<Record<Verdict, number>>

export function countsOf(outcomes: readonly Outcome[]): Counts {
  const counts: Record<Verdict, number> = { pass: 0, 'non-strict': 0, fail: 0, skipped: 0 }
  for (const { verdict } of outcomes) counts[verdict]++
  return counts
}

/** Whether the run has failed as a whole. */
export function hasFailed({ outcomes, strict }: Pick<Report, 'outcomes' | 'strict'>): boolean {
  return outcomes.some(({ verdict }) => isFailure(verdict, strict))
}

export function isFailure(verdict: Verdict, strict: boolean): boolean {
  return verdict === 'fail' || (strict && verdict === 'non-strict')
}

/** The outcomes by section, in their order. */
export function bySection(outcomes: readonly Outcome[]): ReadonlyMap<string, readonly Outcome[]> {
  const sections = new Map<string, Outcome[]>()
  for (const outcome of outcomes) {
    const { section } = outcome.case
    const those = sections.get(section)
    if (those === undefined) sections.set(section, [outcome])
    else those.push(outcome)
  }
  return sections
}
