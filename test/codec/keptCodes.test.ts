// Codes that a deflater keeps for the messages that follow: zlib understands what is written with them, they are given up
// where they no longer suit, and they are never made of what another peer was sent.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { Deflating, ZlibDeflating, ZlibInflating } from './compressing.js'
import { jsonDocument, randomMessage, words } from './documents.js'

const MESSAGES = effort({ quick: 300, full: 20_000 })

/** The bits of a header of a dynamic block that come before its code lengths, and some of these. */
const HEADER = 20

function deflateAll(messages: Iterable<Buffer>, windowBits: number): { bytes: number; headers: string[] } {
  const deflating = new Deflating(windowBits, true)
  const inflating = new ZlibInflating(Math.max(windowBits, 9), true)
  const headers: string[] = []
  let bytes = 0
  for (const message of messages) {
    const payload = deflating.message(message)
    assert.ok(inflating.message(payload).equals(message), `message ${headers.length} is inflated to something else`)
    headers.push(payload.toString('hex', 0, HEADER))
    bytes += payload.length
  }
  deflating.free()
  inflating.free()
  return { bytes, headers }
}

function zlibBytes(messages: Iterable<Buffer>): number {
  const zlib = new ZlibDeflating(1, 12, true)
  let bytes = 0
  for (const message of messages) bytes += zlib.message(message).length
  zlib.free()
  return bytes
}

describe('codes that are kept', () => {
  it('are used again for messages that are alike: most of these begin with the header of the one before', () => {
    const random = new Random(seed)
    const messages = Array.from({ length: MESSAGES }, () => jsonDocument(random, 1024))
    const { headers } = deflateAll(messages, 12)
    const same = headers.filter((header, at) => header === headers[at - 1]).length
    assert.ok(same > MESSAGES / 2, `${same} of ${MESSAGES} have the header of the one before`)
  })

  for (const windowBits of [11, 12, 13, 15]) {
    it(`are understood by zlib, whatever comes, in a window of 2^${windowBits}`, () => {
      const random = new Random(seed + windowBits)
      deflateAll(
        Array.from({ length: MESSAGES }, (_, at) => {
          if (at % 20 < 12) return jsonDocument(random, random.between(700, 1900))
          return at % 20 < 16 ? words(random, random.between(700, 2100)) : randomMessage(random, 2100)
        }),
        windowBits,
      )
    })
  }

  it('are given up where messages change: two kinds by turns are at most 1.15 times what zlib makes of them', () => {
    const random = new Random(seed)
    const messages = Array.from({ length: MESSAGES }, (_, at) =>
      at % 2 === 0 ? jsonDocument(random, 1024) : words(random, 1024),
    )
    const { bytes } = deflateAll(messages, 12)
    assert.ok(bytes <= 1.15 * zlibBytes(messages), `${bytes} bytes for zlib's ${zlibBytes(messages)}`)
  })

  it('say nothing of what others were sent: after forgetting, a deflater writes what a new one writes', () => {
    const random = new Random(seed)
    const used = new Deflating(12, true)
    for (let at = 0; at < 40; at++) used.message(at % 5 < 3 ? words(random, 1024) : jsonDocument(random, 1024))
    used.deflater.forget()
    const fresh = new Deflating(12, true)
    // So long that the new one has the same window, and forgets it, too.
    for (let at = 0; at < 2; at++) fresh.message(Buffer.alloc(1024))
    fresh.deflater.forget()
    for (let at = 0; at < 40; at++) {
      const message = jsonDocument(random, 1024)
      assert.ok(used.message(message).equals(fresh.message(message)), `message ${at} differs`)
    }
    used.free()
    fresh.free()
  })
})
