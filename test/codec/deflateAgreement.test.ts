// zlib is the oracle: it understands what is deflated here, and what it deflates is understood here, message after message,
// with every window and however the messages are cut.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { constants } from 'node:zlib'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { walk } from '../support/referenceInflate.js'
import { type Cuts, Deflating, Inflating, randomCuts, whole, ZlibDeflating, ZlibInflating } from './compressing.js'
import { jsonDocument, randomMessage } from './documents.js'

/** Where seeds begin: in the full suite another one each time, which the names of tests and of failures tell. */
const SEED = effort({ quick: seed, full: process.env['SEED'] === undefined ? Date.now() % 2 ** 32 : seed })

/** Milliseconds for each direction, after the least number of connections: more than a minute in both. */
const TIME = effort({ quick: 0, full: 32_000 })
const LEAST = effort({ quick: 200, full: 1000 })
const MESSAGES = 8

/** Connections from seeds of their own, which a failure names. */
function* connections(): Generator<{ random: Random; name: string }> {
  const end = Date.now() + TIME
  for (let round = 0; round < LEAST || Date.now() < end; round++) {
    yield { random: new Random(SEED + round), name: `SEED=${SEED + round}` }
  }
}

const STRATEGIES = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE] as const

describe(`compression and zlib agree, from SEED=${SEED}`, () => {
  it('on what is deflated here', () => {
    for (const { random, name } of connections()) {
      const windowBits = random.between(8, 15)
      const takeover = random.chance(0.6)
      const longest = random.pick([100, 2000, 40_000])
      const deflating = new Deflating(windowBits, takeover)
      const inflating = new ZlibInflating(windowBits, takeover)
      for (let at = 0; at < MESSAGES; at++) {
        const message = randomMessage(random, longest)
        const cuts = randomCuts(random)
        const roomy: Cuts = { input: cuts.input, room: () => random.between(128, 20_000) }
        const payload = deflating.message(message, message.length < 5000 && random.chance(0.5) ? roomy : undefined)
        const got = inflating.message(payload)
        assert.ok(got.equals(message), `${name}, message ${at} of ${message.length} bytes, window of 2^${windowBits}`)
      }
      deflating.free()
      inflating.free()
    }
  })

  it('on what zlib deflates, at every level', () => {
    for (const { random, name } of connections()) {
      const windowBits = random.between(9, 15)
      const takeover = random.chance(0.6)
      const longest = random.pick([100, 2000, 40_000])
      const deflating = new ZlibDeflating(random.between(0, 9), windowBits, takeover, random.pick(STRATEGIES))
      const inflating = new Inflating(windowBits, takeover)
      for (let at = 0; at < MESSAGES; at++) {
        const message = randomMessage(random, longest)
        const payload = deflating.message(message)
        const cuts = payload.length < 5000 && random.chance(0.5) ? randomCuts(random) : whole
        const got = inflating.message(payload, cuts, random.chance(0.5))
        assert.deepEqual(got, message, `${name}, message ${at} of ${message.length} bytes, window of 2^${windowBits}`)
      }
      deflating.free()
      inflating.free()
    }
  })

  it('on messages that are cut at every byte, of the input and of the output', () => {
    const random = new Random(seed)
    const messages = [
      jsonDocument(random, 700),
      random.bytes(70),
      Buffer.alloc(600, 'ab'),
      Buffer.alloc(0),
      jsonDocument(random, 120),
    ]
    for (const level of [0, 1, 6]) {
      const deflating = new ZlibDeflating(level, 15, true)
      const payloads = messages.map((message) => deflating.message(message))
      deflating.free()
      for (let cut = 1; cut < Math.max(...payloads.map(({ length }) => length)); cut++) {
        const inflating = new Inflating(15, true)
        for (const [at, payload] of payloads.entries()) {
          const cuts: Cuts = {
            input: (left) => (left === payload.length ? Math.min(cut, left) : left),
            room: () => 1000,
          }
          assert.deepEqual(inflating.message(payload, cuts), messages[at], `cut at ${cut}`)
        }
        inflating.free()
      }
      for (let cut = 1; cut < 700; cut += effort({ quick: 5, full: 1 })) {
        const inflating = new Inflating(15, true)
        for (const [at, payload] of payloads.entries()) {
          const cuts: Cuts = { input: (left) => left, room: () => cut }
          assert.deepEqual(inflating.message(payload, cuts, false), messages[at], `room for ${cut}`)
        }
        inflating.free()
      }
    }
  })

  it('on messages that are deflated in two pieces, cut at every byte', () => {
    const message = jsonDocument(new Random(seed), 900)
    for (let cut = 1; cut <= message.length; cut += effort({ quick: 3, full: 1 })) {
      const deflating = new Deflating(12, true)
      const inflating = new ZlibInflating(12, true)
      const cuts: Cuts = { input: (left) => (left === message.length ? cut : left), room: () => 200 }
      for (let at = 0; at < 2; at++) {
        assert.ok(inflating.message(deflating.message(message, cuts)).equals(message), `cut at ${cut}`)
      }
      deflating.free()
      inflating.free()
    }
  })

  it('on what is deflated and inflated here', () => {
    for (let windowBits = 8; windowBits <= 15; windowBits++) {
      const random = new Random(seed + windowBits)
      const deflating = new Deflating(windowBits, true)
      const inflating = new Inflating(windowBits, true)
      for (let at = 0; at < effort({ quick: 60, full: 1000 }); at++) {
        const message = randomMessage(random, 3000)
        assert.deepEqual(inflating.message(deflating.message(message)), message, `message ${at}, 2^${windowBits}`)
      }
      deflating.free()
      inflating.free()
    }
  })
})

it('what is deflated here keeps the RFCs to the letter: no distance beyond the window, codes that are whole, and its end', () => {
  const random = new Random(seed)
  const kinds = new Set<number>()
  for (let windowBits = 8; windowBits <= 15; windowBits++) {
    const deflating = new Deflating(windowBits, true)
    let before: Buffer = Buffer.alloc(0)
    let longest = 0
    for (let at = 0; at < effort({ quick: 12, full: 200 }); at++) {
      // Much of what comes was there before, from one byte back to farther than any window.
      const distance = Math.min(
        before.length,
        random.pick([2 ** windowBits, 2 ** windowBits + 1, random.below(40_000)]),
      )
      const again = before.subarray(before.length - distance, before.length - distance + random.below(500))
      const message = Buffer.concat([again, randomMessage(random, 2 ** windowBits + 1000), again])
      const { bytes, farthest, blocks } = walk(deflating.message(message), before)
      assert.deepEqual(bytes, message)
      assert.ok(farthest <= 2 ** windowBits, `a distance of ${farthest} in a window of 2^${windowBits}`)
      assert.equal(blocks.at(-1), 0)
      for (const kind of blocks) kinds.add(kind)
      longest = Math.max(longest, farthest)
      before = Buffer.concat([before, message]).subarray(-50_000)
    }
    deflating.free()
    assert.ok(
      longest > 2 ** Math.min(windowBits - 1, 10),
      `${longest} is the longest distance in a window of 2^${windowBits}`,
    )
  }
  assert.deepEqual([...kinds].sort(), [0, 1, 2])
})

describe('what is deflated here is short', () => {
  for (const takeover of [true, false]) {
    it(`JSON of 1 KiB, ${takeover ? 'with' : 'without'} context takeover: at most 1.15 times what zlib's level 1 makes of it`, () => {
      const random = new Random(seed)
      const ours = new Deflating(12, takeover)
      const zlib = new ZlibDeflating(1, 12, takeover)
      let bytes = 0
      let zlibBytes = 0
      for (let at = 0; at < 256; at++) {
        const message = jsonDocument(random, 1024)
        bytes += ours.message(message).length
        zlibBytes += zlib.message(message).length
      }
      ours.free()
      zlib.free()
      assert.ok(bytes <= 1.15 * zlibBytes, `${bytes} bytes for zlib's ${zlibBytes}`)
    })
  }

  it('what can not be shorter is hardly longer: 5 bytes for each 7168', () => {
    const random = new Random(seed)
    const deflating = new Deflating(15, true)
    for (const length of [1, 10, 255, 256, 257, 1024, 7168, 70_000]) {
      const { length: got } = deflating.message(random.bytes(length))
      assert.ok(got <= length + 7 + 5 * Math.floor(length / 7168), `${got} bytes for ${length}`)
    }
    deflating.free()
  })
})
