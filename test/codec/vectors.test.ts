// The examples of RFC 6455, section 5.7, in both directions, and each rule broken by hand: the reference parser and the
// codec could share a misunderstanding, so both are held against bytes written down here.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ViolationName } from '../../src/protocol/violation.js'
import { BINARY, buildFrame, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'
import { parseReference } from '../support/referenceParser.js'
import { Agreement } from './agreement.js'
import { buildWithCodec } from './codecFrames.js'
import { CodecParser } from './codecParser.js'

const LIMIT = 1000

interface Example {
  readonly name: string
  readonly hex: string
  readonly masked: boolean
  readonly opcode: number
  readonly payload: string
}

const hello = { opcode: TEXT, payload: 'Hello' } as const
const examples: readonly Example[] = [
  { name: 'an unmasked text message', hex: '81 05 48 65 6c 6c 6f', masked: false, ...hello },
  { name: 'a masked text message', hex: '81 85 37 fa 21 3d 7f 9f 4d 51 58', masked: true, ...hello },
  { name: 'a fragmented text message', hex: '01 03 48 65 6c 80 02 6c 6f', masked: false, ...hello },
  { name: 'a Ping', hex: '89 05 48 65 6c 6c 6f', masked: false, opcode: PING, payload: 'Hello' },
  { name: 'a Pong', hex: '8a 85 37 fa 21 3d 7f 9f 4d 51 58', masked: true, opcode: PONG, payload: 'Hello' },
]

interface Offence {
  readonly violation: ViolationName
  readonly name: string
  /** The stream; its last byte is the one that breaks the rule. */
  readonly hex: string
  readonly masked: boolean
  /** Whether messages may be compressed. */
  readonly compressed?: boolean
}

const offences: readonly Offence[] = [
  { violation: 'RESERVED_BITS', name: 'the first reserved bit', hex: 'c1', masked: true },
  { violation: 'RESERVED_BITS', name: 'the second reserved bit', hex: 'a1', masked: true },
  { violation: 'RESERVED_BITS', name: 'the third reserved bit', hex: '91', masked: false },
  { violation: 'RESERVED_BITS', name: 'before the opcode is looked at', hex: '93', masked: false },
  // RFC 7692, section 6.1: only the first frame of a message has the bit, and no control frame has.
  { violation: 'RESERVED_BITS', name: 'RSV1 on a Ping', hex: 'c9', masked: true, compressed: true },
  { violation: 'RESERVED_BITS', name: 'RSV1 on Close', hex: 'c8', masked: false, compressed: true },
  { violation: 'RESERVED_BITS', name: 'RSV1 later in a message', hex: '41 00 c0', masked: false, compressed: true },
  { violation: 'RESERVED_BITS', name: 'RSV1 later in a plain one', hex: '01 00 40', masked: false, compressed: true },
  { violation: 'RESERVED_BITS', name: 'RSV2 beside RSV1', hex: 'e1', masked: true, compressed: true },
  { violation: 'RESERVED_BITS', name: 'RSV3 instead', hex: '92', masked: true, compressed: true },
  { violation: 'RESERVED_OPCODE', name: 'RSV1 on opcode 3', hex: 'c3', masked: true, compressed: true },
  { violation: 'CONTINUATION_EXPECTED', name: 'RSV1 within', hex: '41 00 c1', masked: false, compressed: true },
  {
    violation: 'INVALID_UTF8',
    name: 'after a compressed one',
    hex: 'c1 01 80 81 01 80',
    masked: false,
    compressed: true,
  },
  { violation: 'RESERVED_OPCODE', name: 'opcode 3', hex: '83', masked: true },
  { violation: 'RESERVED_OPCODE', name: 'opcode 7', hex: '87', masked: true },
  { violation: 'RESERVED_OPCODE', name: 'opcode 11', hex: '8b', masked: false },
  { violation: 'RESERVED_OPCODE', name: 'opcode 15, not final', hex: '0f', masked: false },
  { violation: 'CONTROL_FRAGMENTED', name: 'Close', hex: '08', masked: true },
  { violation: 'CONTROL_FRAGMENTED', name: 'Ping within a message', hex: '01 00 09', masked: false },
  { violation: 'CONTROL_FRAGMENTED', name: 'Pong', hex: '0a', masked: false },
  { violation: 'CONTINUATION_UNEXPECTED', name: 'at first', hex: '80', masked: true },
  { violation: 'CONTINUATION_UNEXPECTED', name: 'after a whole message', hex: '82 00 00', masked: false },
  { violation: 'CONTINUATION_UNEXPECTED', name: 'after a fragmented message', hex: '01 00 80 00 00', masked: false },
  { violation: 'CONTINUATION_EXPECTED', name: 'text within text', hex: '01 00 01', masked: false },
  {
    violation: 'CONTINUATION_EXPECTED',
    name: 'binary within text, after a Ping',
    hex: '01 00 89 00 82',
    masked: false,
  },
  { violation: 'MASK_MISSING', name: 'on data', hex: '81 05', masked: true },
  { violation: 'MASK_MISSING', name: 'on an empty Ping', hex: '89 00', masked: true },
  { violation: 'MASK_MISSING', name: 'before the length of a Ping', hex: '89 7e', masked: true },
  { violation: 'MASK_FORBIDDEN', name: 'on data', hex: '81 85', masked: false },
  { violation: 'MASK_FORBIDDEN', name: 'on Close', hex: '88 80', masked: false },
  { violation: 'CONTROL_TOO_LONG', name: 'in 16 bits', hex: '89 fe', masked: true },
  { violation: 'CONTROL_TOO_LONG', name: 'in 64 bits', hex: '88 7f', masked: false },
  { violation: 'LENGTH_NOT_MINIMAL', name: '0 in 16 bits', hex: '82 7e 00 00', masked: false },
  { violation: 'LENGTH_NOT_MINIMAL', name: '125 in 16 bits', hex: '82 fe 00 7d', masked: true },
  { violation: 'LENGTH_NOT_MINIMAL', name: '65,535 in 64 bits', hex: '82 7f 00 00 00 00 00 00 ff ff', masked: false },
  { violation: 'LENGTH_TOP_BIT', name: '2^63', hex: '82 ff 80 00 00 00 00 00 00 00', masked: true },
  { violation: 'LENGTH_TOP_BIT', name: '2^64 - 1', hex: '82 7f ff ff ff ff ff ff ff ff', masked: false },
  { violation: 'LENGTH_UNSAFE', name: '2^53', hex: '82 7f 00 20 00 00 00 00 00 00', masked: false },
  { violation: 'LENGTH_UNSAFE', name: '2^63 - 1', hex: '82 ff 7f ff ff ff ff ff ff ff', masked: true },
  { violation: 'MESSAGE_TOO_LONG', name: 'one frame', hex: '82 7e 03 e9', masked: false },
  { violation: 'MESSAGE_TOO_LONG', name: 'one masked frame', hex: '81 fe 03 e9', masked: true },
  { violation: 'MESSAGE_TOO_LONG', name: 'two frames', hex: '02 01 00 80 7e 03 e8', masked: false },
  { violation: 'INVALID_UTF8', name: 'a continuation byte at first', hex: '81 05 80', masked: false },
  { violation: 'INVALID_UTF8', name: 'a surrogate', hex: '81 05 ed a0', masked: false },
  { violation: 'INVALID_UTF8', name: 'beyond U+10FFFF', hex: '81 05 f4 90', masked: false },
  { violation: 'INVALID_UTF8', name: 'an overlong slash', hex: '81 05 e0 80', masked: false },
  { violation: 'INVALID_UTF8', name: 'cut by the end of a message', hex: '81 02 41 c3', masked: false },
  { violation: 'INVALID_UTF8', name: 'across fragments', hex: '01 01 c3 80 01 28', masked: false },
  { violation: 'INVALID_UTF8', name: 'cut, then an empty last fragment', hex: '01 01 c3 80 00', masked: false },
  { violation: 'INVALID_UTF8', name: 'masked', hex: '81 85 01 02 03 04 fe', masked: true },
]

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

describe('the examples of the RFC', () => {
  for (const { name, hex, masked, opcode, payload } of examples) {
    it(`parses ${name}`, () => {
      const agreement = new Agreement(bytesOf(hex), { masked, limit: LIMIT }, name)
      const [event] = agreement.expected.events
      assert.deepEqual([event?.opcode, event?.payload.toString(), event?.end], [opcode, payload, bytesOf(hex).length])
      agreement.checkEverySplit()
    })
  }

  for (const { name, hex, masked, opcode, payload } of examples.filter(({ hex }) => !hex.startsWith('01'))) {
    it(`builds ${name}`, () => {
      const key = masked ? bytesOf(hex).subarray(2, 6) : undefined
      assert.deepEqual(buildFrame({ opcode, payload, key }), bytesOf(hex))
      assert.deepEqual(buildWithCodec(0x80 | opcode, Buffer.from(payload), key), bytesOf(hex))
    })
  }

  for (const { length, hex } of [
    { length: 256, hex: '82 7e 01 00' },
    { length: 65_536, hex: '82 7f 00 00 00 00 00 01 00 00' },
  ]) {
    it(`builds and parses ${length} unmasked bytes`, () => {
      const payload = Buffer.alloc(length, 'binary')
      const frame = Buffer.concat([bytesOf(hex), payload])
      assert.deepEqual(buildWithCodec(0x82, payload, undefined), frame)
      const parser = new CodecParser({ masked: false, limit: length })
      parser.feed(frame)
      assert.deepEqual(
        parser.events.map(({ opcode, payload }) => ({ opcode, payload })),
        [{ opcode: BINARY, payload }],
      )
      parser.close()
    })
  }

  it('delivers a control frame in the midst of a fragmented message first', () => {
    const stream = Buffer.concat([
      buildFrame({ opcode: TEXT, payload: 'Hel', fin: false }),
      buildFrame({ opcode: PING, payload: 'now' }),
      buildFrame({ opcode: CONTINUATION, payload: 'lo' }),
    ])
    const agreement = new Agreement(stream, { masked: false, limit: LIMIT }, 'an interleaved Ping')
    const events = agreement.expected.events.map(({ opcode, payload }) => [opcode, payload.toString()])
    assert.deepEqual(events, [
      [PING, 'now'],
      [TEXT, 'Hello'],
    ])
    agreement.checkEverySplit()
  })
})

describe('a broken rule', () => {
  for (const { violation, name, hex, masked, compressed = false } of offences) {
    it(`${violation}: ${name}`, () => {
      const stream = bytesOf(hex)
      const rules = { masked, limit: LIMIT, compressed }
      assert.equal(parseReference(stream.subarray(0, -1), rules).violation, undefined, 'not before its last byte')
      assert.equal(parseReference(stream, rules).violation, violation)
      const agreement = new Agreement(Buffer.concat([stream, Buffer.alloc(20)]), rules, name)
      assert.equal(agreement.expected.taken, stream.length, 'at its last byte')
      agreement.checkEverySplit()
    })
  }
})
