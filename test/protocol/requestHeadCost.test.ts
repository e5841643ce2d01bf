// Anyone can send us a request before anything is known of them, so reading one must cost no more than its length.
// A reading that goes back over what it has seen takes minutes for a mebibyte; one pass takes milliseconds. The bounds
// leave a factor of four over one pass; quadratic cost exceeds them by another two.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkUpgrade, hasToken } from '../../src/protocol/openingHandshake.js'
import { readRequestHead } from '../../src/protocol/requestHead.js'
import { effort } from '../support/effort.js'
import { requestOf, upgradeRequest } from '../support/httpRequests.js'

const SMALL = 128 * 1024
const LARGE = 1024 * 1024
/** Below this many milliseconds, a time is noise. */
const NOISE = 4

function fastest(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < effort({ quick: 2, full: 5 }); round++) {
    const begin = performance.now()
    work()
    best = Math.min(best, performance.now() - begin)
  }
  return best
}

/** Eight times the length may take 32 times the time, in one of several trials; quadratic cost takes 64 times in all. */
function growsWithLength(work: (input: string) => unknown, input: (length: number) => string): void {
  const small = input(SMALL)
  const large = input(LARGE)
  let [taken, limit] = [Number.POSITIVE_INFINITY, 0]
  for (let trial = 0; trial < 4 && taken >= limit; trial++) {
    const least = fastest(() => work(small))
    limit = 32 * Math.max(least, NOISE)
    taken = fastest(() => work(large))
  }
  assert.ok(taken < limit, `${taken} ms, at most ${limit}`)
}

/** Distinct short headers of about `length` bytes in all. */
function manyHeaders(length: number, value = ''): string[] {
  const lines: string[] = []
  for (let at = 0, bytes = 0; bytes < length; at++) {
    const line = `x${at.toString(36)}:${value}`
    bytes += line.length + 2
    lines.push(line)
  }
  return lines
}

const START = 'GET / HTTP/1.1\r\n'

describe('reading a request head', () => {
  for (const [name, input] of Object.entries<(length: number) => string>({
    'a target without end': (length) => `GET /${'a'.repeat(length)}`,
    'a target of slashes': (length) => `GET ${'/'.repeat(length)} HTTP/1.0\r\n`,
    'versions in the target': (length) => `GET /${'HTTP/1.1'.repeat(length / 8)}`,
    'blanks after the method': (length) => `GET ${' '.repeat(length)}`,
    methods: (length) => 'GET /'.repeat(length / 5),
    'line ends': (length) => '\r\n'.repeat(length / 2),
    'carriage returns': (length) => START + '\r'.repeat(length),
    'a name without end': (length) => START + 'a'.repeat(length),
    colons: (length) => START + ':'.repeat(length),
    'a value without end': (length) => `${START}a:${'b'.repeat(length)}`,
    'a value of blanks without end': (length) => `${START}a:${' '.repeat(length)}`,
    'a value of blanks': (length) => `${START}a:${' '.repeat(length)}\r\n\r\n`,
    'blanks around a letter': (length) => `${START}a:${' '.repeat(length / 2)}b${' '.repeat(length / 2)}\r\n\r\n`,
    'tabs, and a control byte': (length) => `${START}a:${'\t'.repeat(length)}\0\r\n\r\n`,
    'many headers': (length) => requestOf(manyHeaders(length)),
    'many headers of blanks': (length) => requestOf(manyHeaders(length, '    ')),
    'many headers, and one that is odd': (length) => requestOf([...manyHeaders(length), 'x : y']),
    'many headers without the empty line': (length) => START + manyHeaders(length).join('\r\n'),
    'many headers with numbers for names': (length) =>
      requestOf(Array.from({ length: length / 12 }, (_, at) => `${at * 1021}: 1`)),
  })) {
    test(name, () => growsWithLength(readRequestHead, input))
  }
})

describe('checking an upgrade request', () => {
  const check = (input: string): unknown => {
    // Heads of this length are left to node:http, whose reading is checked the same way.
    const headers: Record<string, string> = Object.create(null)
    for (const line of input.split('\r\n').slice(1)) {
      const colon = line.indexOf(':')
      if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    return checkUpgrade({ method: 'GET', target: '/', httpVersion: '1.1', headers, repeated: [] })
  }
  for (const [name, list] of Object.entries<(length: number) => string>({
    commas: (length) => ','.repeat(length),
    'blanks between commas': (length) => ' ,\t'.repeat(length / 3),
    'one long member of blanks': (length) => `a${' '.repeat(length)}a`,
    'nearly the token': (length) => 'upgrad,'.repeat(length / 7),
  })) {
    test(`Connection: ${name}`, () => growsWithLength(check, (length) => upgradeRequest({ Connection: list(length) })))
    test(`a list of ${name}`, () => growsWithLength((input) => hasToken(input, 'upgrade'), list))
  }

  test('a long key', () => {
    growsWithLength(check, (length) => upgradeRequest({ 'Sec-WebSocket-Key': `${'A'.repeat(length)}==` }))
  })

  test('many headers', () => growsWithLength(check, (length) => requestOf(['Host: x', ...manyHeaders(length)])))
})
