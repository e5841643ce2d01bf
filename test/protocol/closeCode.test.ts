// Close codes travel in both directions and end up in applications: the rule of RFC 6455, section 7.4, for every code,
// and for every payload that a Close frame can have.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import {
  CloseCode,
  LONGEST_CLOSE_REASON,
  mayTravel,
  readClosePayload,
  writeClosePayload,
} from '../../src/protocol/closeCode.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'

/** The registry as one list, written out: 1004 is reserved, 1005, 1006 and 1015 only describe. */
const REGISTERED = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]

function allowed(code: number): boolean {
  return REGISTERED.includes(code) || (code >= 3000 && code < 5000)
}

function payload(code: number, reason: string | Uint8Array = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)])
}

function violationOf(bytes: Buffer): { code: string; closeCode: number } {
  const read = readClosePayload(bytes)
  assert.ok(read instanceof ProtocolViolation)
  return { code: read.code, closeCode: read.closeCode }
}

describe('which codes may travel', () => {
  test('every code that two bytes can hold', () => {
    for (let code = 0; code <= 65_535; code++) assert.equal(mayTravel(code), allowed(code), `${code}`)
  })

  test('every code, read', () => {
    for (let code = 0; code <= 65_535; code++) {
      const bytes = payload(code, 'why')
      if (allowed(code)) assert.deepEqual(readClosePayload(bytes), { code, reason: 'why' })
      else assert.deepEqual(violationOf(bytes), { code: 'CLOSE_CODE_INVALID', closeCode: 1002 }, `${code}`)
    }
  })

  test('every code, written', () => {
    for (let code = -1; code <= 65_536; code++) {
      if (allowed(code)) assert.deepEqual(writeClosePayload(code, 'why'), payload(code, 'why'))
      else assert.throws(() => writeClosePayload(code, 'why'), RangeError, `${code}`)
    }
  })

  test('the codes with a name may travel, and the two that only describe may not', () => {
    for (const [name, code] of Object.entries(CloseCode)) {
      assert.equal(mayTravel(code), !['none', 'abnormal'].includes(name), name)
    }
    assert.deepEqual(
      { ...CloseCode },
      {
        normal: 1000,
        goingAway: 1001,
        protocolError: 1002,
        unsupportedData: 1003,
        none: 1005,
        abnormal: 1006,
        invalidPayload: 1007,
        policyViolation: 1008,
        messageTooBig: 1009,
        internalError: 1011,
        serviceRestart: 1012,
        tryAgainLater: 1013,
        badGateway: 1014,
      },
    )
  })
})

describe('the payload of a Close frame that came', () => {
  test('no bytes: 1005, which says that there was no code', () => {
    assert.deepEqual(readClosePayload(Buffer.alloc(0)), { code: 1005, reason: '' })
  })

  test('one byte is half a code', () => {
    for (const byte of [0, 3, 255]) {
      assert.deepEqual(violationOf(Buffer.from([byte])), { code: 'CLOSE_PAYLOAD_TOO_SHORT', closeCode: 1002 })
    }
  })

  test('two bytes: a code without a reason', () => {
    assert.deepEqual(readClosePayload(payload(1000)), { code: 1000, reason: '' })
    assert.deepEqual(readClosePayload(payload(4999)), { code: 4999, reason: '' })
  })

  test('125 bytes: the longest reason', () => {
    for (const reason of ['x'.repeat(123), '\u00e9'.repeat(61), '\u20ac'.repeat(41), '\u{1f600}'.repeat(30)]) {
      assert.deepEqual(readClosePayload(payload(1001, reason)), { code: 1001, reason })
    }
  })

  test('a byte order mark and control characters belong to the reason', () => {
    const reason = '\ufeff\0\r\n\u2028'
    assert.deepEqual(readClosePayload(payload(1000, reason)), { code: 1000, reason })
  })

  for (const [name, bytes] of Object.entries({
    'a lone continuation byte': [0x80],
    'a cut character': [0x61, 0xe2, 0x82],
    'an overlong form': [0xc0, 0xaf],
    'an overlong NUL': [0xe0, 0x80, 0x80],
    'a surrogate': [0xed, 0xa0, 0x80],
    'above U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
    'a byte that never occurs': [0x61, 0xff],
  })) {
    test(`a reason with ${name}: 1007`, () => {
      const long = Buffer.concat([Buffer.alloc(123 - bytes.length, 'x'), Buffer.from(bytes)])
      for (const reason of [Buffer.from(bytes), long]) {
        assert.deepEqual(violationOf(payload(1000, reason)), { code: 'CLOSE_REASON_INVALID', closeCode: 1007 })
      }
    })
  }

  test('a wrong code is told before a wrong reason', () => {
    assert.equal(violationOf(payload(1005, Buffer.from([0xff]))).code, 'CLOSE_CODE_INVALID')
  })

  test('the reason is a copy: the memory that it was read from is used again', () => {
    const bytes = payload(1000, 'kept')
    const read = readClosePayload(bytes)
    bytes.fill(0)
    assert.deepEqual(read, { code: 1000, reason: 'kept' })
  })
})

describe('the payload of a Close frame to send', () => {
  test('without a code it is empty', () => assert.equal(writeClosePayload(undefined, '').length, 0))

  test('what is written can be read', () => {
    for (const reason of ['', 'x', 'x'.repeat(LONGEST_CLOSE_REASON), '\u00e9'.repeat(61), '\u{1f600}'.repeat(30)]) {
      const bytes = writeClosePayload(3000, reason)
      assert.ok(bytes.length <= 125)
      assert.deepEqual(readClosePayload(bytes), { code: 3000, reason })
    }
  })

  test('half a surrogate pair leaves as U+FFFD: the peer must never get invalid UTF-8', () => {
    assert.deepEqual(readClosePayload(writeClosePayload(1000, 'a\ud83d')), { code: 1000, reason: 'a\ufffd' })
  })

  test('what the caller gets out of range is a RangeError that says what to do', () => {
    assert.throws(() => writeClosePayload(undefined, 'why'), { name: 'RangeError', message: /needs a close code/ })
    assert.throws(() => writeClosePayload(1005, ''), { name: 'RangeError', message: /1005 .*use 1000 to 1003/ })
    for (const reason of ['x'.repeat(124), '\u00e9'.repeat(62), '\u{1f600}'.repeat(31), 'x'.repeat(70_000)]) {
      assert.throws(() => writeClosePayload(1000, reason), { name: 'RangeError', message: /holds 123 at most/ })
    }
    for (const code of [Number.NaN, 1000.5, -1000, Number.POSITIVE_INFINITY, 66_536, 2 ** 32 + 1000]) {
      assert.throws(() => writeClosePayload(code, ''), RangeError, `${code}`)
    }
  })

  test('what is no number, or no string, is a TypeError', () => {
    for (const code of ['1000', null, true, [1000]]) {
      assert.throws(() => writeClosePayload(code as unknown as number, ''), TypeError, JSON.stringify(code))
    }
    for (const reason of [5, null, Buffer.from('x'), ['x']]) {
      assert.throws(() => writeClosePayload(1000, reason as unknown as string), TypeError, JSON.stringify(reason))
    }
  })
})
