// Sizes and times on the command line decide how much memory a server takes and how long it waits: a misread unit is a
// limit that is wrong by a factor of a thousand, and says nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from '../../src/command/units.js'

const sizes: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['1024', 1024],
  ['125B', 125],
  ['16k', 16 * 1024],
  ['16K', 16 * 1024],
  ['16kB', 16_000],
  ['64KiB', 65_536],
  ['64kib', 65_536],
  ['64MB', 64_000_000],
  ['64MiB', 67_108_864],
  ['64 MiB', 67_108_864],
  ['1.5m', 1_572_864],
  ['2GiB', 2_147_483_648],
  ['3g', 3_221_225_472],
  ['1TiB', 1_099_511_627_776],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
]

const durations: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['0s', 0],
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['2min', 120_000],
  ['1H', 3_600_000],
]

const noSizes = ['', ' ', '-1', '+1', '1e3', '0x10', 'k', 'MiB', '16kk', '16q', '1.', '.5', '1.5', '1,5', '1 k ', '٣']
const noDurations = ['', '10', '-1s', 's', '10sec', '1.0005s', 'Infinity', '10 s ']

test('sizes are read in powers of 1024 and of 1000, in any case', () => {
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text)
})

test('times are read in milliseconds', () => {
  for (const [text, milliseconds] of durations) assert.equal(parseDuration(text), milliseconds, text)
})

test('anything else is refused, with the text and an example', () => {
  for (const text of [...noSizes, '9007199254740992', '9000000GiB', '99999TiB', '1'.repeat(100_000)]) {
    assert.throws(() => parseSize(text), {
      name: 'RangeError',
      message: `"${text}" is not a size such as 1024, 16k, 64KiB or 64MB`,
    })
  }
  for (const text of noDurations) {
    assert.throws(() => parseDuration(text), {
      name: 'RangeError',
      message: `"${text}" is not a time such as 500ms, 10s or 2m`,
    })
  }
})

test('counts are whole numbers up to a limit', () => {
  assert.equal(parseCount('0'), 0)
  assert.equal(parseCount('9001', 65_535), 9001)
  assert.equal(parseCount('65535', 65_535), 65_535)
  for (const text of ['65536', '-1', '1.5', '', 'http', '1e3', ' 1']) {
    assert.throws(() => parseCount(text, 65_535), { message: `"${text}" is not a whole number from 0 to 65535` })
  }
  assert.throws(() => parseCount('9007199254740992'), RangeError)
})

test('what is shown reads back as the same number', () => {
  for (const bytes of [
    0,
    1,
    1000,
    1023,
    1024,
    1025,
    65_535,
    65_536,
    1_048_576,
    16_777_216,
    2 ** 31,
    2 ** 40,
    2 ** 53 - 1,
  ]) {
    assert.equal(parseSize(formatSize(bytes)), bytes)
  }
  for (const time of [0, 1, 999, 1000, 1001, 10_000, 60_000, 90_000, 3_600_000, 86_400_000]) {
    assert.equal(parseDuration(formatDuration(time)), time)
  }
  assert.deepEqual([1000, 65_536, 1_048_576, 0].map(formatSize), ['1000', '64KiB', '1MiB', '0'])
  assert.deepEqual([0, 500, 10_000, 90_000, 120_000].map(formatDuration), ['0', '500ms', '10s', '90s', '2m'])
})
