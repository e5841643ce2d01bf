// The header of a block that a peer sends again: its tables are there still. Whatever differs in it is read anew, wherever
// the input is cut, and whoever else had tables of their own in the same place meanwhile.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { Deflating, Inflating, randomCuts, whole } from './compressing.js'
import { jsonDocument, words } from './documents.js'

/** More than there are places of tables. */
const PEERS = 150
const ROUNDS = effort({ quick: 12, full: 400 })

function deflated(message: Buffer, level: number): Buffer {
  return deflateRawSync(message, { level, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

function flipped(payload: Buffer, bit: number): Buffer {
  const other = Buffer.from(payload)
  other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return other
}

/** What becomes of a message behind two others: with the first one, an inflater gets a place of tables of its own. */
function third(first: Buffer, next: Buffer): unknown {
  const inflating = new Inflating(15, true)
  inflating.message(first)
  inflating.message(first)
  const found = inflating.message(next)
  inflating.free()
  return found
}

describe('a header that comes again', () => {
  it('is that of one peer, whatever the others send meanwhile', () => {
    const random = new Random(seed)
    const peers = Array.from({ length: PEERS }, () => ({
      deflating: new Deflating(12, true),
      inflating: new Inflating(12, true),
    }))
    for (let round = 0; round < ROUNDS; round++) {
      for (const [at, { deflating, inflating }] of peers.entries()) {
        if (random.chance(0.2)) continue
        const message = at % 3 === 0 ? words(random, 1024) : jsonDocument(random, 1024)
        const cuts = random.chance(0.5) ? whole : randomCuts(random)
        assert.deepEqual(inflating.message(deflating.message(message), cuts), message, `SEED=${seed}`)
      }
    }
    for (const { deflating, inflating } of peers) {
      deflating.free()
      inflating.free()
    }
  })

  it('is read anew if one bit of it differs', () => {
    const message = jsonDocument(new Random(seed), 1024)
    const payload = deflated(message, 6)
    const plain = deflated(message, 0)
    assert.deepEqual(third(payload, payload), message)
    for (let bit = 0; bit < 8 * 90; bit++) {
      const other = flipped(payload, bit)
      assert.deepEqual(third(payload, other), third(plain, other), `SEED=${seed}, bit ${bit}`)
    }
  })

  it('may be cut anywhere, and be all that comes', () => {
    const message = jsonDocument(new Random(seed), 1024)
    const payload = deflated(message, 6)
    const plain = deflated(message, 0)
    for (let cut = 0; cut < payload.length; cut++) {
      const inflating = new Inflating(15, true)
      for (let before = 0; before < 2; before++) assert.deepEqual(inflating.message(payload), message)
      let isFirst = true
      const input = (left: number): number => {
        const length = isFirst ? cut : left
        isFirst = false
        return length
      }
      assert.deepEqual(inflating.message(payload, { ...whole, input }), message, `SEED=${seed}, cut at ${cut}`)
      inflating.free()
      const piece = payload.subarray(0, cut)
      assert.deepEqual(third(payload, piece), third(plain, piece), `SEED=${seed}, cut off at ${cut}`)
    }
  })
})
