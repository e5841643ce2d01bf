// Payload lengths where something changes: the tiers of the header, 2^31 and 2^32 (where 32-bit arithmetic breaks),
// 2^53 (where a JavaScript number stops counting) and 2^63. Each in both directions, masked and not.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BINARY, buildFrame, CONTINUATION, type LengthForm, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { buildWithCodec, headerWithCodec } from './codecFrames.js'
import { CodecParser } from './codecParser.js'

const key = Buffer.of(0x12, 0x34, 0x56, 0xf8)
const BINARY_FINAL = 0x80 | BINARY
const LONGEST = 2 ** 53 - 1

/** Bytes of the header, without a masking key, for each length. */
const tiers: readonly (readonly [length: number, header: number])[] = [
  [0, 2],
  [1, 2],
  [124, 2],
  [125, 2],
  [126, 4],
  [127, 4],
  [65_534, 4],
  [65_535, 4],
  [65_536, 10],
  [65_537, 10],
]
const huge = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, LONGEST] as const

const sides = [
  { side: 'from a client', masked: true, key },
  { side: 'from a server', masked: false, key: undefined },
] as const

/** How `stream` is refused, fed in two pieces of which the first is in order. */
function violationOf(stream: Buffer, masked: boolean, limit: number, cut: number): string | undefined {
  const parser = new CodecParser({ masked, limit })
  parser.feed(stream.subarray(0, cut))
  assert.equal(parser.violation, undefined)
  parser.feed(stream.subarray(cut))
  parser.close()
  return parser.violation
}

/** A header with its masking key, announcing any length in any form. */
function headerOf(announced: bigint, form: LengthForm, masking: Buffer | undefined, opcode = BINARY): Buffer {
  return buildFrame({ opcode, announced, form, key: masking })
}

for (const { side, masked, key: masking } of sides) {
  describe(`payload lengths ${side}`, () => {
    for (const [length, header] of tiers) {
      const end = header + (masked ? 4 : 0)
      const payload = new Random(seed + length).bytes(length)

      it(`writes ${length} bytes with a header of ${header}`, () => {
        const frame = buildWithCodec(BINARY_FINAL, payload, masking)
        assert.equal(frame.length, end + length)
        assert.ok(frame.equals(buildFrame({ opcode: BINARY, payload, key: masking })))
      })

      it(`reads ${length} bytes`, () => {
        const frame = buildFrame({ opcode: BINARY, payload, key: masking })
        for (const cut of [0, 1, 2, 3, 5, 9, 13, frame.length - 1]) {
          const parser = new CodecParser({ masked, limit: length })
          parser.feed(frame.subarray(0, cut))
          parser.feed(frame.subarray(cut))
          assert.equal(parser.events.length, 1, `cut at ${cut}`)
          assert.ok(parser.events[0]?.payload.equals(payload), `cut at ${cut}`)
          parser.close()
        }
      })

      if (length === 0) continue // no limit is shorter
      it(`refuses ${length} bytes if the limit is one less, before a key has come`, () => {
        const frame = buildFrame({ opcode: BINARY, payload, key: masking }).subarray(0, end)
        const announced = frame.subarray(0, header)
        assert.equal(violationOf(announced, masked, length - 1, header - 1), 'MESSAGE_TOO_LONG')
        assert.equal(violationOf(announced, masked, length - 1, 0), 'MESSAGE_TOO_LONG')
        assert.equal(violationOf(frame, masked, length, 0), undefined)
      })
    }

    for (const length of huge) {
      it(`announces ${length} exactly`, () => {
        const stream = Buffer.concat([headerOf(BigInt(length), 64, masking), Buffer.alloc(3)])
        for (let cut = 0; cut < stream.length; cut++) {
          const parser = new CodecParser({ masked, limit: LONGEST })
          parser.feed(stream.subarray(0, cut))
          parser.feed(stream.subarray(cut))
          assert.deepEqual([parser.violation, parser.announced], [undefined, length], `cut at ${cut}`)
          assert.ok(parser.needed <= 3, 'no more room is wanted than bytes have come')
          parser.close()
        }
      })

      it(`refuses ${length} if the limit is one less`, () => {
        const header = headerOf(BigInt(length), 64, masking).subarray(0, 2 + 8)
        for (let cut = 0; cut < header.length; cut++) {
          assert.equal(violationOf(header, masked, length - 1, cut), 'MESSAGE_TOO_LONG')
        }
      })
    }

    for (const [violation, announced, form] of [
      ['LENGTH_UNSAFE', 2n ** 53n, 64],
      ['LENGTH_UNSAFE', 2n ** 53n + 1n, 64],
      ['LENGTH_UNSAFE', 2n ** 63n - 1n, 64],
      ['LENGTH_TOP_BIT', 2n ** 63n, 64],
      ['LENGTH_TOP_BIT', 2n ** 63n + 5n, 64],
      ['LENGTH_TOP_BIT', 2n ** 64n - 1n, 64],
      ['LENGTH_NOT_MINIMAL', 0n, 16],
      ['LENGTH_NOT_MINIMAL', 125n, 16],
      ['LENGTH_NOT_MINIMAL', 0n, 64],
      ['LENGTH_NOT_MINIMAL', 126n, 64],
      ['LENGTH_NOT_MINIMAL', 65_535n, 64],
    ] as const) {
      it(`refuses ${announced} in ${form} bits: ${violation}`, () => {
        const header = headerOf(announced, form, undefined).subarray(0, 2 + form / 8)
        if (masked) header[1] = (header[1] ?? 0) | 0x80
        for (let cut = 0; cut < header.length; cut++) {
          assert.equal(violationOf(header, masked, LONGEST, cut), violation, `cut at ${cut}`)
        }
      })
    }

    it('counts the fragments before against the limit', () => {
      for (const opcode of [TEXT, BINARY]) {
        const first = buildFrame({ opcode, payload: 'abcde', fin: false, key: masking })
        for (const [announced, limit] of [
          [6n, 10],
          [2n ** 32n, 2 ** 32 + 4],
          [2n ** 53n - 5n, LONGEST],
          [2n ** 53n - 1n, LONGEST],
        ] as const) {
          const next = buildFrame({ opcode: CONTINUATION, announced, key: masking })
          assert.equal(violationOf(Buffer.concat([first, next]), masked, limit, first.length), 'MESSAGE_TOO_LONG')
        }
      }
    })

    it('announces what a message has with the fragments before', () => {
      for (const announced of [2n ** 31n, 2n ** 32n - 5n, 2n ** 32n, 2n ** 53n - 6n]) {
        const parser = new CodecParser({ masked, limit: LONGEST })
        parser.feed(buildFrame({ opcode: BINARY, payload: 'abcde', fin: false, key: masking }))
        parser.feed(buildFrame({ opcode: CONTINUATION, announced, key: masking, payload: Buffer.alloc(70_000) }))
        assert.deepEqual([parser.needed, parser.announced], [70_005, Number(announced) + 5])
        parser.close()
      }
    })
  })
}

describe('the header of a frame whose payload is already in its place', () => {
  for (const length of [...tiers.map(([length]) => length), ...huge]) {
    it(`announces ${length}`, () => {
      const header = headerWithCodec(BINARY_FINAL, length)
      assert.deepEqual(header, buildFrame({ opcode: BINARY, announced: BigInt(length) }))
    })
  }
})
