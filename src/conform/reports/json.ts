// A report as JSON: for programs, and what `/conform/verdict` answers.
import type { Outcome } from '../case.js'
import { type Counts, countsOf, hasFailed, type Report } from './report.js'

export interface JsonReport {
  readonly subject: string
  readonly strict: boolean
  readonly passed: boolean
  readonly milliseconds: number
  readonly counts: Counts
  readonly cases: readonly JsonCase[]
}

interface JsonCase {
  readonly id: string
  readonly section: string
  readonly title: string
  readonly rule: string
  readonly level: string
  readonly verdict: string
  readonly expected: string
  readonly came: string
  readonly milliseconds: number
}

export function jsonReport(report: Report): JsonReport {
  const { subject, strict, milliseconds, outcomes } = report
  const cases = outcomes.map(jsonCase)
  return { subject, strict, passed: !hasFailed(report), milliseconds, counts: countsOf(outcomes), cases }
}

function jsonCase({ case: { id, section, title, rule, level }, ...rest }: Outcome): JsonCase {
  return { id, section, title, rule, level, ...rest }
}
