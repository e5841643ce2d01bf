// A report as JUnit XML, which CI systems show: a suite for each section, a test case for each case.

import { escaped } from '../../html/escaped.js'
import type { Outcome } from '../case.js'
import { shownSection } from '../cases.js'
import { bySection, isFailure, type Report } from './report.js'

export function junitReport({ subject, outcomes, strict, milliseconds }: Report): string {
  const suites = [...bySection(outcomes)].map(([section, those]) => suite(section, those, strict))
  const totals = totalsOf(outcomes, strict)
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="${escaped(`conformance of ${subject}`)}" ${totals} time="${seconds(milliseconds)}">
${suites.join('')}</testsuites>
`
}

function suite(section: string, outcomes: readonly Outcome[], strict: boolean): string {
  const time = outcomes.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  const name = escaped(shownSection(section))
  const tests = outcomes.map((outcome) => testCase(outcome, strict)).join('')
  return `  <testsuite name="${name}" ${totalsOf(outcomes, strict)} time="${seconds(time)}">\n${tests}  </testsuite>\n`
}

function testCase({ case: one, verdict, expected, came, milliseconds }: Outcome, strict: boolean): string {
  const name = escaped(`${one.id} ${one.title}`)
  const head = `    <testcase name="${name}" classname="${escaped(one.section)}" time="${seconds(milliseconds)}"`
  const why = escaped(`expected ${expected}; came ${came}`)
  const rule = escaped(`${one.rule} (${shownSection(one.section)})`)
  if (verdict === 'skipped') return `${head}><skipped message="${escaped(came)}"/></testcase>\n`
  if (isFailure(verdict, strict))
    return `${head}><failure type="${verdict}" message="${why}">${rule}</failure></testcase>\n`
  if (verdict === 'non-strict') return `${head}><system-out>not strict: ${why}</system-out></testcase>\n`
  return `${head}/>\n`
}

function totalsOf(outcomes: readonly Outcome[], strict: boolean): string {
  const failures = outcomes.filter(({ verdict }) => isFailure(verdict, strict)).length
  const skipped = outcomes.filter(({ verdict }) => verdict === 'skipped').length
  return `tests="${outcomes.length}" failures="${failures}" errors="0" skipped="${skipped}"`
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}
