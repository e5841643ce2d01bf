// Close can be said by either side, by both at once, twice, or not at all: every order of events against a description
// of the rules that is too simple to be wrong (RFC 6455, sections 5.5.1 and 7.1).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CloseStatus } from '../../src/protocol/closeCode.js'
import { ClosingHandshake } from '../../src/protocol/closingHandshake.js'

type Step = 'send' | 'receive' | 'fail'
const STEPS: readonly Step[] = ['send', 'receive', 'fail']

/** Every sequence of up to `length` steps. */
function* sequences(length: number): Generator<readonly Step[]> {
  yield []
  if (length === 0) return
  for (const rest of sequences(length - 1)) for (const step of STEPS) yield [step, ...rest]
}

/** The same step at another place says something else, so that the first can be told from the second. */
function statusOf(step: Step, place: number): CloseStatus {
  return { code: (step === 'send' ? 3000 : 4000) + place, reason: `${step} ${place}` }
}

function run(steps: readonly Step[]): { closing: ClosingHandshake; accepted: boolean[] } {
  const closing = new ClosingHandshake()
  const accepted: boolean[] = []
  steps.forEach((step, place) => {
    if (step === 'send') accepted.push(closing.send(statusOf(step, place)))
    else if (step === 'receive') closing.receive(statusOf(step, place))
    else closing.fail()
  })
  return { closing, accepted }
}

function firstOf(steps: readonly Step[], step: Step): CloseStatus | undefined {
  const place = steps.indexOf(step)
  return place < 0 ? undefined : statusOf(step, place)
}

describe('every order of sending, receiving and failing', () => {
  for (const steps of sequences(4)) {
    test(steps.join(', ') || 'nothing', () => {
      const { closing, accepted } = run(steps)
      const sent = firstOf(steps, 'send')
      const received = firstOf(steps, 'receive')
      const failed = steps.includes('fail')

      // Section 5.5.1: nothing is sent after Close, a second Close neither.
      assert.deepEqual(
        accepted,
        accepted.map((_, index) => index === 0),
      )
      assert.equal(closing.sent, sent !== undefined)
      assert.equal(closing.received, received !== undefined)
      assert.equal(closing.complete, sent !== undefined && (received !== undefined || failed))
      assert.equal(closing.answer, received?.code)
      const ownEnd = failed ? sent : undefined
      assert.deepEqual(closing.outcome, ownEnd ?? received ?? { code: 1006, reason: '' })
    })
  }
})

describe('how it ends', () => {
  test('without any Close: 1006', () => {
    assert.deepEqual(new ClosingHandshake().outcome, { code: 1006, reason: '' })
  })

  test('a Close without a code is answered without one, and the outcome is 1005 (section 7.1.5)', () => {
    const closing = new ClosingHandshake()
    closing.receive({ code: 1005, reason: '' })
    assert.equal(closing.answer, undefined)
    assert.deepEqual(closing.outcome, { code: 1005, reason: '' })
  })

  test('our own Close that nobody answered: 1006', () => {
    const closing = new ClosingHandshake()
    assert.equal(closing.send({ code: 1001, reason: 'bye' }), true)
    assert.deepEqual(closing.outcome, { code: 1006, reason: '' })
    assert.equal(closing.complete, false)
  })

  test('a connection that this side failed ends with the code that it failed it with', () => {
    const closing = new ClosingHandshake()
    closing.fail()
    closing.send({ code: 1002, reason: 'reserved opcode' })
    closing.receive({ code: 1000, reason: '' })
    assert.deepEqual(closing.outcome, { code: 1002, reason: 'reserved opcode' })
    assert.equal(closing.complete, true)
  })
})
