// What the load keeps of a message that comes in pieces: its bytes, and no more than that, however many pieces there are.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Gathering } from '../../src/load/gathering.js'

describe('a message that comes in pieces', () => {
  for (const length of [0, 1, 2, 1023, 1024, 1025, 5000]) {
    test(`of ${length} bytes is whole, at any cut, as far as it is kept`, () => {
      const message = Buffer.from(Array.from({ length }, (_, at) => at % 251))
      for (const step of [1, 3, 1000, 7000]) {
        for (const most of [0, 1, 1024, 4999, 9000]) {
          const gathering = new Gathering(most)
          for (let round = 0; round < 2; round++) {
            let at = 0
            for (; at + step < length; at += step) gathering.add(message.subarray(at, at + step))
            assert.deepEqual(Buffer.from(gathering.end(message.subarray(at))), message.subarray(0, most))
          }
        }
      }
    })
  }

  test('what is forgotten is no part of the next', () => {
    const gathering = new Gathering(10)
    gathering.add(Buffer.from('abc'))
    gathering.forget()
    assert.equal(gathering.end(Buffer.from('de')).toString(), 'de')
  })

  test('takes no memory for pieces without bytes', () => {
    const gathering = new Gathering(1024)
    gathering.add(Buffer.from('x'))
    const nothing = Buffer.alloc(0)
    const before = process.memoryUsage().rss
    for (let piece = 0; piece < 3_000_000; piece++) gathering.add(nothing)
    assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20)
    assert.equal(gathering.end(nothing).toString(), 'x')
  })
})
