// The answer to the key of an opening handshake, as the codec computes it: held against Node's own SHA-1 and base64, and
// against answers that others have written down.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec } from '../../src/codec/codec.js'
import { HEAP } from '../../src/codec/wasm.generated.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { Random, seed } from '../support/random.js'

const ANSWER_LENGTH = 28
const AROUND = 8
const KEYS = 20_000

/** What the codec answers, with what lies before and behind it. */
function answer(codec: Codec, key: string, target: number, source: number): string {
  const { bytes, call } = codec
  bytes.fill('#', target - AROUND, target + ANSWER_LENGTH + AROUND)
  bytes.write(key, source, 'latin1')
  call.acceptKey(target, source)
  return bytes.toString('latin1', target - AROUND, target + ANSWER_LENGTH + AROUND)
}

const around = (text: string): string => `${'#'.repeat(AROUND)}${text}${'#'.repeat(AROUND)}`

describe('the answer to a key', () => {
  const codec = new Codec()
  const target = HEAP + 1000

  it('is that of RFC 6455, section 1.3', () => {
    const found = answer(codec, 'dGhlIHNhbXBsZSBub25jZQ==', target, HEAP)
    assert.equal(found, around('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='))
  })

  it(`is what Node's own SHA-1 and base64 say, for ${KEYS} keys at any address, and where the key lies, too`, () => {
    const random = new Random(seed)
    const digits = new Set<string>()
    for (let count = 0; count < KEYS; count++) {
      const key = Buffer.from(random.bytes(16)).toString('base64')
      const expected = acceptKey(key)
      for (const digit of expected) digits.add(digit)
      const at = target + (count % 16)
      assert.equal(answer(codec, key, at, HEAP + (count % 7)), around(expected), key)
      assert.equal(answer(codec, key, at, at), around(expected), key)
    }
    assert.equal(digits.size, 65, 'every character of base64 was seen')
  })

  it('is right from the first one of a memory on, whichever it is', () => {
    for (const key of ['AAAAAAAAAAAAAAAAAAAAAA==', '/////////////////////w==', 'AQIDBAUGBwgJCgsMDQ4PEA==']) {
      assert.equal(answer(new Codec(), key, target, HEAP), around(acceptKey(key)))
    }
  })
})
