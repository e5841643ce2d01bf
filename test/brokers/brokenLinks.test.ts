// An acceptor that writes what no acceptor writes is cut off, and nobody else notices: the hub runs in the primary, and
// whatever throws there ends everybody.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Hub } from '../../src/brokers/hub.js'
import { LinkBroker } from '../../src/brokers/linkBroker.js'
import { RecordKind, recordLength, writeRecord } from '../../src/brokers/publication.js'
import { Random, seed } from '../support/random.js'
import { eventually } from '../support/socketClient.js'
import { socketPair } from '../support/socketPair.js'

const options = { timeout: 30_000 }

function recordOf(kind: number, topic: string | Buffer, payload = ''): Buffer {
  const name = Buffer.from(topic)
  const record = Buffer.alloc(recordLength(name.length, payload.length))
  writeRecord(record, { kind }, name, Buffer.from(payload))
  return record
}

const beyond = recordOf(RecordKind.publication, 'x')
beyond.writeUInt16BE(40, 6)
const { subscribe, publication } = RecordKind

const garbage: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a length of zero', Buffer.alloc(4)],
  ['the longest length', Buffer.from([255, 255, 255, 255])],
  ['a record of an unknown kind', recordOf(4, 'x')],
  ['a record of no kind', recordOf(0, 'x', 'payload')],
  ['a topic beyond its record', beyond],
  ['a subscription to a topic that is too long', recordOf(subscribe, 'x'.repeat(256))],
  ['more topics than the hub may hold', Buffer.concat([1, 2, 3, 4].map((n) => recordOf(subscribe, `many ${n}`)))],
]

describe('a hub', () => {
  for (const [what, bytes] of garbage) {
    test(`closes the link on which stands ${what}, and no other`, options, async (t) => {
      const hub = new Hub({ maxTopics: 3 })
      const [[bad, ...bads], [a, ...as], [b, ...bs]] = await Promise.all([socketPair(t), socketPair(t), socketPair(t)])
      for (const far of [...bads, ...as, ...bs]) hub.join(far)
      const [writer, reader] = [new LinkBroker(a), new LinkBroker(b)]
      const got: string[] = []
      reader.attach((topic, payload) => void got.push(`${topic} ${Buffer.from(payload)}`))
      reader.subscribe('x')
      await eventually(() => hub.statistics.subscriptions === 1, 'it is subscribed')
      const warned = once(process, 'warning')
      // What follows garbage is garbage.
      bad.write(Buffer.concat([bytes, recordOf(publication, 'x', 'forged')]))
      await once(bad.resume(), 'close')
      assert.match(String(await warned), /MillraceWarning: an acceptor wrote something that is not a publication/)
      await eventually(() => hub.statistics.links === 2, 'it is forgotten')
      assert.equal(hub.statistics.subscriptions, 1)
      writer.publish('x', Buffer.from('still'), true)
      await eventually(() => got.length === 1, 'the others go on')
      assert.deepEqual(got, ['x still'])
      await Promise.all([writer.close(), reader.close(), hub.close()])
    })
  }

  test(`lives, whatever is written (SEED=${seed})`, options, async (t) => {
    const random = new Random(seed)
    const hub = new Hub({ maxTopics: 100 })
    process.on('warning', () => undefined)
    for (let round = 0; round < 60; round++) {
      const [near, far] = await socketPair(t)
      hub.join(far)
      const bytes = Buffer.concat(
        Array.from({ length: random.between(1, 20) }, () =>
          recordOf(random.between(1, 3), random.bytes(random.below(20)), 'x'.repeat(random.below(100))),
        ),
      )
      for (let wrong = random.below(4); wrong > 0; wrong--) bytes[random.below(bytes.length)] = random.next()
      near.on('error', () => undefined).end(bytes)
      await once(near.resume(), 'close')
    }
    await eventually(() => hub.statistics.links === 0, 'all are forgotten')
    assert.deepEqual([hub.statistics.topics, hub.statistics.subscriptions], [0, 0])
  })
})
