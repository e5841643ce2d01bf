// One history for all acceptors: a position that one has told means the same in all others, and survives the death of each.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { HubHistory } from '../../src/brokers/hubHistory.js'
import { readOrdered } from '../../src/brokers/orderedRecords.js'
import { RecordKind, recordLength, writeRecord } from '../../src/brokers/publication.js'
import { settle } from '../support/settle.js'
import { delay, eventually } from '../support/socketClient.js'
import { clusterOfTopics, type LinkedAcceptor, toldPosition } from './clusterOfTopics.js'

const options = { timeout: 20_000 }

test(
  'what was missed is sent by another acceptor, in order and once, after the death of the first',
  options,
  async (t) => {
    const { start } = clusterOfTopics(t, { history: {} })
    const [first, second] = [await start(), await start()]
    const member = first.connect()
    const began = toldPosition(await member.peer.subscribe('news', {}))
    first.publish('news', '1')
    second.publish('news', '2')
    await eventually(() => member.wire.texts().length === 2, 'both arrive')
    first.die()
    second.publish('news', Buffer.from('3'))
    const published = [...member.wire.texts(), '3']
    const third = await start() // knows nothing yet
    for (const acceptor of [second, third]) {
      const back = acceptor.connect()
      const resumption = await back.peer.subscribe('news', { after: began })
      assert.equal(resumption.resumed, true, JSON.stringify(resumption))
      acceptor.publish('news', 'newer')
      const expected = acceptor === second ? [...published, 'newer'] : [...published, 'newer', 'newer']
      await eventually(() => back.wire.texts().length >= expected.length, 'what is newer follows')
      assert.deepEqual(back.wire.texts(), expected)
    }
  },
)

test('all acceptors see one order, and a publisher does not get its own', options, async (t) => {
  const { start } = clusterOfTopics(t, { history: {}, envelope: true })
  const all = [await start(), await start(), await start()]
  const members = all.map((acceptor) => acceptor.connect())
  for (const { peer } of members) await peer.subscribe('news', {})
  const silent = all[0]?.connect()
  assert.ok(silent)
  await silent.peer.subscribe('news', {})
  assert.equal(silent.peer.publish('news', 'own'), 1)
  for (let round = 0; round < 50; round++) for (const [at, acceptor] of all.entries()) acceptor.publish('news', `${at}`)
  await eventually(() => members.every(({ wire }) => wire.texts().length === 151), 'all arrive')
  const [order] = members.map(({ wire }) => wire.texts())
  for (const { wire } of members) assert.deepEqual(wire.texts(), order)
  assert.deepEqual(
    silent.wire.texts(),
    order?.filter((text) => !text.endsWith('own')),
  )
})

test('a subscription that comes while others are asked for what was missed gets all of it once', options, async (t) => {
  const { start } = clusterOfTopics(t, { history: {} })
  const [first, second] = [await start(), await start()]
  const member = first.connect()
  const began = toldPosition(await member.peer.subscribe('news', {}))
  const texts = Array.from({ length: 300 }, (_, at) => `${at} ${'x'.repeat(3000)}`) // more than one answer holds
  for (const text of texts) first.publish('news', text)
  await eventually(() => member.wire.texts().length === 300, 'the hub has all')
  const [early, late] = [second.connect(), second.connect()]
  const asked = early.peer.subscribe('news', { after: began })
  const live = second.connect()
  live.peer.subscribe('news')
  await new Promise(setImmediate)
  const askedLater = late.peer.subscribe('news', { after: began })
  for (const text of ['a', 'b']) second.publish('news', text)
  for (const resumption of [await asked, await askedLater]) assert.equal(resumption.resumed, true)
  await eventually(
    () => [live, early, late].every(({ wire }, at) => wire.texts().length === (at === 0 ? 2 : 302)),
    'all arrive',
  )
  const numbers = (all: readonly string[]): string[] => all.map((text) => text.split(' ')[0] ?? '')
  for (const { wire } of [early, late]) assert.deepEqual(numbers(wire.texts()), [...numbers(texts), 'a', 'b'])
  assert.deepEqual(live.wire.texts(), ['a', 'b'])
})

test(
  'what the hub has forgotten is a gap, with its size; positions of others and from nowhere are none',
  options,
  async (t) => {
    const { start } = clusterOfTopics(t, { history: { messages: 3 } })
    const [first, second] = [await start(), await start()]
    const began = toldPosition(await first.connect().peer.subscribe('news', {}))
    for (let at = 0; at < 5; at++) first.publish('news', `${at}`)
    await delay(50)
    const ask = async (after: string, acceptor: LinkedAcceptor = second) => {
      const resumption = await acceptor.connect().peer.subscribe('news', { after })
      assert.equal(resumption.resumed, false)
      return resumption.resumed ? undefined : { ...resumption.gap }
    }
    assert.deepEqual(await ask(began), { reason: 'forgotten', missed: 5 })
    assert.deepEqual(await ask('0.1'), { reason: 'epoch', missed: undefined })
    assert.deepEqual(await ask(began.replace(/[^.]*$/, 'zz')), { reason: 'position', missed: undefined })
    assert.deepEqual(await ask('rubbish'), { reason: 'position', missed: undefined })
    assert.deepEqual(await ask('0.1', await start()), { reason: 'epoch', missed: undefined })
  },
)

test('a position that another acceptor has told is none of the future', options, async (t) => {
  const { start } = clusterOfTopics(t, { history: {} })
  const [first, second] = [await start(), await start()]
  await second.connect().peer.subscribe('news', {})
  const member = first.connect()
  await member.peer.subscribe('news', {})
  first.publish('news', '1')
  await eventually(() => member.wire.texts().length === 1, 'it arrives')
  second.near.pause() // what the second is sent waits
  first.publish('news', '2')
  await eventually(() => member.wire.texts().length === 2, 'it arrives')
  const position = toldPosition(await first.connect().peer.subscribe('news', {}))
  const back = second.connect()
  const asked = back.peer.subscribe('news', { after: position })
  second.near.resume()
  assert.deepEqual(await asked, { resumed: true, position })
  assert.deepEqual(back.wire.texts(), [])
})

test('where the hub does not answer, that is told in bounded time', options, async (t) => {
  const { start } = clusterOfTopics(t, { history: {} })
  const silent = await start()
  silent.near.pause()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked = silent.connect().peer.subscribe('news', { after: 'a.1' })
  await settle()
  t.mock.timers.tick(5000)
  assert.deepEqual(await asked, {
    resumed: false,
    gap: { reason: 'unreachable', missed: undefined },
    position: undefined,
  })
})

test('where the hub is gone, that is told at once, and the acceptor goes on by itself', options, async (t) => {
  const { start } = clusterOfTopics(t, { history: {} })
  const cut = await start()
  cut.far.pause()
  const member = cut.connect()
  const lost = member.peer.subscribe('news', { after: 'a.1' })
  cut.far.destroy()
  const gone = await lost
  assert.ok(!gone.resumed)
  assert.equal(gone.gap.reason, 'unreachable')
  assert.equal(cut.publish('news', 'here'), 1)
  await settle()
  assert.deepEqual(member.wire.texts(), ['here'])
  const after = await cut.connect().peer.subscribe('news', { after: 'a.1' })
  assert.ok(!after.resumed)
  assert.equal(after.gap.reason, 'epoch')
  const here = await cut.connect().peer.subscribe('news', { after: toldPosition(after) })
  assert.equal(here.resumed, true)
})

test('an acceptor that dies while it asks, or while it sends, costs nothing', options, async (t) => {
  const { start } = clusterOfTopics(t, { history: {} })
  const first = await start()
  const began = toldPosition(await first.connect().peer.subscribe('news', {}))
  const texts = Array.from({ length: 200 }, (_, at) => `${at} ${'x'.repeat(2000)}`)
  for (const text of texts) first.publish('news', text)
  const second = await start()
  const back = second.connect()
  const asked = back.peer.subscribe('news', { after: began })
  await new Promise(setImmediate)
  second.die()
  const cut = await asked
  assert.ok(!cut.resumed)
  assert.ok(['closed', 'unreachable'].includes(cut.gap.reason), cut.gap.reason)
  const third = (await start()).connect()
  assert.equal((await third.peer.subscribe('news', { after: began })).resumed, true)
  assert.ok(third.wire.texts().join() === texts.join())
})

test('publications that an acceptor had to drop are a gap for all, and counted', options, async (t) => {
  const { start } = clusterOfTopics(t, { history: {} })
  const [first, second] = [await start(), await start()]
  const member = second.connect()
  const began = toldPosition(await member.peer.subscribe('news', {}))
  first.publish('news', '1')
  await eventually(() => member.wire.texts().length === 1, 'it arrives')
  first.far.pause()
  const long = Buffer.alloc(1024 * 1024)
  let dropped = 0
  for (let at = 0; at < 20; at++) if (first.broker.publishOrdered('news', long, false) === undefined) dropped++
  assert.ok(dropped > 0)
  first.far.resume()
  await eventually(() => member.wire.frames().length === 1 + 20 - dropped, 'the others arrive')
  first.publish('news', 'last')
  await eventually(() => member.wire.texts().at(-1) === 'last', 'the last arrives')
  await eventually(() => second.broker.statistics.missed === dropped, 'they are counted')
  const resumption = await second.connect().peer.subscribe('news', { after: began })
  assert.ok(!resumption.resumed)
  assert.deepEqual(resumption.gap, { reason: 'forgotten', missed: 22 })
})

test('a publisher whose numbers lie does not use up those of the topic', () => {
  const history = new HubHistory(2 ** 20)
  history.keep('news', { messages: 10, bytes: 1000, maxAge: 1000 })
  const name = Buffer.from('news')
  for (let publisher = 1; publisher <= 4; publisher++) {
    for (const number of [1, 2 ** 48 - 1]) {
      const record = Buffer.alloc(recordLength(name.length, 0))
      writeRecord(record, { kind: RecordKind.publication, publisher, number }, name)
      const ordered = history.add('news', record)
      assert.ok(ordered !== undefined && (readOrdered(ordered)?.number ?? Infinity) < 2 ** 40)
    }
  }
})

test('what comes back late to a publisher is not sent to it either', options, async (t) => {
  const { hub, start } = clusterOfTopics(t, { history: {} }, { maxBuffered: 1 })
  const acceptor = await start()
  const [publisher, other] = [acceptor.connect(), acceptor.connect()]
  for (const { peer } of [publisher, other]) await peer.subscribe('news', {})
  const texts = Array.from({ length: 30 }, (_, at) => `${at}`)
  for (const [at, text] of texts.entries()) {
    publisher.peer.publish('news', text)
    if (at % 10 === 9) await eventually(() => other.wire.texts().length === at + 1, 'they come, late')
  }
  assert.ok(hub.statistics.dropped > 0)
  acceptor.publish('news', 'last')
  await eventually(() => publisher.wire.texts().length > 0, 'what others publish comes')
  assert.deepEqual([publisher.wire.texts(), other.wire.texts()], [['last'], [...texts, 'last']])
})

test(
  'what the hub had to drop for an acceptor that did not read is sent late, in order, to those who were subscribed',
  options,
  async (t) => {
    const { hub, start } = clusterOfTopics(
      t,
      { history: { bytes: 2 ** 26, messages: 10_000 } },
      { maxBuffered: 2 ** 18 },
    )
    const [first, second] = [await start(), await start()]
    const members = [second.connect(), second.connect()]
    for (const { peer } of members) peer.subscribe('news')
    const away = second.connect()
    const began = toldPosition(await away.peer.subscribe('news', {}))
    second.near.pause()
    const count = 2000
    for (let at = 0; at < count; at++) {
      first.publish('news', `${at} ${'x'.repeat(2000)}`)
      if (at % 20 === 0) await delay(1)
    }
    await eventually(() => hub.statistics.dropped > 100, 'some are dropped')
    second.near.resume()
    first.publish('news', `${count}`)
    const numbers = ({ wire }: (typeof members)[number]): string[] =>
      wire.texts().map((text) => text.split(' ')[0] ?? '')
    await eventually(() => members.every((member) => numbers(member).length > count), 'all arrive', 10_000)
    const expected = Array.from({ length: count + 1 }, (_, at) => `${at}`)
    for (const member of members) assert.deepEqual(numbers(member), expected)
    members[0]?.peer.unsubscribe('news')
    first.publish('news', 'last')
    await eventually(() => numbers(members[1] ?? away).at(-1) === 'last', 'they are subscribers like all others')
    assert.equal(numbers(members[0] ?? away).length, count + 1)
    const back = second.connect()
    assert.equal((await back.peer.subscribe('news', { after: began })).resumed, true)
  },
)

test('the memory of the hub stays within its bound, and topics that nobody wants cost little', options, async (t) => {
  const { hub, start } = clusterOfTopics(t, { history: { bytes: 2 ** 30 }, historyMemory: 500_000 })
  const first = await start()
  for (let at = 0; at < 500; at++) {
    first.publish(`topic ${at % 7}`, 'x'.repeat(10_000))
    if (at % 50 === 0) await delay(1)
    assert.ok(hub.historyBytes <= 500_000)
    assert.ok(first.historyBytes <= 500_000 + 65_536)
  }
  await eventually(() => hub.historyBytes > 250_000, 'the hub keeps as much as it may')
})
