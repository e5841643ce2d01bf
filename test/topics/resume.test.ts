// A client that comes back is sent what it has missed, in order and once, before anything newer, or is told what is missing.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Resumption } from '../../src/connection/resumption.js'
import type { Broker, Receive } from '../../src/topics/broker.js'
import { connections } from '../support/connections.js'
import { Random, seed } from '../support/random.js'
import { settle } from '../support/settle.js'

/** The position of a result. */
function positionOf({ position }: Resumption): string {
  assert.ok(position !== undefined)
  return position
}

/** Waits until a promise has settled: it must, within some seconds. */
async function within<Value>(promise: Promise<Value>): Promise<Value> {
  let done: { readonly value: Value } | undefined
  promise.then((value) => {
    done = { value }
  })
  for (const began = Date.now(); done === undefined && Date.now() - began < 10_000; ) await settle()
  assert.ok(done !== undefined, 'the promise has not settled')
  return done.value
}

test('what was missed is sent in order and once, before what is newer', async () => {
  const { shared, connect } = connections({ topics: { history: { messages: 10 } } })
  const { topics } = shared
  const first = connect()
  const start = await first.peer.subscribe('news', {})
  assert.equal(start.resumed, true)
  first.peer.terminate()
  for (const text of ['1', '2', '3']) topics.publish('news', text)
  topics.publish('olds', 'not of this topic')
  const second = connect()
  const resumption = second.peer.subscribe('news', { after: positionOf(start) })
  assert.equal(second.peer.isSubscribed('news'), true)
  topics.publish('news', Buffer.from('4'))
  const { resumed, position } = await within(resumption)
  assert.equal(resumed, true)
  topics.publish('news', '5')
  await settle()
  assert.deepEqual(second.wire.texts(), ['1', '2', '3', '4', '5'])
  const third = connect()
  await within(third.peer.subscribe('news', { after: position }))
  assert.deepEqual(third.wire.texts(), ['5'])
})

test('a gap is told with what is known of it, and the subscription goes on from now', async () => {
  const { shared, connect } = connections({
    topics: { history: (topic) => (topic === 'none' ? undefined : { messages: 2 }) },
  })
  const { topics } = shared
  const start = positionOf(await connect().peer.subscribe('news', {}))
  for (const text of ['1', '2', '3']) topics.publish('news', text)
  const ask = async (topic: string, after: string) => {
    const member = connect()
    const resumption = await within(member.peer.subscribe(topic, { after }))
    topics.publish(topic, 'after')
    await settle()
    return { resumption, texts: member.wire.texts() }
  }
  const late = await ask('news', start)
  assert.deepEqual(late.texts, ['after'])
  assert.ok(!late.resumption.resumed)
  assert.deepEqual(late.resumption.gap, { reason: 'forgotten', missed: 3 })
  const reasons = ['0.1', 'rubbish', start.replace(/[^.]*$/, 'zzz')].map(async (after) => {
    const { resumption, texts } = await ask('other', after)
    assert.equal(texts.at(-1), 'after')
    return resumption.resumed ? undefined : resumption.gap.reason
  })
  assert.deepEqual(await Promise.all(reasons), ['epoch', 'position', 'position'])
  const without = await ask('none', start)
  assert.deepEqual(without.texts, ['after'])
  assert.deepEqual(without.resumption, {
    resumed: false,
    gap: { reason: 'no-history', missed: undefined },
    position: undefined,
  })
})

test('who subscribes already is told that nothing is sent again, and who leaves meanwhile, that it was not all', async () => {
  const { shared, connect } = connections({ topics: { history: {} } })
  const member = connect()
  const start = positionOf(await member.peer.subscribe('news', {}))
  shared.topics.publish('news', '1')
  const again = await member.peer.subscribe('news', { after: start })
  assert.ok(!again.resumed)
  assert.equal(again.gap.reason, 'subscribed')
  const [leaves, ends] = [connect(), connect()]
  const left = leaves.peer.subscribe('news', { after: start })
  leaves.peer.unsubscribe('news')
  const ended = ends.peer.subscribe('news', { after: start })
  ends.peer.terminate()
  for (const resumption of [await within(left), await within(ended)]) {
    assert.ok(!resumption.resumed)
    assert.deepEqual(resumption.gap, { reason: 'closed', missed: 1 })
  }
  assert.deepEqual(leaves.wire.texts(), [])
  const gone = await ends.peer.subscribe('news', {})
  assert.equal(gone.resumed, false)
  assert.equal(shared.topics.leave(leaves.inside.sender), 0)
})

test('wrong options throw at once, and too many subscriptions do', async () => {
  const { connect } = connections({ maxSubscriptions: 1, topics: { history: {} } })
  const { peer } = connect()
  const wrong: object = { from: '1' }
  assert.throws(() => peer.subscribe('news', wrong), { code: 'ERR_OPTION_UNKNOWN' })
  assert.throws(() => peer.subscribe('', { after: 'a.1' }), { code: 'ERR_TOPIC_NAME' })
  await peer.subscribe('news', {})
  assert.throws(() => peer.subscribe('more', {}), { code: 'ERR_MAX_SUBSCRIPTIONS' })
})

test('who does not read is sent no more than its output limit takes, whatever its policy, and gets all in the end', async () => {
  for (const outputPolicy of ['drop', 'pause'] as const) {
    const { shared, connect } = connections({ outputPolicy, outputLimit: 4096, topics: { history: {} } })
    const start = positionOf(await connect().peer.subscribe('news', {}))
    const texts = Array.from({ length: 200 }, (_, at) => `${at} ${'x'.repeat(200)}`)
    for (const text of texts) shared.topics.publish('news', text)
    const slow = connect()
    slow.wire.stuck = true
    const resumption = slow.peer.subscribe('news', { after: start })
    await settle()
    assert.ok(slow.peer.bufferedAmount <= 4096, String(slow.peer.bufferedAmount))
    const quick = connect()
    await within(quick.peer.subscribe('news', { after: start }))
    assert.deepEqual(quick.wire.texts(), texts)
    slow.wire.stuck = false
    slow.wire.finish()
    assert.equal((await within(resumption)).resumed, true)
    assert.deepEqual(slow.wire.texts(), texts)
  }
})

test('the envelope tells topic and position, of text and of bytes', async () => {
  const { shared, connect } = connections({ topics: { history: {}, envelope: (topic) => topic !== 'plain' } })
  const member = connect()
  const start = positionOf(await member.peer.subscribe('news', {}))
  await member.peer.subscribe('plain', {})
  shared.topics.publish('news', 'a\nb')
  shared.topics.publish('news', Buffer.from([0, 255]))
  shared.topics.publish('plain', 'c')
  await settle()
  const [text, binary, plain] = member.wire.frames()
  const [header = '', ...payload] = text?.payload.toString().split('\n') ?? []
  const { position } = JSON.parse(header)
  assert.deepEqual([JSON.parse(header).topic, payload], ['news', ['a', 'b']])
  assert.equal(binary?.opcode, 2)
  const end = 2 + binary.payload.readUInt16BE(0)
  assert.equal(JSON.parse(binary.payload.toString('utf8', 2, end)).topic, 'news')
  assert.deepEqual(binary.payload.subarray(end), Buffer.from([0, 255]))
  assert.equal(plain?.payload.toString(), 'c')
  const again = connect()
  await within(again.peer.subscribe('news', { after: position }))
  assert.deepEqual(again.wire.frames(), [binary])
  assert.notEqual(position, start)
})

test('with a broker, all that others publish is kept, also while nobody subscribes, and what the broker lost is a gap', async () => {
  let receive: Receive = () => undefined
  const [subscribed, published]: [string[], string[]] = [[], []]
  const broker: Broker = {
    attach: (given) => {
      receive = given
    },
    subscribe: (topic) => subscribed.push(topic),
    unsubscribe: (topic) => subscribed.splice(subscribed.indexOf(topic), 1),
    publish: (topic) => published.push(topic),
    statistics: { connected: true, published: 0, dropped: 0, received: 0, missed: 0 },
    close: async () => undefined,
  }
  const { shared, connect } = connections({
    broker,
    topics: { history: (topic) => (topic === 'news' ? {} : undefined) },
  })
  const first = connect()
  first.peer.subscribe('other')
  const start = positionOf(await first.peer.subscribe('news', {}))
  assert.deepEqual(subscribed, ['other', 'news'])
  first.peer.terminate()
  await settle()
  assert.deepEqual(subscribed, ['news'])
  receive('news', Buffer.from('1'), true)
  shared.topics.publish('news', '2')
  const second = connect()
  const { resumed, position } = await within(second.peer.subscribe('news', { after: start }))
  assert.equal(resumed, true)
  assert.deepEqual(second.wire.texts(), ['1', '2'])
  receive('news', Buffer.from('6'), true, 3)
  await settle()
  const third = connect()
  const late = await within(third.peer.subscribe('news', { after: position }))
  assert.ok(!late.resumed)
  assert.deepEqual(late.gap, { reason: 'forgotten', missed: 4 })
  assert.deepEqual([subscribed, published], [['news'], ['news']])
})

test(`deliveries, resumes and gaps are those of a list, over random histories (SEED=${seed})`, async () => {
  const random = new Random(seed)
  for (let run = 0; run < 20; run++) {
    const messages = random.between(1, 12)
    const { shared, connect } = connections({ topics: { history: { messages } } })
    const names = ['a', 'b', 'c']
    const log = new Map<string, string[]>(names.map((name) => [name, []]))
    const logOf = (name: string) => log.get(name) ?? []
    /** Clients as they come and go: what each has seen of each topic, and where it stopped. */
    const clients = Array.from({ length: 4 }, () => ({
      member: connect(),
      at: new Map<string, { position: string; count: number }>(),
      expected: new Map<string, string[]>(),
    }))
    type Client = (typeof clients)[number]
    const sentOf = ({ member }: Client, name: string): string[] =>
      member.wire.texts().filter((text) => text.startsWith(name))
    const join = async (client: Client, name: string): Promise<void> => {
      const from = client.at.get(name)
      const known = logOf(name).length
      const pending = client.member.peer.subscribe(name, { after: from?.position })
      const isKept = from === undefined || known - from.count <= messages
      client.expected.set(name, isKept ? logOf(name).slice(from?.count ?? known) : [])
      const resumption = await within(pending)
      assert.equal(resumption.resumed, isKept, `${name} after ${from?.count} of ${known}, ${messages} kept`)
      if (!resumption.resumed) assert.equal(resumption.gap.missed, known - (from?.count ?? 0))
      client.at.set(name, { position: positionOf(resumption), count: logOf(name).length })
    }
    for (let step = 0; step < 60; step++) {
      const client = random.pick(clients)
      const name = random.pick(names)
      if (random.chance(0.6)) {
        const text = `${name}${logOf(name).length}`
        logOf(name).push(text)
        shared.topics.publish(name, text)
        for (const { expected } of clients) expected.get(name)?.push(text)
      } else if (random.chance(0.7)) {
        if (!client.expected.has(name)) await join(client, name)
      } else {
        await settle()
        for (const topic of names) assert.deepEqual(sentOf(client, topic), client.expected.get(topic) ?? [])
        for (const topic of client.expected.keys()) {
          const at = client.at.get(topic)
          const count = logOf(topic).length
          const probe = connect()
          const { position } = await within(probe.peer.subscribe(topic, {}))
          if (at !== undefined && position !== undefined) client.at.set(topic, { position, count })
          probe.peer.terminate()
        }
        client.member.peer.terminate()
        client.member = connect()
        client.expected.clear()
      }
    }
    await settle()
    for (const client of clients) {
      for (const topic of names) assert.deepEqual(sentOf(client, topic), client.expected.get(topic) ?? [])
      client.member.peer.terminate()
    }
  }
})

test('a broker that was away makes all earlier positions a gap of unknown size, also those of topics that are forgotten', async () => {
  let interrupted: () => void = () => undefined
  const broker: Broker = {
    attach: (_receive, given = interrupted) => {
      interrupted = given
    },
    subscribe: () => undefined,
    unsubscribe: () => undefined,
    publish: () => undefined,
    statistics: { connected: true, published: 0, dropped: 0, received: 0, missed: 0 },
    close: async () => undefined,
  }
  const { shared, connect } = connections({ broker, topics: { history: {} } })
  const start = positionOf(await connect().peer.subscribe('news', {}))
  shared.topics.publish('news', '1')
  const up = positionOf(await connect().peer.subscribe('news', {}))
  interrupted()
  for (const after of [start, up]) {
    const member = connect()
    const resumption = await within(member.peer.subscribe('news', { after }))
    assert.ok(!resumption.resumed)
    assert.deepEqual(resumption.gap, { reason: 'broker', missed: undefined })
    shared.topics.publish('news', 'newer')
    const again = await within(connect().peer.subscribe('news', { after: positionOf(resumption) }))
    assert.equal(again.resumed, true)
  }
  const other = await within(connect().peer.subscribe('other', { after: start }))
  assert.ok(!other.resumed)
  assert.equal(other.gap.reason, 'broker')
})
