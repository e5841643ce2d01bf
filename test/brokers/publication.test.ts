// Records arrive in pieces that nobody chose: the decoder must find the same records in all of them, and must end a
// stream that is none without ending the process.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BATCH_BYTES,
  eachPublication,
  type Publication,
  RecordDecoder,
  RecordKind,
  readRecord,
  recordLength,
  writeRecord,
} from '../../src/brokers/publication.js'
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
      return true
    })
    assert.ok(whole)
    copy.fill(0xff)
  }
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

  test('end a stream that holds one which is not taken', () => {
    for (const split of [0, 1, 30, 60]) {
      const stream = Buffer.concat([1, 2, 3].map(() => recordOf({ ...publication, payload: random.bytes(30) })))
      const decoder = new RecordDecoder()
      let taken = 0
      const second = (): boolean => ++taken < 2
      decoder.push(stream.subarray(0, split), second)
      assert.equal(decoder.push(stream.subarray(split), second), false)
      assert.equal(decoder.push(stream, second), false)
      assert.equal(taken, 2)
    }
  })

  test('that are only announced cost what has come of them, not what they announce', () => {
    const announced = Buffer.alloc(4)
    announced.writeUInt32BE(200 * 2 ** 20)
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 50 }, () => new RecordDecoder())
    for (const decoder of decoders) decoder.push(announced, () => true)
    for (const decoder of decoders) decoder.push(Buffer.alloc(1000), () => true)
    const held = process.memoryUsage().arrayBuffers - before
    assert.ok(held < 10 * 2 ** 20, `${held} bytes`)
  })
})

const publication: Publication = {
  kind: RecordKind.publication,
  topic: 'prices/€',
  isText: false,
  begins: false,
  publisher: 7,
  number: 9,
  payload: Buffer.from('payload'),
}

describe('a message of publications', () => {
  const prefix = 'pre:€:'
  const channel = Buffer.from(`${prefix}prices/€`)

  /** What is found in a message; undefined if it is refused. */
  function found(message: Buffer, on: Buffer = channel): (Publication | undefined)[] | undefined {
    const records: (Publication | undefined)[] = []
    const take = (record: Buffer): void => void records.push(readRecord(record))
    const valid = eachPublication(message, on, Buffer.byteLength(prefix), take)
    if (!valid) assert.equal(records.length, 0, 'all or nothing')
    return valid ? records : undefined
  }

  test('is taken whole', () => {
    const publications = Array.from({ length: 5 }, () => ({
      ...publication,
      payload: random.bytes(random.below(3000)),
    }))
    const message = Buffer.concat(publications.map(recordOf))
    assert.deepEqual(found(message), publications)
    const long = { ...publication, payload: random.bytes(2 * BATCH_BYTES) }
    assert.deepEqual(found(recordOf(long)), [long])
  })

  test('is refused whole on any channel but that of its topic', () => {
    const message = recordOf(publication)
    for (const topic of ['', 'prices/', 'prices/€x', 'xprices/€', 'Prices/€', 'secret', 'prices/\ufffd']) {
      assert.equal(found(message, Buffer.from(prefix + topic)), undefined, topic)
    }
    const other = recordOf({ ...publication, topic: 'prices/$$$' })
    assert.equal(found(Buffer.concat([message, other])), undefined)
  })

  test('is refused if a record is longer or shorter than what there is of it, or is no publication', () => {
    const message = recordOf(publication)
    for (const wrong of [
      Buffer.alloc(0),
      message.subarray(0, -1),
      Buffer.concat([message, Buffer.alloc(1)]),
      Buffer.concat([message, message.subarray(0, 3)]),
      Buffer.concat([message, message.subarray(0, -1)]),
      Buffer.from('hello'),
      recordOf({ ...publication, kind: RecordKind.subscribe }),
      recordOf({ ...publication, kind: RecordKind.unsubscribe }),
    ]) {
      assert.equal(found(wrong), undefined)
    }
    for (const length of [0, 15, 1000, 0x7fffffff, 0x80000000, 0xffffffff]) {
      const wrong = Buffer.from(message)
      wrong.writeUInt32BE(length)
      assert.equal(found(wrong), undefined, `${length}`)
      assert.equal(found(wrong.subarray(0, 4)), undefined, `${length}, alone`)
    }
  })

  test('is refused if it holds more than anybody gathers: records cost more than their bytes', () => {
    const one = recordOf({ ...publication, payload: Buffer.alloc(0) })
    const most = Math.ceil(BATCH_BYTES / one.length)
    assert.equal(found(Buffer.concat(Array.from({ length: most }, () => one)))?.length, most)
    assert.equal(found(Buffer.concat(Array.from({ length: most + 1 }, () => one))), undefined)
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
        const count = (): boolean => {
          taken++
          return true
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
    for (const kind of [0, 9, 255]) {
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
      decoder.push(bytes, (found) => readRecord(found) !== undefined)
    }
  })
})
