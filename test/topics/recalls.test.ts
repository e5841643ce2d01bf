// What is asked of a broker that numbers for all: holes upon holes, what a slow reader is not sent of what comes late, and a
// broker that has fallen silent. The broker of these tests answers when it is told to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryLimits } from '../../src/topics/options.js'
import type { Order, OrderingBroker, Recalled } from '../../src/topics/ordering.js'
import { connections } from '../support/connections.js'
import { settle } from '../support/settle.js'

const EPOCH = 5

interface Asked {
  readonly topic: string
  readonly after: number
  readonly before: number
}

class ToldBroker implements OrderingBroker {
  readonly statistics = { connected: true, published: 0, dropped: 0, received: 0, missed: 0 }
  readonly asked: Asked[] = []
  missed = 0
  #order: Order | undefined

  order(order: Order): void {
    this.#order = order
  }

  keep(topic: string, _limits: HistoryLimits): void {
    this.#order?.recalled(topic, { epoch: EPOCH, first: 1, last: 0 }, [])
  }

  recall(topic: string, after: number, before: number): boolean {
    this.asked.push({ topic, after, before })
    return true
  }

  missing(count: number): void {
    this.missed += count
  }

  attach(): void {}
  subscribe(): void {}
  unsubscribe(): void {}
  publish(): void {}
  publishOrdered(): undefined {}
  async close(): Promise<void> {}

  /** A publication comes, whose text is its number. */
  bring(topic: string, number: number, size = 0): void {
    this.#order?.ordered(topic, payloadOf(number, size), true, number, undefined)
  }

  /** Answers the oldest question with all that was published up to a number. */
  answer(last: number, size = 0): void {
    const question = this.asked.shift()
    assert.ok(question !== undefined)
    const publications: Recalled[] = []
    for (let number = Math.max(1, question.after + 1); number < Math.min(question.before, last + 1); number++)
      publications.push({ number, isText: true, payload: payloadOf(number, size), age: 0 })
    this.#order?.recalled(question.topic, { epoch: EPOCH, first: 1, last }, publications)
  }
}

function payloadOf(number: number, size: number): Buffer {
  return Buffer.from(`${number}`.padEnd(size))
}

test('a hole while what is missing of an earlier one is sent loses nothing', async () => {
  const broker = new ToldBroker()
  const { connect } = connections({ broker, topics: { history: { messages: 1000 } } })
  const { wire, peer } = connect()
  peer.subscribe('a')
  broker.bring('a', 1)
  broker.bring('a', 4)
  await Promise.resolve()
  broker.answer(4)
  broker.bring('a', 7) // what has come again goes with what it was asked for
  while (broker.asked.length > 0 || wire.texts().length < 7) {
    if (broker.asked.length > 0) broker.answer(7)
    const { length } = wire.texts()
    await settle()
    if (broker.asked.length === 0 && wire.texts().length === length) break
  }
  assert.deepEqual(wire.texts(), ['1', '2', '3', '4', '5', '6', '7'])
  assert.equal(broker.missed, 0)
  peer.terminate()
})

test('a function envelope that publishes while what is missing comes: no position is that of another publication', async () => {
  const broker = new ToldBroker()
  let brings: number | undefined
  const envelope = (): boolean => {
    const number = brings
    brings = undefined
    if (number !== undefined) broker.bring('a', number, 500)
    return true
  }
  const { connect } = connections({ broker, topics: { history: { bytes: 1000 }, envelope } })
  const { wire, peer } = connect()
  peer.subscribe('a')
  broker.bring('a', 1)
  for (const number of [4, 5, 6]) broker.bring('a', number, number === 4 ? 500 : 0)
  await Promise.resolve()
  brings = 7 // drops 4, which what is missing comes right before
  broker.answer(6)
  await settle()
  for (let asked = broker.asked.length; asked > 0; asked = broker.asked.length) {
    broker.answer(7)
    await settle()
  }
  assert.equal(brings, undefined)
  const sent = wire.texts().map((text) => text.split('\n'))
  for (const [header = '', payload = ''] of sent)
    assert.equal(JSON.parse(header).position, `${EPOCH}.${payload.trim()}`)
  assert.deepEqual(
    sent.map(([, payload = '']) => payload.trim()),
    ['1', '2', '3', '4', '5', '6', '7'],
  )
  peer.terminate()
})

test('a function envelope that publishes more than the memory of histories while what is missing comes: it goes on', async () => {
  const broker = new ToldBroker()
  let isAsked = false
  let brought = 0
  const envelope = (topic: string): boolean => {
    if (isAsked && topic === 'a') broker.bring('b', ++brought, 300_000)
    return false
  }
  const { connect } = connections({ broker, topics: { history: {}, historyMemory: 200_000, envelope } })
  const { wire, peer } = connect()
  peer.subscribe('a')
  broker.bring('a', 1)
  broker.bring('a', 4)
  await Promise.resolve()
  isAsked = true
  broker.answer(4, 20_000)
  isAsked = false
  await settle()
  for (let asked = broker.asked.length; asked > 0; asked = broker.asked.length) {
    broker.answer(4, 20_000)
    await settle()
  }
  assert.equal(wire.texts().at(-1)?.trim(), '4')
  peer.terminate()
})

test("what comes late and is dropped by the policy 'drop' counts as left out", async () => {
  const broker = new ToldBroker()
  const { connect } = connections({ broker, topics: { history: {} }, outputPolicy: 'drop', outputLimit: 10_000 })
  const { wire, peer } = connect()
  peer.subscribe('a')
  broker.bring('a', 1)
  await settle()
  wire.stuck = true
  broker.bring('a', 102)
  await Promise.resolve()
  broker.answer(102, 1000)
  await settle()
  const leftOut = peer.leftOut('a')
  assert.ok(leftOut > 0)
  wire.stuck = false
  wire.finish()
  await settle()
  assert.equal(wire.texts().length + leftOut, 102)
  peer.terminate()
})

test('a broker that answers nobody is not waited for again by those for whom it was not asked yet', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const broker = new ToldBroker()
  const { connect } = connections({ broker, topics: { history: {} } })
  const { peer } = connect()
  const answers: string[] = []
  for (let at = 0; at < 100; at++) {
    const topic = `t${at}`
    void peer.subscribe(topic, { after: `${EPOCH.toString(36)}.9` }).then((answer) => {
      if (!answer.resumed) answers.push(answer.gap.reason)
    })
  }
  await Promise.resolve()
  assert.equal(broker.asked.length, 8)
  t.mock.timers.tick(5000)
  t.mock.timers.reset()
  await settle()
  assert.deepEqual(answers, new Array(100).fill('unreachable'))
  peer.terminate()
})
