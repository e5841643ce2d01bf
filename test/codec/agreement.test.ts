// The codec is fast and clever, the reference parser slow and obvious: whatever a peer sends, in whatever pieces,
// both must say the same, after every piece.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { Agreement } from './agreement.js'
import { randomCuts, randomStream } from './streams.js'

/** Counts what the random streams led to, so that a test can tell when they no longer lead anywhere. */
class Tally {
  bytes = 0
  readonly #outcomes = new Map<string, number>()

  add({ expected }: Agreement): void {
    this.bytes += expected.taken
    this.#count(expected.violation ?? 'NONE')
    for (const { opcode, compressed } of expected.events)
      this.#count(`opcode ${opcode}${compressed ? ', compressed' : ''}`)
  }

  atLeast(times: number, outcomes: readonly string[]): void {
    for (const outcome of outcomes) {
      const seen = this.#outcomes.get(outcome) ?? 0
      assert.ok(seen >= times, `${outcome} came up only ${seen} times`)
    }
  }

  #count(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
  }
}

const OUTCOMES = [
  'NONE',
  'RESERVED_BITS',
  'RESERVED_OPCODE',
  'CONTROL_FRAGMENTED',
  'CONTROL_TOO_LONG',
  'CONTINUATION_UNEXPECTED',
  'CONTINUATION_EXPECTED',
  'MASK_MISSING',
  'MASK_FORBIDDEN',
  'LENGTH_NOT_MINIMAL',
  'LENGTH_TOP_BIT',
  'LENGTH_UNSAFE',
  'MESSAGE_TOO_LONG',
  'INVALID_UTF8',
  'TOO_MANY_FRAGMENTS',
  'opcode 1',
  'opcode 1, compressed',
  'opcode 2, compressed',
  'opcode 2',
  'opcode 8',
  'opcode 9',
  'opcode 10',
] as const

/** Streams from seeds of their own, which a failure names. */
function* streams(count: number, longest: number, frames: number): Generator<[Agreement, number, Random]> {
  for (let from = seed; from < seed + count; from++) {
    const random = new Random(from)
    const { bytes, rules } = randomStream(random, longest, frames)
    yield [new Agreement(bytes, rules, `SEED=${from}`), bytes.length, random]
  }
}

const LONG = effort({ quick: 150, full: 600 })

describe('codec and reference parser agree', () => {
  it('on short random streams, split anywhere', () => {
    const tally = new Tally()
    for (const [agreement] of streams(effort({ quick: 1000, full: 4000 }), 40, 4)) {
      agreement.checkEverySplit()
      tally.add(agreement)
    }
    tally.atLeast(effort({ quick: 1, full: 5 }), OUTCOMES)
  })

  it('on short random streams, split twice', () => {
    for (const [agreement, length] of streams(effort({ quick: 50, full: 100 }), 12, 3)) {
      for (let first = 1; first < length; first++) {
        for (let second = first; second < length; second++) agreement.check([first, second])
      }
    }
  })

  it('on long random streams, split at random', () => {
    const tally = new Tally()
    for (const [agreement, length, random] of streams(LONG, 20_000, 30)) {
      for (let split = 0; split < 4; split++) agreement.check(randomCuts(random, length))
      tally.add(agreement)
    }
    assert.ok(tally.bytes > 5000 * LONG, `only ${tally.bytes} bytes`)
  })

  it('on payloads of the 64-bit tier', () => {
    for (const [agreement, length, random] of streams(effort({ quick: 10, full: 40 }), 100_000, 12)) {
      for (let split = 0; split < 4; split++) agreement.check(randomCuts(random, length))
    }
  })
})
