// Long text is validated by the loop for the lengths of its characters: one, up to two, rows of three, up to three, any.
// Each loop must judge every sequence as Node.js does, at every place, and refuse a text at its first wrong byte.
import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { describe, it } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { UTF8_REJECTED } from '../../src/codec/wasm.generated.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { firstWrongByte } from '../support/referenceUtf8.js'

const LONGEST = 12_000
const ROUNDS = effort({ quick: 60, full: 2000 })
/** Of the pairs and of the sequences of three: primes, so that every byte comes in every place. */
const STEP = effort({ quick: 7, full: 1 })
const BLOCK = 16
const heap = heapOfThread()
const memory = heap.codec.bytes
const { validate } = heap.codec.call
const area = heap.allocate(LONGEST + 64).pointer

/** What surrounds a sequence, so that the loop of that kind gets it. */
const kinds = new Map([
  ['ASCII', 'plain text '],
  ['two bytes', 'жщюёд'],
  ['ASCII and two bytes', 'Zoë, Müller; Москва '],
  ['rows of three bytes', '水車と水門'],
  ['three bytes from 0xe0 and 0xed on', 'ก한'],
  ['one to three bytes', '水車 と é ж'],
  ['one to four bytes', 'ab😀é水'],
])

/** So many bytes of this text, from one of its characters on, and the last one whole or blanks. */
function textOf(unit: string, length: number): Buffer {
  const bytes = Buffer.alloc(length, ' ')
  const one = Buffer.from(unit)
  for (let at = 0; at + one.length <= length; at += one.length) one.copy(bytes, at)
  return bytes
}

function stateAfter(from: number, length: number, state = 0): number {
  return validate(state, from, length) >>> 0
}

/** Judges `text`, at `from` in the memory, as Node.js does; says which sequence it was if not. */
function mustAgree(text: Buffer, from: number, what: string): void {
  memory.set(text, from)
  const expected = isUtf8(text)
  const actual = stateAfter(from, text.length) === 0
  if (actual !== expected) assert.equal(actual, expected, what)
}

/** Random characters of these code points, in runs, and blanks. */
function randomRuns(random: Random, length: number): Buffer {
  const units = [...kinds.values()]
  const pieces: Buffer[] = []
  for (let bytes = 0; bytes < length; ) {
    const piece = textOf(random.pick(units), random.pick([7, 50, 300, 1100, 4200]))
    pieces.push(piece)
    bytes += piece.length
  }
  return Buffer.concat(pieces)
}

describe('UTF-8 in long text', () => {
  for (const [kind, unit] of kinds) {
    it(`every pair of bytes among ${kind}`, () => {
      const background = textOf(unit, 160)
      const text = Buffer.alloc(background.length)
      for (let pair = 0; pair < 65_536; pair += STEP) {
        const place = pair % (text.length - 1)
        background.copy(text)
        text[place] = pair >> 8
        text[place + 1] = pair & 0xff
        mustAgree(text, area + (pair % BLOCK), `${pair.toString(16)} at ${place}`)
      }
    })

    it(`every lead of three bytes with every byte after it, among ${kind}`, () => {
      const background = textOf(unit, 160)
      const text = Buffer.alloc(background.length)
      const starts = [...background.keys()].filter((at) => ((background[at] ?? 0) & 0xc0) !== 0x80 && at < 140)
      for (let number = 0; number < 0x1000; number++) {
        const place = starts[number % starts.length] ?? 0
        for (const last of [0x7f, 0x80, 0xbf, 0xc0]) {
          background.copy(text)
          text.set([0xe0 | (number >> 8), number & 0xff, last], place)
          // What is left of the characters that the sequence took the place of is blank.
          for (let at = place + 3; ((text[at] ?? 0) & 0xc0) === 0x80; at++) text[at] = 0x20
          mustAgree(text, area, `${text.subarray(place, place + 3).toString('hex')} at ${place}`)
        }
      }
    })

    it(`${kind} of every length, and cut at every byte`, () => {
      const random = new Random(seed)
      for (let length = 0; length <= 200; length++) {
        const text = textOf(unit, 200).subarray(0, length)
        const from = area + random.below(BLOCK)
        // What lies around a text must not count.
        memory.fill(random.pick([0x20, 0x80, 0xe3, 0xf0]), from - Math.min(from - area, 3), from)
        mustAgree(text, from, `${length} bytes`)
        memory.fill(random.pick([0x80, 0xff]), from + length, from + length + BLOCK)
        const whole = stateAfter(from, length)
        for (let cut = 0; cut <= length; cut++) {
          const state = stateAfter(from + cut, length - cut, stateAfter(from, cut))
          if (state !== whole) assert.equal(state, whole, `${length} bytes cut at ${cut}`)
        }
      }
    })

    it(`${kind} with one byte changed is refused at the first wrong byte, and not before`, () => {
      const random = new Random(seed)
      const right = textOf(unit, 400)
      for (let round = 0; round < 10 * ROUNDS; round++) {
        const text = Buffer.from(right)
        text[random.below(text.length)] = random.next()
        const wrong = Math.min(firstWrongByte(text), text.length + 1)
        const from = area + random.below(BLOCK)
        memory.set(text, from)
        assert.notEqual(stateAfter(from, wrong - 1), UTF8_REJECTED, text.toString('hex'))
        if (wrong <= text.length) assert.equal(stateAfter(from, wrong), UTF8_REJECTED, text.toString('hex'))
        const cut = random.below(wrong)
        const state = stateAfter(from + cut, text.length - cut, stateAfter(from, cut))
        assert.equal(state === UTF8_REJECTED, wrong <= text.length, `${text.toString('hex')} cut at ${cut}`)
      }
    })
  }

  it('runs of all kinds, longer than any piece, with up to three bytes changed and in up to four reads', () => {
    const random = new Random(seed)
    let refused = 0
    for (let round = 0; round < 4 * ROUNDS; round++) {
      const text = randomRuns(random, random.below(LONGEST)).subarray(0, LONGEST)
      for (let edits = random.below(4); edits > 0; edits--) text[random.below(text.length)] = random.next()
      const from = area + random.below(BLOCK)
      memory.set(text, from)
      const cuts = [0, ...Array.from({ length: random.below(4) }, () => random.below(text.length)), text.length]
      cuts.sort((a, b) => a - b)
      let state = 0
      for (const [index, cut] of cuts.entries()) {
        const next = cuts[index + 1]
        if (next !== undefined) state = stateAfter(from + cut, next - cut, state)
      }
      const expected = isUtf8(text)
      assert.equal(state === 0, expected, `round ${round}: ${text.length} bytes cut at ${cuts.join(', ')}`)
      assert.equal(stateAfter(from, text.length) === 0, expected, `round ${round}: ${text.length} bytes`)
      if (!expected) refused++
    }
    assert.ok(refused > ROUNDS && refused < 4 * ROUNDS, `${refused} were wrong`)
  })
})
