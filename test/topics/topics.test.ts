// Topics in one process: whatever is sent, published, subscribed and left in whatever order, every connection sees what
// it should see, in the order in which it was said. The slow twin keeps a list a connection, and has no batches.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { prepare } from '../../src/connection/sending/prepared.js'
import { turnOfThread } from '../../src/connection/turn.js'
import { type Connections, connections } from '../support/connections.js'
import { Random } from '../support/random.js'
import { settle } from '../support/settle.js'

type Member = ReturnType<Connections['connect']>

/** What a connection was sent so far, as text; binary in angle brackets, long ones by their lengths. */
function seen({ wire }: Member): string[] {
  const texts: string[] = []
  let whole = ''
  for (const { opcode, fin, payload } of wire.frames()) {
    if (opcode > 2) texts.push(`opcode ${opcode}`)
    else {
      whole += opcode === 2 ? `<${payload.toString()}>` : payload.toString()
      if (fin) texts.push(whole.length > 40 ? `${whole.length} of ${whole[0]}` : whole)
      if (fin) whole = ''
    }
  }
  return texts
}

/** Runs `work` in one turn, as a handler does. */
function turn(work: () => void): void {
  turnOfThread().begin()
  work()
  turnOfThread().end()
}

test('a publication reaches every subscriber, and not its publisher', () => {
  const place = connections({})
  const [anna, ben, carl] = [place.connect(), place.connect(), place.connect()]
  for (const { peer } of [anna, ben]) peer.subscribe('news')
  ben.peer.subscribe('news')
  turn(() => {
    assert.equal(anna.peer.publish('news', 'from anna'), 1)
    assert.equal(carl.peer.publish('news', Buffer.from('from carl')), 2)
    const prepared = prepare('from the server')
    assert.equal(place.shared.topics.publish('news', prepared), 2)
    prepared.release()
    assert.equal(place.shared.topics.publish('olds', 'nobody'), 0)
  })
  assert.deepEqual(seen(anna), ['<from carl>', 'from the server'])
  assert.deepEqual(seen(ben), ['from anna', '<from carl>', 'from the server'])
  assert.deepEqual(seen(carl), [])
  assert.deepEqual(
    [anna, ben, carl].map(({ wire }) => wire.writes),
    [1, 1, 0],
  )
  for (const { peer } of [anna, ben, carl]) peer.terminate()
})

test('outside of a turn, it leaves in a microtask', async () => {
  const place = connections({})
  const member = place.connect()
  member.peer.subscribe('news')
  place.shared.topics.publish('news', 'one')
  place.shared.topics.publish('news', 'two')
  assert.deepEqual(seen(member), [])
  await Promise.resolve()
  assert.deepEqual(seen(member), ['one', 'two'])
  member.peer.terminate()
})

test('what a connection is sent, and what is published, keep their order, also before Close', () => {
  const place = connections({})
  const { topics } = place.shared
  const member = place.connect()
  member.peer.subscribe('a')
  member.peer.subscribe('b')
  turn(() => {
    topics.publish('a', '1')
    member.peer.send('2')
    topics.publish('a', '3')
    topics.publish('b', '4')
    member.peer.publish('a', 'its own')
    topics.publish('a', '5')
    member.peer.ping()
    topics.publish('b', 'x'.repeat(100_000))
    topics.publish('b', '7')
    member.peer.close()
    topics.publish('a', 'too late')
  })
  assert.deepEqual(seen(member), ['1', '2', '3', '4', '5', 'opcode 9', '100000 of x', '7', 'opcode 8'])
  member.peer.terminate()
})

test('who subscribes amid a turn gets what comes then; who unsubscribes has what came before', () => {
  const place = connections({})
  const { topics } = place.shared
  const [early, late] = [place.connect(), place.connect()]
  early.peer.subscribe('news')
  turn(() => {
    topics.publish('news', 'before')
    late.peer.subscribe('news')
    early.peer.unsubscribe('news')
    topics.publish('news', 'after')
  })
  assert.deepEqual([seen(early), seen(late)], [['before'], ['after']])
  assert.deepEqual(
    [early, late].map(({ peer }) => peer.isSubscribed('news')),
    [false, true],
  )
  for (const { peer } of [early, late]) peer.terminate()
})

test('publications wait for the end of a message in fragments, and of a stream', async () => {
  const place = connections({})
  const { topics } = place.shared
  const member = place.connect()
  member.peer.subscribe('news')
  member.peer.sendFragment('be', false)
  topics.publish('news', 'amid fragments')
  await settle()
  assert.throws(() => member.peer.send('not now'), /fragmented message is under way/)
  member.peer.sendFragment('gun', true)
  await settle()
  assert.deepEqual(seen(member), ['begun', 'amid fragments'])
  let go = (): void => undefined
  const source = async function* (): AsyncGenerator<string> {
    yield 'st'
    await new Promise<void>((resolve) => {
      go = resolve
    })
    yield 'ream'
  }
  const sent = member.peer.sendStream(source())
  await settle()
  topics.publish('news', 'amid the stream')
  member.peer.send('and this')
  await settle()
  go()
  await sent
  await settle()
  assert.deepEqual(seen(member).slice(2), ['stream', 'amid the stream', 'and this'])
  member.peer.sendFragment('never ', false)
  topics.publish('news', 'of no use')
  await settle()
  member.peer.terminate()
})

test('the limits throw, and name themselves', () => {
  const place = connections({ maxSubscriptions: 2, maxTopics: 3 })
  const [anna, ben] = [place.connect(), place.connect()]
  for (const topic of ['1', '2', '2']) anna.peer.subscribe(topic)
  assert.throws(() => anna.peer.subscribe('3'), {
    name: 'RangeError',
    message: 'too many subscriptions of this connection: maxSubscriptions is 2',
  })
  ben.peer.subscribe('3')
  assert.throws(() => ben.peer.subscribe('4'), {
    name: 'RangeError',
    message: 'too many topics in this process: maxTopics is 3',
  })
  anna.peer.unsubscribe('1')
  ben.peer.subscribe('4')
  for (const wrong of ['', 'x'.repeat(256), 'ä'.repeat(128), 'half \ud834']) {
    assert.throws(() => anna.peer.subscribe(wrong), { name: 'TypeError', message: /1 to 255 bytes/ })
  }
  assert.throws(() => anna.peer.publish('3', Reflect.get({}, 'nothing')), TypeError)
  for (const { peer } of [anna, ben]) peer.terminate()
})

/** One thing that is done; the model is told of it, too. */
function step(
  random: Random,
  place: Connections,
  members: readonly Member[],
  model: Map<Member, string[]>,
  n: number,
): void {
  const member = members[random.below(members.length)]
  if (member === undefined) return
  const topic = 'abc'[random.below(3)] ?? 'a'
  const length = [3, 200, 20_000, 70_000][random.below(4)] ?? 3
  const text = `${n} `.padEnd(length, '.')
  const short = text.length > 40 ? `${text.length} of ${text[0]}` : text
  const tell = (except?: Member): void => {
    for (const other of members) if (other !== except && other.peer.isSubscribed(topic)) model.get(other)?.push(short)
  }
  const kind = random.below(8)
  if (kind === 0) member.peer.subscribe(topic)
  else if (kind === 1) member.peer.unsubscribe(topic)
  else if (kind === 2) {
    model.get(member)?.push(short)
    member.peer.send(text)
  } else if (kind < 5) {
    tell()
    place.shared.topics.publish(topic, text)
  } else {
    tell(member)
    const prepared = prepare(text)
    member.peer.publish(topic, kind === 5 ? prepared : text)
    prepared.release()
  }
}

for (let seed = 1; seed <= 40; seed++) {
  test(`random deeds, seed ${seed}: everyone sees what the model says, and the memory comes back`, async () => {
    await settle() // what the last test terminated is gone then
    const random = new Random(seed)
    const used = heapOfThread().used
    const place = connections({ outputLimit: 2 ** 30, outputCeiling: 2 ** 30 })
    const members = Array.from({ length: 5 }, () => place.connect())
    const model = new Map(members.map((member) => [member, [] as string[]]))
    for (let n = 0; n < 120; ) {
      const many = 1 + random.below(12)
      turn(() => {
        for (let at = 0; at < many; at++) step(random, place, members, model, n++)
      })
      for (const { wire } of members) {
        if (random.below(3) === 0) wire.stuck = !wire.stuck
        if (!wire.stuck) wire.finish()
      }
    }
    for (const { wire } of members) wire.stuck = false
    for (const { wire } of members) wire.finish()
    const waits = (): boolean => members.some(({ peer }) => peer.bufferedAmount > 0)
    for (let turn = 0; waits() && turn < 100; turn++) await settle() // what is long leaves in turns of its own
    for (const member of members) assert.deepEqual(seen(member), model.get(member))
    for (const { peer } of members) peer.terminate()
    await settle()
    assert.equal(place.shared.topics.publish('a', 'gone'), 0)
    assert.equal(heapOfThread().used, used)
  })
}
