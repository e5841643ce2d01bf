// What a peer sends as a compressed message: the examples of RFC 7692, all the ways in which a message may end, and
// everything that is no DEFLATE. Whatever it is, nothing is read or written but what is the message's own.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import {
  type Cuts,
  Deflating,
  type Inflated,
  Inflating,
  randomCuts,
  TAIL,
  whole,
  ZlibDeflating,
} from './compressing.js'
import { jsonDocument } from './documents.js'

/** The messages of one connection, from their payloads in hexadecimal. */
function inflated(payloads: readonly string[], windowBits = 15, cuts?: Cuts): (string | Buffer)[] {
  const inflating = new Inflating(windowBits, true)
  const messages = payloads.map((payload) => inflating.message(Buffer.from(payload.replaceAll(' ', ''), 'hex'), cuts))
  inflating.free()
  return messages.map((message) => (typeof message === 'string' ? `(${message})` : message.toString('latin1')))
}

const bytewise: Cuts = { input: (left) => Math.min(left, 1), room: () => 1 }

describe('a compressed message', () => {
  const examples: readonly (readonly [what: string, payloads: readonly string[], messages: readonly string[]])[] = [
    ['with a fixed block (7.2.3.1)', ['f2 48 cd c9 c9 07 00'], ['Hello']],
    ['that refers to the one before (7.2.3.2)', ['f2 48 cd c9 c9 07 00', 'f2 00 11 00 00'], ['Hello', 'Hello']],
    ['with a stored block (7.2.3.3)', ['00 05 00 fa ff 48 65 6c 6c 6f 00'], ['Hello']],
    ['with BFINAL, and an empty block behind it (7.2.3.4)', ['f3 48 cd c9 c9 07 00 00'], ['Hello']],
    ['of two blocks (7.2.3.5)', ['f2 48 05 00 00 00 ff ff ca c9 c9 07 00'], ['Hello']],
    ['that is empty (7.2.3.6)', ['00'], ['']],
    ['with BFINAL, and nothing behind it', ['f3 48 cd c9 c9 07 00', 'f2 00 11 00 00'], ['Hello', 'Hello']],
    ['of two blocks with BFINAL', ['f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00'], ['HelloHello']],
    ['whose sender has not left out the 00 00 ff ff', ['f2 48 cd c9 c9 07 00 00 00 ff ff'], ['Hello']],
    ['of no bytes at all', ['', 'f2 48 cd c9 c9 07 00'], ['', 'Hello']],
  ]
  for (const [what, payloads, messages] of examples) {
    it(what, () => {
      assert.deepEqual(inflated(payloads), messages)
      assert.deepEqual(inflated(payloads, 8, bytewise), messages)
    })
  }
})

describe('the formats of RFC 1951', () => {
  const rows: readonly (readonly [what: string, input: Buffer])[] = [
    ['stored blocks (3.2.4)', deflateRawSync(Buffer.alloc(70_000, 7), { level: 0 })],
    ['fixed codes (3.2.6)', deflateRawSync('abcabcabc'.repeat(90), { strategy: constants.Z_FIXED })],
    ['dynamic codes (3.2.7)', deflateRawSync('ABCDEFGHFFFF'.repeat(300), { strategy: constants.Z_HUFFMAN_ONLY })],
    [
      'lengths of 3 to 258 (3.2.5)',
      deflateRawSync(Buffer.concat(Array.from({ length: 256 }, (_, n) => Buffer.alloc(n + 4, n)))),
    ],
  ]
  for (const [what, input] of rows) {
    it(`${what} are read as zlib reads them`, () => {
      assert.deepEqual(inflated([input.toString('hex')]), [inflateRawSync(input).toString('latin1')])
    })
  }

  it('a string of matches that overlap what they write (3.2.3): X and Y, then <5, 2>', () => {
    // A fixed block: the literals X and Y, a match of length 5 at distance 2, and the end.
    const bits = ['0', '10', code8('X'), code8('Y'), '0000011', '00001', '0000000', '0', '00'].join('')
    assert.deepEqual(inflated([bytesOf(bits)]), ['XYXYXYX'])
  })
})

/** The fixed code of a literal below 144, most significant bit first. */
function code8(character: string): string {
  return (character.charCodeAt(0) + 0x30).toString(2).padStart(8, '0')
}

/** Bits in the order of the stream, the least of each byte first, as hexadecimal. */
function bytesOf(bits: string): string {
  const bytes = bits.match(/.{1,8}/g) ?? []
  return bytes
    .map((byte) =>
      Number.parseInt([...byte.padEnd(8, '0')].reverse().join(''), 2)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')
}

describe('a corrupt message', () => {
  const corrupt: readonly (readonly [what: string, payload: string])[] = [
    ['a block of the reserved type', '06'],
    ['a stored block whose length and its complement differ', '00 05 00 fb ff 48 65 6c 6c 6f 00'],
    ['a match in front of everything', '02 02 00 00'],
    ['a match that begins one byte before everything', '72 04 42 00 00'],
    ['a fixed block with the length symbol 286', '72 1c 03 00 00'],
    ['a fixed block with the distance symbol 30', '72 04 3e 00 00'],
    ['more than 286 literal and length codes', 'f4 00 00 00 00 00'],
    ['more than 30 distance codes', '04 1e 00 00 00 00'],
    ['code lengths of which there are too many', '04 00 92 00 00 00 00'],
    ['code lengths of which there are too few', '04 00 24 01 00 00 00'],
    ['a repeated code length with nothing before it', '04 00 12 00 00 00 00'],
    ['repeated code lengths beyond the last', '04 00 80 e4 ff 1f 00 00 00'],
    ['a dynamic block that has no code for its end', '04 00 80 e4 7f 1b 00 00 00'],
    ['the end within a stored block', '00 05 00 fa ff 48'],
    ['the end within the length of a stored block', '00 05 00'],
    ['the end within a fixed block', 'f2 48 cd c9 c9'],
  ]
  it('is told why, wherever in the memory its state lies', () => {
    const many = Array.from({ length: 5000 }, () => new Inflating(15, true)) // 2 MiB of states, where one thread begins with less
    for (const inflating of [many[0], many.at(-1)]) {
      assert.equal(inflating?.message(Buffer.from('0005000000', 'hex')), 'corrupt')
      assert.equal(inflating?.inflater.corruption, 'invalid stored block lengths')
    }
    for (const inflating of many) inflating.free()
  })

  for (const [what, payload] of corrupt) {
    it(what, () => {
      assert.deepEqual(inflated([payload]), ['(corrupt)'])
      assert.deepEqual(inflated([payload], 15, bytewise), ['(corrupt)'])
    })
  }

  it('after it, nothing is understood', () => {
    assert.deepEqual(inflated(['06', 'f2 48 cd c9 c9 07 00']), ['(corrupt)', '(corrupt)'])
  })

  it('refers farther back than the window that was negotiated', () => {
    for (let windowBits = 8; windowBits < 15; windowBits++) {
      const pieces = [0, 1].map((more) => new Random(seed).bytes(2 ** windowBits + more))
      const [fits, tooFar] = pieces.map((piece) => {
        const deflating = new ZlibDeflating(6, 15, true)
        const payloads = [piece, piece].map((message) => deflating.message(message))
        deflating.free()
        const inflating = new Inflating(windowBits, true)
        const messages = payloads.map((payload) => inflating.message(payload))
        inflating.free()
        return messages[1]
      })
      assert.deepEqual(fits, pieces[0])
      assert.equal(tooFar, 'corrupt')
    }
  })

  it('refers to a message before, where there is no context takeover', () => {
    const inflating = new Inflating(15, false)
    assert.equal(String(inflating.message(Buffer.from('f248cdc9c90700', 'hex'))), 'Hello')
    assert.equal(inflating.message(Buffer.from('f200110000', 'hex')), 'corrupt')
    inflating.free()
  })
})

/** What zlib makes of a message: its bytes up to BFINAL or to where the message is cut, or undefined if it is corrupt. */
function oracle(payload: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return undefined
  }
}

function judge(payload: Buffer, got: Inflated, what: string): void {
  const expected = oracle(payload)
  if (typeof got === 'string') return
  assert.ok(expected !== undefined, `${what}: zlib refuses it`)
  // zlib ends with BFINAL, after which more may come here.
  assert.ok(got.subarray(0, expected.length).equals(expected), `${what}: zlib inflates it to something else`)
}

describe('whatever comes', () => {
  it('every single bit that is wrong in valid messages leads to a clear end, or to what zlib makes of it', () => {
    const random = new Random(seed)
    const documents = [jsonDocument(random, 400), Buffer.alloc(300, 'abc'), random.bytes(60), jsonDocument(random, 60)]
    let refused = 0
    for (const level of effort({ quick: [6], full: [0, 1, 3, 6, 9] })) {
      for (const document of documents) {
        const deflating = new ZlibDeflating(level, 15, false)
        const payload = deflating.message(document)
        deflating.free()
        for (let bit = 0; bit < payload.length * 8; bit++) {
          const wrong = Buffer.from(payload)
          wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          const inflating = new Inflating(15, true)
          const got = inflating.message(wrong, bit % 3 === 0 ? randomCuts(random) : whole, bit % 2 === 0, 100_000)
          inflating.free()
          judge(wrong, got, `level ${level}, bit ${bit}`)
          if (typeof got === 'string') refused++
        }
      }
    }
    assert.ok(refused > 200, `only ${refused} were refused`)
  })

  it('noise leads to a clear end, or to what zlib makes of it', () => {
    const random = new Random(seed)
    for (let round = 0; round < effort({ quick: 2000, full: 100_000 }); round++) {
      const noise = random.bytes(random.below(120))
      if (noise.length > 0 && random.chance(0.5)) noise[0] = ((noise[0] ?? 0) & ~7) | random.pick([2, 4])
      const inflating = new Inflating(random.between(8, 15), true)
      const got = inflating.message(noise, random.chance(0.5) ? randomCuts(random) : whole, random.chance(0.5), 100_000)
      inflating.free()
      judge(noise, got, `SEED=${seed}, round ${round}`)
    }
  })
})

describe('the limit of a message', () => {
  const bomb = new ZlibDeflating(9, 15, false)
  const payload = bomb.message(Buffer.alloc(1_000_000))
  bomb.free()

  it('stops a bomb at the byte, however much room there is', () => {
    assert.ok(payload.length < 1100)
    for (const limit of [0, 1, 257, 258, 4096, 99_999]) {
      for (const room of [200_000, 1000]) {
        const inflating = new Inflating(15, true)
        const cuts: Cuts = { input: (left) => left, room: () => room }
        assert.equal(inflating.message(payload, cuts, false, limit), 'limit')
        assert.equal(inflating.written, limit)
        inflating.free()
      }
    }
  })

  it('lets a message pass that is exactly as long', () => {
    const document = jsonDocument(new Random(seed), 1000)
    const deflating = new Deflating(12, false)
    const compressed = deflating.message(document)
    deflating.free()
    for (const cuts of [whole, bytewise]) {
      const inflating = new Inflating(12, false)
      assert.deepEqual(inflating.message(compressed, cuts, true, document.length), document)
      assert.equal(inflating.message(compressed, cuts, true, document.length - 1), 'limit')
      inflating.free()
    }
  })

  it('is each message its own', () => {
    const inflating = new Inflating(15, true)
    for (let at = 0; at < 5; at++) {
      assert.deepEqual(inflating.message(Buffer.from('f248cdc9c90700', 'hex'), whole, true, 5), Buffer.from('Hello'))
    }
    inflating.free()
  })
})
