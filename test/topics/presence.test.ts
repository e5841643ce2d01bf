// Who is in a topic: over processes that share a broker, with a random model, lost records, silent deaths, and counts alone
// where they are many.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Hub } from '../../src/brokers/hub.js'
import { LinkBroker } from '../../src/brokers/linkBroker.js'
import { createPresence, createServer, type PresenceEvent, type PresenceOptions } from '../../src/index.js'
import { PresenceOthers } from '../../src/topics/presenceOthers.js'
import { readPresence } from '../../src/topics/presenceRecords.js'
import { duplexPair } from '../support/duplexPair.js'
import { Random, seed } from '../support/random.js'
import { RedisServer, redisMissing } from '../support/redis.js'
import { delay, eventually } from '../support/socketClient.js'

interface Somebody {
  readonly id: string
  isOpen: boolean
}

const somebody = (id: string): Somebody => ({ id, isOpen: true })

/** Servers that share a hub; they end with the test. */
function processes(t: TestContext, count: number, options: PresenceOptions = {}) {
  const hub = new Hub()
  return Array.from({ length: count }, () => {
    const [inside, outside] = duplexPair()
    hub.join(inside)
    const server = createServer({ broker: new LinkBroker(outside) })
    const presence = createPresence(server, options)
    t.after(async () => {
      presence.close()
      await server.close()
    })
    return { server, presence, outside }
  })
}

const idsIn = (presence: ReturnType<typeof createPresence>, topic: string): string[] =>
  (presence.members(topic) ?? []).map(({ id }) => id).toSorted()

test('who joins and leaves in one process is seen in all, with what is told of them', async (t) => {
  const [a, b] = processes(t, 2)
  assert.ok(a !== undefined && b !== undefined)
  const events: PresenceEvent[] = []
  b.presence.watch('room', (event) => events.push(event))
  const [anna, ben] = [somebody('anna'), somebody('ben')]
  a.presence.join(anna, 'room', { name: 'Anna' })
  b.presence.join(ben, 'room')
  await eventually(() => a.presence.count('room') === 2 && b.presence.count('room') === 2, 'both see both')
  assert.deepEqual(idsIn(a.presence, 'room'), ['anna', 'ben'])
  assert.deepEqual(b.presence.members('room')?.find(({ id }) => id === 'anna')?.info, { name: 'Anna' })
  a.presence.leave(anna, 'room')
  await eventually(() => b.presence.count('room') === 1, 'it is seen')
  assert.deepEqual(
    events.map(({ joined, left, count }) => [joined.map(({ id }) => id), left.map(({ id }) => id), count]),
    [
      [['ben'], [], 1],
      [['anna'], [], 2],
      [[], ['anna'], 1],
    ],
  )
})

test('a connection that has ended is gone, also if nobody says so', async (t) => {
  const [a, b] = processes(t, 2, { lease: 150 })
  assert.ok(a !== undefined && b !== undefined)
  const anna = somebody('anna')
  for (const topic of ['x', 'y']) a.presence.join(anna, topic)
  await eventually(() => b.presence.count('y') === 1, 'it is seen')
  anna.isOpen = false
  await eventually(() => a.presence.count('x') + b.presence.count('x') + b.presence.count('y') === 0, 'it is gone')
  a.presence.join(anna, 'x')
  assert.equal(a.presence.count('x'), 0, 'who has ended can not come')
})

test('whoever starts later is told of all who are there, and a process that closes takes its own along', async (t) => {
  const all = processes(t, 3)
  const [a, b, c] = all
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  for (let n = 0; n < 1000; n++) a.presence.join(somebody(`${n}`), `topic ${n % 50}`)
  const late = createPresence(c.server, { topic: 'millrace.presence' })
  t.after(() => late.close())
  await eventually(() => late.count('topic 7') === 20, 'it is told')
  assert.deepEqual(idsIn(late, 'topic 49'), idsIn(a.presence, 'topic 49'))
  a.presence.close()
  await eventually(() => late.count('topic 7') === 0 && b.presence.count('topic 7') === 0, 'all have left')
})

test('where they are many, only their count is told, until they are few again', async (t) => {
  const [a, b] = processes(t, 2, { named: 10 })
  assert.ok(a !== undefined && b !== undefined)
  const counts: number[] = []
  b.presence.watch('room', ({ count }) => counts.push(count))
  const people = Array.from({ length: 30 }, (_, n) => somebody(`${n}`))
  for (const one of people) a.presence.join(one, 'room')
  await eventually(() => b.presence.count('room') === 30, 'it is counted')
  assert.equal(b.presence.members('room'), undefined)
  for (const one of people.slice(4)) a.presence.leave(one)
  await eventually(() => b.presence.members('room')?.length === 4, 'they are named again')
  assert.deepEqual(idsIn(b.presence, 'room'), ['0', '1', '2', '3'])
  assert.equal(counts.at(-1), 4)
})

test('processes agree with a model after whatever has happened', { timeout: 30_000 }, async (t) => {
  const random = new Random(seed)
  const all = processes(t, 3, { named: 12, lease: 3000 })
  const model = new Map<string, Set<string>>()
  const people = Array.from({ length: 60 }, (_, n) => somebody(`${n}`))
  for (let step = 0; step < 1500; step++) {
    const n = random.below(people.length)
    const [one, home] = [people[n], all[n % all.length]]
    assert.ok(one !== undefined && home !== undefined)
    const topic = `${random.below(3)}`
    const present = model.get(topic) ?? new Set()
    model.set(topic, present)
    if (random.chance(0.55)) {
      home.presence.join(one, topic, step)
      present.add(one.id)
    } else {
      home.presence.leave(one, topic)
      present.delete(one.id)
    }
    if (random.chance(0.02)) await delay(random.below(30))
  }
  for (const { presence } of all) {
    for (const [topic, present] of model) {
      await eventually(() => presence.count(topic) === present.size, `${topic} is counted`)
      if (presence.members(topic) !== undefined) assert.deepEqual(idsIn(presence, topic), [...present].toSorted())
    }
  }
})

test('records that were lost are asked for, and what follows does not count before', () => {
  let now = 0
  const asked: string[] = []
  const others = new PresenceOthers(
    () => now,
    (name) => asked.push(name),
  )
  const say = (number: number, kind: string, ids: readonly string[] = []) => {
    const joined = ids.map((id) => ({ id, info: null }))
    const changes = ids.length === 0 ? [] : [{ topic: 'x', joined }]
    const record = readPresence(JSON.stringify({ from: 'p', number, kind, lease: 1000, changes }))
    assert.ok(record !== undefined)
    return others.take(record).map((change) => change.joined.map(({ id }) => id))
  }
  const count = (): number => others.tables.reduce((sum, table) => sum + table.count('x'), 0)
  say(1, 'ask')
  assert.deepEqual(say(2, 'change', ['a']), [['a']])
  say(4, 'change', ['c'])
  assert.deepEqual([asked, count()], [['p'], 1])
  now = 400
  others.check(400)
  assert.deepEqual(asked, ['p', 'p'], 'the answer may be lost, too')
  say(5, 'begin')
  say(6, 'change', ['b', 'c'])
  assert.equal(count(), 1, 'what was known holds until all is told')
  assert.deepEqual(say(7, 'end'), [['b', 'c']])
  assert.equal(count(), 2)
  now = 1300
  others.check(900)
  assert.equal(count(), 2)
  now = 1500
  assert.equal(others.check(200).length, 1, 'its lease is over')
  assert.equal(count(), 0)
})

test('time in which this process itself stood still does not count', () => {
  let now = 0
  const others = new PresenceOthers(
    () => now,
    () => undefined,
  )
  const record = readPresence(JSON.stringify({ from: 'p', number: 1, kind: 'alive', lease: 1000 }))
  assert.ok(record !== undefined)
  others.take(record)
  now = 60_000
  others.check(333)
  assert.equal(others.tables.length, 1)
  for (let beat = 0; beat < 4; beat++) {
    now += 333
    others.check(333)
  }
  assert.equal(others.tables.length, 0)
})

test('what is no record is ignored', () => {
  const wrong = ['', 'x', '{}', 'null', '[]', '{"from":"p","number":1,"kind":"kill","lease":1}']
  wrong.push('{"from":"p","number":1,"kind":"change","lease":1,"changes":[{"topic":"x","joined":[{}]}]}')
  wrong.push('{"from":"p","number":1,"kind":"change","lease":1,"changes":[{"topic":5}]}')
  for (const text of wrong) assert.equal(readPresence(text), undefined, text)
  assert.equal(readPresence(new Uint8Array(3)), undefined)
})

test('an info that JSON can not hold throws where it is given, and what becomes of an info later changes nothing', async (t) => {
  const [a, b] = processes(t, 2)
  assert.ok(a !== undefined && b !== undefined)
  const circle: { self?: object } = {}
  const info = { name: 'Anna', circle }
  a.presence.join(somebody('anna'), 'room', info)
  circle.self = circle
  for (const wrong of [1n, circle]) {
    const join = (): void => a.presence.join(somebody('ben'), 'room', wrong)
    assert.throws(join, { name: 'TypeError', code: 'ERR_ARGUMENT_KIND' })
  }
  await eventually(() => b.presence.count('room') === 1, 'one is seen')
  const told = [{ id: 'anna', info: { name: 'Anna', circle: {} } }]
  assert.deepEqual([a.presence.members('room'), b.presence.members('room')], [told, told])
})

test('nobody joins what was closed', async (t) => {
  const [a, b] = processes(t, 2)
  assert.ok(a !== undefined && b !== undefined)
  a.presence.close()
  a.presence.join(somebody('anna'), 'room')
  b.presence.join(somebody('ben'), 'room')
  await eventually(() => idsIn(b.presence, 'room').includes('ben'), 'one is there')
  await delay(50)
  assert.deepEqual([a.presence.count('room'), idsIn(b.presence, 'room')], [0, ['ben']])
})

test('options that are none are refused', () => {
  const server = createServer()
  assert.throws(() => createPresence(server, { lease: 5 }), RangeError)
  assert.throws(() => createPresence(server, { named: -1 }), RangeError)
  assert.throws(() => Reflect.apply(createPresence, undefined, [server, { leese: 5 }]), TypeError)
  const presence = createPresence(server)
  assert.throws(() => presence.join(somebody('a'), ''), { code: 'ERR_TOPIC_NAME' })
  presence.close()
})

test('a process that is killed is gone for others when its lease is over', {
  timeout: 60_000,
  skip: redisMissing(),
}, async (t) => {
  const redis = await RedisServer.start()
  t.after(() => redis.kill())
  const program = fileURLToPath(new URL('presenceProgram.js', import.meta.url))
  const start = (name: string) => {
    const child = spawn(process.execPath, [program, redis.url, name], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    const seen: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      seen.push([...JSON.parse(line)].toSorted().join())
    })
    return { child, seen }
  }
  const [a, b] = [start('a'), start('b')]
  await eventually(() => a.seen.at(-1) === 'a,b' && b.seen.at(-1) === 'a,b', 'they see each other', 30_000)
  b.child.kill('SIGKILL')
  const killed = performance.now()
  await eventually(() => a.seen.at(-1) === 'a', 'it is gone', 20_000)
  assert.ok(performance.now() - killed > 300, 'a silent process is not given up at once')
  const c = start('c')
  await eventually(() => a.seen.at(-1) === 'a,c' && c.seen.at(-1) === 'a,c', 'another one comes', 30_000)
})
