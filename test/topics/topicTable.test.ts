// Topics are found by their names, however many come and go, and whoever chooses the names. The twin is a Map; SEED=… repeats.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Topic } from '../../src/topics/batch.js'
import { TopicTable } from '../../src/topics/topicTable.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'

test(`thousands of topics come and go, seed ${seed}`, () => {
  const random = new Random(seed)
  const table = new TopicTable()
  const twin = new Map<string, Topic>()
  const nameOf = (number: number): string => `${'é'.repeat(number % 5)}${number}${'\0'.repeat(number % 3)}`
  for (let round = 0; round < effort({ quick: 6, full: 40 }); round++) {
    // There are many in one round, and few in the next.
    const most = round % 2 === 0 ? 3000 : 30
    for (let step = 0; step < 6000; step++) {
      const name = nameOf(random.below(most))
      const found = table.find(name)
      assert.equal(found, twin.get(name))
      if (found === undefined) {
        const topic = new Topic(name)
        table.add(topic)
        twin.set(name, topic)
      } else {
        table.delete(found)
        twin.delete(name)
      }
      assert.equal(table.size, twin.size)
    }
    for (const [name, topic] of twin) assert.equal(table.find(name), topic)
    for (const topic of twin.values()) if (random.below(10) > 0) table.delete(topic)
    for (const [name, topic] of twin) if (table.find(name) !== topic) twin.delete(name)
    assert.equal(table.size, twin.size)
  }
})

test('names that differ in little, or in places far apart, lie in rows that are short', () => {
  const table = new TopicTable()
  const count = 20_000
  const shapes = [(at: number): string => String.fromCharCode(at + 1), (at: number): string => `${at}`.padEnd(255, 't')]
  for (const shape of shapes) for (let at = 0; at < count; at++) table.add(new Topic(shape(at)))
  const began = performance.now()
  for (const shape of shapes) for (let at = 0; at < count; at++) assert.ok(table.find(shape(at)))
  assert.ok(performance.now() - began < 3000, 'in rows of thousands, this would take minutes')
})

test('a topic that has gone holds no other, so that the garbage collector does not keep them for it', () => {
  const table = new TopicTable()
  const topics = Array.from({ length: 500 }, (_, at) => new Topic(`${at}`))
  for (const topic of topics) table.add(topic)
  for (const topic of topics) table.delete(topic)
  assert.ok(topics.every(({ next }) => next === undefined))
  assert.equal(table.size, 0)
})

test('what is no name is not found', () => {
  const table = new TopicTable()
  table.add(new Topic('a'))
  for (const name of ['', 'b', 'a'.repeat(256), 'a'.repeat(1_000_000), undefined, 7, {}]) {
    assert.equal(table.find(name as string), undefined)
  }
  assert.equal(table.find('a')?.name, 'a')
})
