// Which close code a mistake earns is a promise to peers and to applications: the whole table, and that no violation
// that the codec knows is missing from it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as wasm from '../../src/codec/wasm.generated.js'
import { mayTravel, writeClosePayload } from '../../src/protocol/closeCode.js'
import { ProtocolViolation, type ViolationName } from '../../src/protocol/violation.js'

const CLOSE_CODES: Readonly<Record<ViolationName, number>> = {
  RESERVED_BITS: 1002,
  RESERVED_OPCODE: 1002,
  CONTROL_FRAGMENTED: 1002,
  CONTROL_TOO_LONG: 1002,
  CONTINUATION_UNEXPECTED: 1002,
  CONTINUATION_EXPECTED: 1002,
  MASK_MISSING: 1002,
  MASK_FORBIDDEN: 1002,
  LENGTH_NOT_MINIMAL: 1002,
  LENGTH_TOP_BIT: 1002,
  LENGTH_UNSAFE: 1009,
  MESSAGE_TOO_LONG: 1009,
  INVALID_UTF8: 1007,
  INVALID_DEFLATE: 1007,
  INVALID_JSON: 1007,
  CLOSE_PAYLOAD_TOO_SHORT: 1002,
  CLOSE_CODE_INVALID: 1002,
  CLOSE_REASON_INVALID: 1007,
  PAYLOAD_STALLED: 1008,
  MEMORY_SPENT: 1013,
  STREAM_LEFT: 1008,
  TOO_MANY_FRAGMENTS: 1008,
  IDLE: 1008,
  UNREAD: 1008,
  OUTPUT_FULL: 1008,
  MESSAGE_RATE: 1008,
  BYTE_RATE: 1008,
}

const names = Object.keys(CLOSE_CODES) as ViolationName[]

describe('each violation', () => {
  for (const name of names) {
    test(`${name} closes with ${CLOSE_CODES[name]}`, () => {
      const violation = new ProtocolViolation(name)
      assert.ok(violation instanceof Error)
      assert.equal(violation.name, 'ProtocolViolation')
      assert.equal(violation.code, name)
      assert.equal(violation.closeCode, CLOSE_CODES[name])
      assert.ok(mayTravel(violation.closeCode))
    })
  }

  test('has an explanation of its own', () => {
    const texts = names.map((name) => new ProtocolViolation(name).message)
    for (const text of texts) assert.match(text, /^[ -~]{10,}$/)
    assert.equal(new Set(texts).size, names.length)
  })

  test('fits into a Close frame, also with a detail', () => {
    for (const name of names) {
      const plain = new ProtocolViolation(name)
      const detailed = new ProtocolViolation(name, `the limit is ${Number.MAX_SAFE_INTEGER} bytes`)
      assert.equal(detailed.message, `${plain.message}: the limit is ${Number.MAX_SAFE_INTEGER} bytes`)
      for (const { closeCode, message } of [plain, detailed]) writeClosePayload(closeCode, message)
    }
  })
})

test('every violation of the codec has its row', () => {
  const codecs = Object.keys(wasm).filter((name) => name.startsWith('VIOLATION_'))
  assert.ok(codecs.length >= 13)
  for (const name of codecs) assert.ok(names.includes(name.slice('VIOLATION_'.length) as ViolationName), name)
})
