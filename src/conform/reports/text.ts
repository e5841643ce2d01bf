// A report for a terminal: what differs, section by section, and the sum.
import { printable } from '../../protocol/printable.js'
import type { Outcome } from '../case.js'
import { shownSection } from '../cases.js'
import { bySection, countsOf, type Report } from './report.js'

/** How many lines a section may have: a server that breaks one rule breaks it in many cases. */
const MOST_LINES = 6
const LONGEST = 160

export function textReport(report: Report): string {
  const { subject, outcomes, milliseconds, strict } = report
  const counts = countsOf(outcomes)
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  const seconds = (milliseconds / 1000).toFixed(1)
  const sum = `${counts.pass} passed, ${counts['non-strict']} not strict, ${counts.fail} failed${skipped}`
  const sections = [...bySection(outcomes)].flatMap(([section, those]) => sectionLines(section, those))
  return [
    `Conformance of ${subject}${strict ? ', strictly' : ''}`,
    ...sections,
    '',
    `${outcomes.length} cases in ${seconds} s: ${sum}`,
  ].join('\n')
}

function sectionLines(section: string, outcomes: readonly Outcome[]): readonly string[] {
  const different = outcomes.filter(({ verdict }) => verdict === 'fail' || verdict === 'non-strict')
  const passed = outcomes.filter(({ verdict }) => verdict === 'pass').length
  const head = `  ${shownSection(section).padEnd(28)}${passed} of ${outcomes.length} passed`
  if (different.length === 0) return [head]
  // Failures first: they are what has to be mended.
  const sorted = different.toSorted((one, other) => Number(other.verdict === 'fail') - Number(one.verdict === 'fail'))
  const more = sorted.length - MOST_LINES
  const lines = sorted.slice(0, MOST_LINES).flatMap(caseLines)
  return [head, ...lines, ...(more > 0 ? [`    and ${more} more: --json, --junit and --html list all`] : [])]
}

function caseLines({ case: { id, title }, verdict, expected, came }: Outcome): readonly string[] {
  const word = verdict === 'fail' ? 'FAIL' : 'not strict'
  return [`    ${word} ${id}: ${title}`, `      expected ${expected}`, `      came     ${printable(came, LONGEST)}`]
}
