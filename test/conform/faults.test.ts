// A suite that never fails proves nothing: here servers break one rule each, on purpose, and exactly the cases about that
// rule fail or are not strict, with what was expected and what came.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Outcome } from '../../src/conform/case.js'
import { selectCases } from '../../src/conform/cases.js'
import { runCases } from '../../src/conform/run.js'
import { effort } from '../support/effort.js'
import { type Fault, faulty } from './faultyServer.js'

const options = { timeout: 60_000 }

/** Sections whose cases a server without compression and limits can pass. */
const SECTIONS = ['4.2.2', '4.4', '5.1', '5.2', '5.4', '5.5', '7.4', '8.1']

async function outcomesOf(port: number, only: readonly string[], timeout = 1600): Promise<readonly Outcome[]> {
  const all = selectCases({ side: 'server', only })
  const cases = all.filter((_, at) => at % effort({ quick: 3, full: 1 }) === 0)
  const url = new URL(`ws://127.0.0.1:${port}/`)
  return runCases({ target: { url, headers: {} }, cases, parallel: 8, timeout })
}

function sectionsOf(outcomes: readonly Outcome[], verdict: string): readonly string[] {
  return [...new Set(outcomes.filter((one) => one.verdict === verdict).map((one) => one.case.section))]
}

describe('a server that keeps the rules', () => {
  test('passes', options, async (t) => {
    const outcomes = await outcomesOf(await faulty(t), SECTIONS, 6000)
    // It waits for the end of a text and keeps no limits, which is allowed.
    const different = outcomes.filter(({ verdict, case: one }) => !/pass|skipped/.test(verdict) && one.level === 'must')
    assert.deepEqual(
      different.map(({ case: one, came }) => `${one.id}: ${came}`),
      [],
    )
  })
})

/** Which sections a fault shows in, out of those that are run; `rest` must stay right. */
const FAULTS: readonly (readonly [fault: Fault, fails: readonly string[], rest: readonly string[], came: RegExp])[] = [
  ['anyVersion', ['4.4'], ['5.1'], /101/],
  ['anyAccept', ['4.2.2', '5.5.3'], [], /Sec-WebSocket-Accept/],
  ['extension', ['4.2.2', '5.5.3'], [], /x-unasked/],
  ['takesUnmasked', ['5.1'], ['5.5.3'], /came|text|binary|nothing|Pong|Close 1000/],
  ['takesReservedBits', ['5.2'], ['5.1', '5.5.3'], /text|binary|nothing/],
  ['takesReservedOpcodes', ['5.2'], ['5.1', '5.5.3'], /nothing|text/],
  ['takesLongControl', ['5.5', '5.5.1'], ['4.4', '5.5.3'], /nothing|Close|Pong/],
  ['takesAnyOrder', ['5.4'], ['5.1', '5.5.3'], /text|binary|nothing/],
  ['takesAnyText', ['8.1'], ['5.1', '5.5.3'], /not UTF-8/],
  ['takesAnyCode', ['7.4.2'], ['7.4.1'], /./],
  ['masksAnswers', ['5.5.3'], ['4.4'], /masked frame/],
  ['setsReservedBits', ['5.5.3'], ['4.4'], /reserved bit/],
  ['longLengths', ['5.5.3'], ['4.4'], /shortest form/],
  ['answersTwice', ['5.5.3'], ['7.4.1'], /text/],
  ['answersWrongly', ['5.5.3'], ['7.4.1'], /text/],
  ['emptyPongs', ['5.5.2', '5.5.3'], ['7.4.1'], /Pong|nothing/],
  ['noPongs', ['5.5.2', '5.5.3'], ['7.4.1'], /nothing/],
  ['noCloseFrame', ['7.4.1'], ['4.4'], /end of the TCP connection, without a Close frame/],
  ['keepsTcpOpen', ['7.4.1'], ['4.4'], /still open/],
]

/** Cases that a fault can be told from are enough: the section as a whole is run by the full suite. */
describe('a rule that is broken', { concurrency: 2 }, () => {
  for (const [fault, fails, rest, came] of FAULTS) {
    test(fault, options, async (t) => {
      const outcomes = await outcomesOf(await faulty(t, fault), [...fails, ...rest])
      const failed = outcomes.filter(({ verdict }) => verdict === 'fail')
      const others = failed.filter(({ case: one }) => !fails.includes(one.section))
      assert.deepEqual(
        others.map((outcome) => `${outcome.case.id}: ${outcome.came}`),
        [],
        'a case about another rule fails',
      )
      assert.ok(failed.length > 0, 'no case has failed')
      assert.ok(
        failed.some((outcome) => came.test(outcome.came)),
        failed.map((outcome) => outcome.came).join('\n'),
      )
      for (const { expected, case: one } of failed) assert.notEqual(expected, '', one.id)
    })
  }
})

describe('what is not strict', () => {
  for (const [fault, only, came] of [
    ['noCode', '5.1', /Close frame without a code/],
    ['otherCode', '7.4.1', /Close 1011/],
    ['noCloseFrame', '5.1', /without a Close frame/],
    ['keepsTcpOpen', '5.1', /still open/],
  ] as const) {
    test(fault, options, async (t) => {
      const outcomes = await outcomesOf(await faulty(t, fault), [only])
      const lax = outcomes.filter(({ verdict }) => verdict === 'non-strict')
      assert.ok(lax.length > 0)
      assert.deepEqual(sectionsOf(outcomes, 'fail'), [])
      for (const outcome of lax) assert.match(outcome.came, came)
    })
  }
})

test('cases of compression are skipped where the server accepts no offer', options, async (t) => {
  const outcomes = await outcomesOf(await faulty(t), ['7692-6'])
  assert.deepEqual([...new Set(outcomes.map(({ verdict }) => verdict))], ['skipped'])
  assert.match(outcomes[0]?.came ?? '', /does not accept/)
})
