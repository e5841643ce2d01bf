// The history of topics: what is kept, what is forgotten, and in how much memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { SharedBlock } from '../../src/memory/sharedBlock.js'
import { Histories } from '../../src/topics/history.js'
import { KeptRing } from '../../src/topics/keptRing.js'
import type { HistoryOptions } from '../../src/topics/options.js'
import { positionText, readPosition } from '../../src/topics/position.js'
import type { TopicHistory } from '../../src/topics/topicHistory.js'
import { Random, seed } from '../support/random.js'

/** Histories with a clock that the test sets. */
class Place {
  now = 0
  readonly histories: Histories
  block: SharedBlock | undefined

  constructor(option: ConstructorParameters<typeof Histories>[0], memory = 2 ** 20, mostTopics?: number) {
    this.histories = new Histories(option, memory, () => this.now, mostTopics)
  }

  of(name: string): TopicHistory {
    const history = this.histories.of(name)
    assert.ok(history !== undefined)
    return history
  }

  /** Keeps a publication of so many bytes, in a block with up to seven others. */
  keep(name: string, length: number): void {
    const history = this.of(name)
    this.block ??= new SharedBlock(heapOfThread(), 8 * 1024)
    const { block } = this
    this.histories.keep(history, block, block.size, block.pointer, length)
    if (history.last % 8 !== 0) return
    block.release()
    this.block = undefined
  }
}

test('as much is kept as the limits of the topic say', () => {
  const place = new Place({ messages: 3, bytes: 100, maxAge: 1000 })
  const history = place.of('a')
  for (let at = 0; at < 5; at++) place.keep('a', 10)
  assert.deepEqual([history.first, history.last, history.bytes], [3, 5, 30])
  place.keep('a', 95)
  assert.deepEqual([history.first, history.last, history.bytes], [6, 6, 95])
  place.now = 1001
  place.histories.refresh(history)
  assert.deepEqual([history.first, history.last, history.size, history.at(6)], [7, 6, 0, undefined])
  assert.equal(place.histories.bytes, 0)
})

test(`the memory stays within its bound, and what goes is the oldest (SEED=${seed})`, () => {
  const random = new Random(seed)
  const place = new Place({ messages: 1000, bytes: 2 ** 20 }, 100_000)
  for (let at = 0; at < 20_000; at++) {
    place.keep(random.pick(['a', 'b', 'c', 'd']), random.between(1, 1000))
    assert.ok(place.histories.bytes <= 100_000, String(place.histories.bytes))
  }
  for (const name of ['a', 'b', 'c', 'd']) {
    const history = place.of(name)
    assert.ok(history.size > 0)
    for (let number = history.first; number <= history.last; number++) assert.ok(history.at(number) !== undefined)
    assert.equal(history.at(history.first - 1), undefined)
    assert.equal(history.at(history.last + 1), undefined)
  }
  place.histories.clear()
  assert.equal(place.histories.bytes, 0)
})

test('a topic that was forgotten never counts back', () => {
  const place = new Place({}, 2 ** 20, 2)
  for (let at = 0; at < 7; at++) place.keep('a', 10)
  const forgotten = place.of('a')
  place.of('b')
  place.of('c')
  assert.equal(place.histories.knows(forgotten), false)
  assert.equal(place.of('a').last, 8)
})

test('who stands where a topic stood when it was forgotten is not told that nothing was missed', () => {
  const place = new Place({}, 2 ** 20, 1)
  place.keep('a', 10)
  const { last } = place.of('a')
  place.of('b')
  const { first } = place.of('a')
  assert.ok(last < first - 1, `${last} ${first}`)
})

test('what a function says of the history of a topic is checked as the option is', () => {
  for (const wrong of [{ messages: -1 }, { maxAge: 0 }, { bytes: Number.NaN }, { message: 5 }, 5, true, null]) {
    const place = new Place(() => wrong as HistoryOptions)
    assert.throws(() => place.of('a'), { code: /^ERR_OPTION_/ }, JSON.stringify(wrong))
    assert.equal(place.histories.has('a'), false)
  }
})

test('a position is a short string, and no other string is one', () => {
  const position = { epoch: 2 ** 48 - 1, number: 2 ** 48 - 1 }
  assert.deepEqual(readPosition(positionText(position)), position)
  for (const text of ['', '.', 'a', 'a.', '.1', 'a.1.2', 'A.1', 'a.-1', 'a.1e9 ', `a.${'z'.repeat(12)}`])
    assert.equal(readPosition(text), undefined, text)
})

test(`rows that are used again and again hold what an array holds (SEED=${seed})`, () => {
  const random = new Random(seed)
  const ring = new KeptRing<string>()
  const plain: [string, number, number, number][] = []
  for (let step = 0; step < 20_000; step++) {
    const one: [string, number, number, number] = [`${step}`, step, random.between(1, 9), step / 3]
    const grows = Math.sin(step / 500) > 0
    if (random.between(0, 9) < (grows ? 6 : 2)) {
      ring.push(...one)
      plain.push(one)
    } else if (random.between(0, 9) < 1) {
      ring.unshift(...one)
      plain.unshift(one)
    } else assert.equal(ring.shift(), plain.shift()?.[0])
    assert.equal(ring.size, plain.length)
    if (plain.length === 0) continue
    const index = random.between(0, plain.length - 1)
    assert.deepEqual(
      [ring.blockOf(index), ring.pointerOf(index), ring.lengthOf(index), ring.timeOf(index)],
      plain[index],
    )
  }
})
