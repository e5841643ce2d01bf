// A report as one HTML file: it needs no network and no script, follows light and dark, and fits a phone.

import { escaped } from '../../html/escaped.js'
import type { Outcome, Verdict } from '../case.js'
import { shownSection } from '../cases.js'
import { bySection, countsOf, type Report } from './report.js'
import { reportStyle } from './style.js'

export function htmlReport(report: Report): string {
  const { subject, outcomes, strict, milliseconds } = report
  const sections = [...bySection(outcomes)].map(([section, those]) => sectionOf(section, those))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Conformance of ${escaped(subject)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header>
<h1>Conformance</h1>
<p class="quiet">${escaped(subject)}${strict ? ', strictly' : ''}: ${outcomes.length} cases of RFC 6455 and RFC 7692 in ${(milliseconds / 1000).toFixed(1)} s</p>
</header>
${tiles(outcomes)}
${sections.join('\n')}
</main>
</body>
</html>
`
}

const WORDS: Readonly<Record<Verdict, string>> = {
  pass: 'passed',
  'non-strict': 'not strict',
  fail: 'failed',
  skipped: 'skipped',
}
const VERDICTS = ['pass', 'non-strict', 'fail', 'skipped'] as const

function tiles(outcomes: readonly Outcome[]): string {
  const counts = countsOf(outcomes)
  const all = VERDICTS.map(
    (verdict) => `<li class="${verdict}"><b>${counts[verdict]}</b> <span>${WORDS[verdict]}</span></li>`,
  )
  return `<ul class="tiles">${all.join('')}</ul>`
}

/** A section that has passed as a whole is closed. */
function sectionOf(section: string, outcomes: readonly Outcome[]): string {
  const counts = countsOf(outcomes)
  const different = VERDICTS.filter((verdict) => verdict !== 'pass' && counts[verdict] > 0)
  const notes = different.map((verdict) => `<span class="${verdict}">${counts[verdict]} ${WORDS[verdict]}</span>`)
  const open = counts.fail + counts['non-strict'] > 0 ? ' open' : ''
  return `<details${open}><summary><h2>${escaped(shownSection(section))}</h2> <span class="pass">${counts.pass} passed</span> ${notes.join(' ')}</summary>
<table><thead><tr><th>case</th><th>verdict</th><th>what it is</th></tr></thead>
<tbody>${outcomes.map(row).join('\n')}</tbody></table></details>`
}

function row({ case: { id, title, rule }, verdict, expected, came }: Outcome): string {
  const differs = expected === '' && came === '' ? '' : difference(expected, came)
  const words = `${escaped(title)}<p class="quiet">${escaped(rule)}</p>${differs}`
  return `<tr><td class="id">${escaped(id)}</td><td class="${verdict}">${WORDS[verdict]}</td><td>${words}</td></tr>`
}

function difference(expected: string, came: string): string {
  const wanted = expected === '' ? '' : `<dt>expected</dt><dd>${escaped(expected)}</dd>`
  return `<dl>${wanted}<dt>${expected === '' ? 'because' : 'came'}</dt><dd>${escaped(came)}</dd></dl>`
}
