// What is lost must be counted, whichever publications are lost, and nothing else: numbers are compared here with a
// model that knows what was really sent and what arrived.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Gaps } from '../../src/brokers/gaps.js'
import { Interest } from '../../src/brokers/interest.js'
import { Numbering } from '../../src/brokers/numbering.js'
import { Random, seed } from '../support/random.js'

const random = new Random(seed)

function note(gaps: Gaps, numbering: Numbering, topic: string): boolean {
  const { number, begins } = numbering.next(topic) ?? assert.fail()
  return gaps.note({ topic, publisher: numbering.publisher, number, begins })
}

describe('gaps', () => {
  test(`are those that a model knows (SEED=${seed})`, () => {
    for (let round = 0; round < 200; round++) {
      const publishers = Array.from({ length: random.between(1, 4) }, () => new Numbering())
      const topics = ['a', 'b', 'c']
      const gaps = new Gaps()
      const lossRate = random.pick([0, 0.1, 0.9])
      /** Of each topic and publisher that has been seen: what was lost since. */
      const lost = new Map<string, number>()
      let expected = 0
      for (const topic of topics) gaps.subscribe(topic)
      for (let step = 0; step < 200; step++) {
        const topic = random.pick(topics)
        const publisher = random.pick(publishers)
        const key = `${topic} ${publisher.publisher}`
        if (random.chance(0.02)) {
          gaps.unsubscribe(topic)
          gaps.subscribe(topic)
          for (const known of [...lost.keys()]) if (known.startsWith(`${topic} `)) lost.delete(known)
        } else if (random.chance(lossRate)) {
          publisher.next(topic)
          const before = lost.get(key)
          if (before !== undefined) lost.set(key, before + 1)
        } else {
          assert.equal(note(gaps, publisher, topic), true)
          expected += lost.get(key) ?? 0
          lost.set(key, 0)
        }
      }
      assert.equal(gaps.missed, expected)
    }
  })

  test('begin with the first that is seen', () => {
    const [gaps, numbering] = [new Gaps(), new Numbering()]
    for (let count = 0; count < 10; count++) numbering.next('a')
    gaps.subscribe('a')
    assert.equal(note(gaps, numbering, 'a'), true)
    assert.equal(gaps.missed, 0)
  })

  test('are none on topics that are not subscribed', () => {
    const [gaps, numbering] = [new Gaps(), new Numbering()]
    assert.equal(note(gaps, numbering, 'a'), false)
    gaps.subscribe('a')
    assert.equal(note(gaps, numbering, 'a'), true)
    gaps.unsubscribe('a')
    assert.equal(note(gaps, numbering, 'a'), false)
    assert.equal(gaps.missed, 0)
  })

  test('that were counted are not filled later: the order stays', () => {
    const gaps = new Gaps()
    gaps.subscribe('a')
    const arrive = (number: number): boolean => gaps.note({ topic: 'a', publisher: 1, number, begins: false })
    assert.deepEqual([5, 8, 6, 7, 8, 9].map(arrive), [true, true, false, false, false, true])
    assert.equal(gaps.missed, 2)
  })

  test('forget publishers, so that memory is bounded', () => {
    const gaps = new Gaps(10)
    gaps.subscribe('a')
    const arrive = (publisher: number, number: number): boolean =>
      gaps.note({ topic: 'a', publisher, number, begins: false })
    for (let publisher = 0; publisher < 11; publisher++) arrive(publisher, 1)
    arrive(10, 3)
    assert.equal(gaps.missed, 1, 'the last is known')
    arrive(0, 5)
    assert.equal(gaps.missed, 1, 'the first is not')
  })

  test('forget publishers of all topics together, and each topic its own', () => {
    const gaps = new Gaps(1024, 100)
    const topics = Array.from({ length: 50 }, (_, at) => `topic ${at}`)
    for (const topic of topics) gaps.subscribe(topic)
    gaps.note({ topic: 'topic 0', publisher: 1, number: 1, begins: false })
    for (let publisher = 1000; publisher < 3000; publisher++) {
      gaps.note({ topic: 'topic 1', publisher, number: 1, begins: false })
    }
    assert.equal(gaps.size, 100)
    gaps.note({ topic: 'topic 0', publisher: 1, number: 3, begins: false })
    assert.equal(gaps.missed, 1, 'topic 0 remembers its publisher')
    for (const topic of topics) {
      for (let publisher = 1; publisher < 20; publisher++) gaps.note({ topic, publisher, number: 5, begins: true })
    }
    assert.ok(gaps.size <= 150, `${gaps.size}`)
    for (const topic of topics) gaps.unsubscribe(topic)
    assert.equal(gaps.size, 0)
  })
})

describe('numbers', () => {
  test('never go back, and are no gap when a topic was forgotten', () => {
    const [gaps, numbering] = [new Gaps(), new Numbering(8)]
    const topics = Array.from({ length: 30 }, (_, at) => `topic ${at}`)
    const latest = new Map<string, number>()
    for (const topic of topics) gaps.subscribe(topic)
    for (let step = 0; step < 5000; step++) {
      const topic = random.pick(topics)
      const { number, begins } = numbering.next(topic) ?? assert.fail()
      assert.ok(number > (latest.get(topic) ?? 0))
      latest.set(topic, number)
      assert.equal(gaps.note({ topic, publisher: numbering.publisher, number, begins }), true)
      assert.ok(numbering.size <= 8)
    }
    assert.equal(gaps.missed, 0)
  })

  test('are those of one publisher', () => {
    const publishers = new Set(Array.from({ length: 100 }, () => new Numbering().publisher))
    assert.equal(publishers.size, 100)
  })

  test('have topics of at most 255 bytes: no other can be subscribed', () => {
    assert.notEqual(new Numbering().next('x'.repeat(255)), undefined)
    assert.equal(new Numbering().next('x'.repeat(256)), undefined)
    assert.equal(new Numbering().next('€'.repeat(86)), undefined)
  })
})

test(`only differences are told (SEED=${seed})`, () => {
  const interest = new Interest()
  const wanted = new Set<string>()
  const told = new Set<string>()
  const topics = Array.from({ length: 10 }, (_, at) => `${at}`)
  for (let step = 0; step < 3000; step++) {
    const topic = random.pick(topics)
    if (random.chance(0.5)) {
      wanted.add(topic)
      interest.add(topic)
    } else {
      wanted.delete(topic)
      interest.remove(topic)
    }
    if (random.chance(0.02)) {
      interest.reset()
      told.clear()
    }
    if (!random.chance(0.3)) continue
    const { added, removed } = interest.take()
    for (const one of added) assert.equal(told.has(one), false)
    for (const one of removed) assert.equal(told.delete(one), true)
    for (const one of added) told.add(one)
    assert.deepEqual([...told].toSorted(), [...wanted].toSorted())
    assert.equal(interest.changed, false)
  }
})
