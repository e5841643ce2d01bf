// What is agreed on with a client is kept by what it offers, for some offers: whoever offers the same gets the same, whatever was
// offered in between, and whatever is offered takes no more memory than for those.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { DeflateAgreements } from '../../src/connection/deflateAgreements.js'
import { type DeflateOptions, deflateSettings } from '../../src/connection/deflateSettings.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'

const parts = { encoder: encoderOfThread('server'), heap: heapOfThread() }

function agreements(options: DeflateOptions = {}): DeflateAgreements {
  const settings = deflateSettings(options, undefined)
  assert.ok(settings !== undefined)
  return new DeflateAgreements(parts, settings)
}

const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; client_max_window_bits=9; server_no_context_takeover',
  'permessage-deflate; server_max_window_bits=10, permessage-deflate',
  'permessage-deflate; unknown, permessage-deflate; client_no_context_takeover',
  'permessage-deflate; unknown',
  'x-webkit-deflate-frame',
  '',
  'é, permessage-deflate',
  `${'other, '.repeat(100)}permessage-deflate`,
]

test('the same is agreed on with whoever offers the same, also after many others', () => {
  for (const options of [{}, { contextTakeover: false }, { windowBits: 15 }]) {
    const kept = agreements(options)
    for (let round = 0; round < 3; round++) {
      for (const offers of OFFERS) {
        const alone = agreements(options).agree(offers)
        const again = kept.agree(offers)
        assert.equal(again?.answer, alone?.answer, offers)
        const { windows: _, ...inflation } = again?.inflation ?? {}
        const { windows: __, ...expected } = alone?.inflation ?? {}
        assert.deepEqual(inflation, expected, offers)
        assert.equal(again?.deflation.windowBits, alone?.deflation.windowBits, offers)
        assert.equal(again?.deflation.takesOver, alone?.deflation.takesOver, offers)
      }
      for (let other = 0; other < 200; other++) kept.agree(`x${other}, permessage-deflate`)
    }
  }
})

test('each connection has a tally of its own, and all share the rest', () => {
  const kept = agreements()
  const [one, other] = [kept.agree('permessage-deflate'), kept.agree('permessage-deflate')]
  assert.notEqual(one?.tally, other?.tally)
  assert.equal(one?.inflation, other?.inflation)
  assert.equal(one?.deflation, other?.deflation)
})

test('no memory is left for one more window: that is asked each time', () => {
  const kept = agreements({ memory: 10_000 })
  const one = kept.agree('permessage-deflate; client_max_window_bits')
  assert.ok(one !== undefined)
  one.inflation.windows.charge(9000)
  assert.equal(kept.agree('permessage-deflate; client_max_window_bits'), undefined)
  one.inflation.windows.give(9000)
  assert.ok(kept.agree('permessage-deflate; client_max_window_bits') !== undefined)
})
