// Whoever subscribes to a topic is found by its number, in the order in which it came, whether it is the only one or not. The
// twin is a Map that has every subscriber from the beginning; SEED=… repeats.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Subscriber } from '../../src/connection/subscriber.js'
import { Topic } from '../../src/topics/batch.js'
import { Random, seed } from '../support/random.js'

const everybody: Subscriber[] = Array.from({ length: 4 }, () => ({ deliver: () => 'sent' as const }))

test(`one, several and none again, seed ${seed}`, () => {
  const random = new Random(seed)
  for (let round = 0; round < 300; round++) {
    const topic = new Topic('topic')
    const { subscribers } = topic
    const twin = new Set<Subscriber>()
    for (let step = 0; step < 12; step++) {
      const one = random.pick(everybody.slice(0, 1 + (round % everybody.length)))
      if (twin.delete(one)) subscribers.delete(one)
      else {
        twin.add(one)
        subscribers.add(topic, one, step)
      }
      assert.deepEqual([...subscribers], [...twin])
      assert.equal(subscribers.size, twin.size)
      for (const each of everybody) assert.equal(subscribers.has(each), twin.has(each))
      const numbers = [...twin].map((each) => subscribers.numberOf(each) ?? 0)
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((one, other) => one - other),
      )
      assert.ok(numbers.every((number) => number > 0))
    }
  }
})

test('who comes while several are gone through is among them, and who leaves is not', () => {
  const topic = new Topic('topic')
  const { subscribers } = topic
  const [first, second, third, fourth] = everybody as [Subscriber, Subscriber, Subscriber, Subscriber]
  for (const one of [first, second, third]) subscribers.add(topic, one, 0)
  const going = subscribers[Symbol.iterator]()
  assert.equal(going.next().value, first)
  subscribers.delete(second)
  subscribers.add(topic, fourth, 0)
  assert.equal(going.next().value, third)
  assert.equal(going.next().value, fourth)
  assert.equal(going.next().done, true)
})
