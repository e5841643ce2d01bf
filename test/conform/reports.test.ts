// Reports hold what a server has written, which may be anything: they stay well-formed, run nothing, and can be read in light
// and dark, on a phone, too.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Case, Outcome, Verdict } from '../../src/conform/case.js'
import { htmlReport } from '../../src/conform/reports/html.js'
import { jsonReport } from '../../src/conform/reports/json.js'
import { junitReport } from '../../src/conform/reports/junit.js'
import type { Report } from '../../src/conform/reports/report.js'
import { textReport } from '../../src/conform/reports/text.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { elementsOf } from './xml.js'

const HOSTILE = `<script>document.title = 'broken'</script> & " ' \0\u001b[2J \ud800 ]]> \u202e ${'x'.repeat(400)}`

function outcome(number: number, verdict: Verdict): Outcome {
  const one: Case = {
    id: `5.5.1/${number}`,
    section: '5.5.1',
    title: '<b>hostile & so on</b>',
    rule: 'A Close frame is answered.',
    level: 'must',
    side: 'both',
    steps: [],
  }
  const isPass = verdict === 'pass'
  return { case: one, verdict, expected: isPass ? '' : 'Close 1000', came: isPass ? '' : HOSTILE, milliseconds: 12.3 }
}

const VERDICTS = ['pass', 'non-strict', 'fail', 'skipped'] as const
const report: Report = {
  subject: 'ws://a/<b>&"',
  outcomes: Array.from({ length: 20 }, (_, at) => outcome(at + 1, VERDICTS[at % 4] ?? 'pass')),
  strict: false,
  milliseconds: 1234,
}

describe('a report with hostile text', () => {
  test('is well-formed JUnit XML', () => {
    const elements = elementsOf(junitReport(report))
    const count = (name: string): number => elements.filter((element) => element.name === name).length
    assert.deepEqual([count('testcase'), count('failure'), count('skipped')], [20, 5, 5])
    const strict = elementsOf(junitReport({ ...report, strict: true }))
    assert.equal(strict.filter(({ name }) => name === 'failure').length, 10)
    assert.equal(strict[0]?.attributes['failures'], '10')
  })

  test('is JSON that says whether the run has passed', () => {
    const { passed, counts } = jsonReport(report)
    assert.deepEqual(counts, { pass: 5, 'non-strict': 5, fail: 5, skipped: 5 })
    assert.equal(passed, false)
    const lax = report.outcomes.filter(({ verdict }) => verdict === 'non-strict')
    assert.equal(jsonReport({ ...report, outcomes: lax }).passed, true)
    assert.equal(jsonReport({ ...report, outcomes: lax, strict: true }).passed, false)
  })

  test('shows nothing on a terminal that moves its cursor, and stays short', () => {
    const text = textReport(report)
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}|\p{Cf}/u)
    assert.match(text, /and 4 more: --json, --junit and --html list all/)
    assert.match(text, /20 cases in 1\.2 s: 5 passed, 5 not strict, 5 failed, 5 skipped$/)
  })
})

test('the page runs nothing, fits a phone, and differs in light and dark', {
  timeout: 60_000,
  skip: chromiumMissing(),
}, async (t) => {
  const browser = await launchChromium()
  t.after(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 360, height: 800 } })
  const grounds: unknown[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setContent(htmlReport(report))
    assert.equal(await page.title(), 'Conformance of ws://a/<b>&"')
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
    grounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
  }
  assert.notEqual(grounds[0], grounds[1])
  assert.equal(await page.locator('td.fail').count(), 5)
})
