// Records arrive in pieces that nobody chose: the decoder must find the same records in all of them, and must end a
// stream that is none without ending the process.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  eachRecord,
  type Publication,
  RecordDecoder,
  RecordKind,
  readRecord,
  recordLength,
  writeRecord,
} from '../../src/pubsub/publication.js'
import { Random, seed } from '../support/random.js'

const random = new Random(seed)

function randomPublication(): Publication {
  return {
    kind: random.pick(Object.values(RecordKind)),
    topic: random.pick(['', 'a', 'prices/äöü/€/😀', 'x'.repeat(random.below(3000))]),
    isText: random.chance(0.5),
    begins: random.chance(0.5),
    publisher: random.next() * 0x10000 + random.below(0x10000),
    number: random.next() * 0x10000 + random.below(0x10000),
    payload: random.bytes(random.pick([0, 1, 20, random.below(300), random.below(5000)])),
  }
}

function recordOf({ topic, payload, ...heading }: Publication): Buffer {
  const name = Buffer.from(topic)
  const record = Buffer.alloc(recordLength(name.length, payload.length))
  writeRecord(record, heading, name, payload)
  return record
}

/** What a decoder finds in these pieces. Each piece is overwritten once the next has come: as late as a user may. */
function decode(pieces: Iterable<Buffer>, decoder = new RecordDecoder()): (Publication | undefined)[] {
  const found: (Publication | undefined)[] = []
  for (const piece of pieces) {
    const copy = Buffer.from(piece)
    const whole = decoder.push(copy, (record) => {
      const publication = readRecord(record)
      if (publication !== undefined) found.push({ ...publication, payload: Buffer.from(publication.payload) })
    })
    assert.ok(whole)
    copy.fill(0xff)
  }
  assert.equal(decoder.unfinished, false)
  return found
}

describe('records', () => {
  test('read as they were written', () => {
    for (let round = 0; round < 500; round++) {
      const publication = randomPublication()
      assert.deepEqual(readRecord(recordOf(publication)), publication)
    }
  })

  test(`are the same at random splits (SEED=${seed})`, () => {
    for (let round = 0; round < 300; round++) {
      const publications = Array.from({ length: random.between(1, 12) }, randomPublication)
      const stream = Buffer.concat(publications.map(recordOf))
      const longest = random.pick([1, 3, 30, 1000, 65_536])
      const pieces: Buffer[] = []
      for (let at = 0; at < stream.length; ) {
        const end = at + random.between(1, longest)
        pieces.push(stream.subarray(at, end))
        at = end
      }
      assert.deepEqual(decode(pieces), publications)
    }
  })

  test('are the same at every two splits of a short stream', () => {
    const publications = [
      { ...randomPublication(), topic: 'a', payload: Buffer.from('one') },
      { ...randomPublication(), topic: '', payload: Buffer.alloc(0) },
      { ...randomPublication(), topic: 'b', payload: Buffer.from('three') },
    ]
    const stream = Buffer.concat(publications.map(recordOf))
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const pieces = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
        assert.deepEqual(decode(pieces), publications)
      }
    }
  })

  test('make up a message, whole', () => {
    const publications = Array.from({ length: 5 }, randomPublication)
    const message = Buffer.concat(publications.map(recordOf))
    const found: (Publication | undefined)[] = []
    const take = (record: Buffer): void => {
      found.push(readRecord(record))
    }
    assert.equal(eachRecord(message, take), true)
    assert.deepEqual(found, publications)
    assert.equal(eachRecord(message.subarray(0, -1), take), false)
    assert.equal(eachRecord(Buffer.from('hello'), take), false)
  })
})

describe('what is no record', () => {
  const record = recordOf({ ...randomPublication(), topic: 'topic', payload: Buffer.from('payload') })

  test('breaks the stream for good, wherever it is split', () => {
    for (const length of [0, 15, 1_000_000, 0xffffffff]) {
      const broken = Buffer.alloc(40)
      broken.writeUInt32BE(length)
      for (let split = 0; split < broken.length; split++) {
        const decoder = new RecordDecoder(1000)
        let taken = 0
        const count = (): void => {
          taken++
        }
        assert.equal(decoder.push(record, count), true)
        decoder.push(broken.subarray(0, split), count)
        assert.equal(decoder.push(broken.subarray(split), count), false)
        assert.equal(decoder.push(record, count), false)
        assert.equal(taken, 1)
      }
    }
  })

  test('is not read', () => {
    for (const kind of [0, 4, 255]) {
      const wrong = Buffer.from(record)
      wrong[4] = kind
      assert.equal(readRecord(wrong), undefined)
    }
    const long = Buffer.from(record)
    long.writeUInt16BE(60_000, 6)
    assert.equal(readRecord(long), undefined)
    for (let end = 0; end < 20; end++) assert.equal(readRecord(record.subarray(0, end)), undefined)
  })

  test(`never throws, whatever it is (SEED=${seed})`, () => {
    for (let round = 0; round < 2000; round++) {
      const decoder = new RecordDecoder(5000)
      const bytes = Buffer.concat([recordOf(randomPublication()), random.bytes(random.below(200))])
      const at = random.below(bytes.length)
      bytes[at] = random.next()
      decoder.push(bytes, (found) => void readRecord(found))
    }
  })
})
