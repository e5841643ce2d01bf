// Whoever may publish on one channel of a Redis must not reach other topics, nor cost more than was sent: access rules
// of Redis are by channel, so what a record says of itself counts for nothing.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createClient } from '@redis/client'
import { RecordKind, recordLength, writeRecord } from '../../src/brokers/publication.js'
import { redisMissing } from '../support/redis.js'
import { eventually } from '../support/socketClient.js'
import { Machine, reach, redis } from './machine.js'

const options = { timeout: 60_000, skip: redisMissing() }

function recordOf(topic: string, payload: string, kind: number = RecordKind.publication): Buffer {
  const name = Buffer.from(topic)
  const record = Buffer.alloc(recordLength(name.length, Buffer.byteLength(payload)))
  writeRecord(record, { kind, publisher: 7, number: Date.now(), isText: true }, name, Buffer.from(payload))
  return record
}

describe('a stranger on the same Redis', options, () => {
  test('reaches the topic of the channel, and no other', options, async (t) => {
    const { url } = await redis(t)
    const [a, b] = [await Machine.connected(url), await Machine.connected(url)]
    for (const topic of ['public', 'secret']) await reach(a, b, topic)
    const stranger = createClient({ url })
    stranger.on('error', () => undefined)
    await stranger.connect()
    const send = (channel: string, message: Buffer): Promise<number> => stranger.publish(`millrace:${channel}`, message)

    const longer = recordOf('public', 'longer')
    longer.writeUInt32BE(200 * 2 ** 20)
    const negative = recordOf('public', 'negative')
    negative.writeInt32BE(-1)
    const forged: readonly Buffer[] = [
      recordOf('secret', 'forged'),
      Buffer.concat([recordOf('public', 'hidden'), recordOf('secret', 'forged')]),
      recordOf('publi', 'cx'),
      recordOf('', 'none'),
      recordOf('public', 'order', RecordKind.subscribe),
      longer,
      longer.subarray(0, 4),
      negative,
      Buffer.concat([recordOf('public', 'more'), Buffer.of(0)]),
      Buffer.alloc(0),
      Buffer.from('hello'),
    ]
    const before = process.memoryUsage().arrayBuffers
    for (const message of forged) await send('public', message)
    for (let n = 0; n < 300; n++) await send('public', longer.subarray(0, 4))
    assert.ok(process.memoryUsage().arrayBuffers - before < 50 * 2 ** 20)
    await send('public', recordOf('public', 'real'))
    await eventually(() => b.count > 0, 'what is right arrives')
    assert.deepEqual(
      b.received.map(({ topic, payload }) => `${topic} ${payload}`),
      ['public real'],
    )
    assert.equal(b.broker.statistics.invalid, forged.length + 300)
    assert.equal(b.broker.statistics.connected, true)
    a.publish('secret', 'of a')
    await eventually(() => b.count === 2, 'the others go on')
    assert.deepEqual([a.broker.statistics.invalid, b.texts('secret')], [0, ['of a']])
    stranger.destroy()
  })
})
