// An acceptor that asks and does not read: the hub owes it one answer for each topic, and holds none of them in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hub } from '../../src/brokers/hub.js'
import { keepLength, readStanding, writeKeep, writeRecall } from '../../src/brokers/orderedRecords.js'
import { kindOf, RecordDecoder, RecordKind, recordLength, writeRecord } from '../../src/brokers/publication.js'
import { eventually } from '../support/socketClient.js'
import { socketPair } from '../support/socketPair.js'

const ASKED = 500
const PUBLISHED = 300

function recordOf(kind: number, payload = '', number = 0): Buffer {
  const record = Buffer.alloc(recordLength(1, payload.length))
  writeRecord(record, { kind, number, publisher: 5, begins: number === 1 }, Buffer.from('x'), Buffer.from(payload))
  return record
}

test('the hub answers in bounded memory where nobody reads, and what was asked last is answered in the end', async (t) => {
  const hub = new Hub({ maxBuffered: 100_000 })
  const [near, far] = await socketPair(t)
  hub.join(far)
  const keep = Buffer.alloc(keepLength(1))
  writeKeep(keep, Buffer.from('x'), { messages: 1000, bytes: 2 ** 24, maxAge: 1e6 })
  near.write(Buffer.concat([recordOf(RecordKind.subscribe), keep]))
  await eventually(() => hub.statistics.subscriptions === 1, 'it is linked')
  near.pause()
  for (let number = 1; number <= PUBLISHED; number++)
    hub.publish(recordOf(RecordKind.publication, 'x'.repeat(100_000), number))
  assert.ok(hub.statistics.dropped > 0, 'it does not read')
  for (let after = 0; after < ASKED; after++) {
    const recall = Buffer.alloc(recordLength(1, 0))
    writeRecall(recall, Buffer.from('x'), PUBLISHED - 2, PUBLISHED + 1)
    near.write(recall)
  }
  near.write(recordOf(RecordKind.publication, '', 0))
  const found = { recalled: 0, ends: 0, last: 0 }
  const decoder = new RecordDecoder()
  near.on('data', (chunk: Buffer) => {
    const take = (record: Buffer): boolean => {
      if (kindOf(record) === RecordKind.recalled) found.recalled++
      if (kindOf(record) !== RecordKind.recallEnd) return true
      found.ends++
      found.last = readStanding(record)?.last ?? 0
      return true
    }
    decoder.push(chunk, take)
  })
  const { dropped } = hub.statistics
  await new Promise((resolve) => near.write('', resolve))
  await new Promise((resolve) => setTimeout(resolve, 100)) // the hub reads what was asked, while nobody reads what it says
  near.resume()
  await eventually(() => found.recalled > 0 && found.last >= PUBLISHED, 'it is answered')
  assert.ok(found.ends < ASKED / 5, `${found.ends} answers to ${ASKED} questions of one topic`)
  assert.ok(hub.statistics.dropped >= dropped)
  await hub.close()
})
