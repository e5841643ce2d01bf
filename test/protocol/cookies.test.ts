// Cookies say who somebody is. They must be read as browsers write them, in bounded time whatever a client writes, and no
// name may reach an object's prototype.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCookies } from '../../src/protocol/cookies.js'

describe('a Cookie header', () => {
  const rows: readonly (readonly [header: string | undefined, cookies: Record<string, string>])[] = [
    [undefined, {}],
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=1; b=2', { a: '1', b: '2' }],
    ['a=1;b=2;', { a: '1', b: '2' }],
    [' a = 1 ;\tb=2', { a: '1', b: '2' }],
    ['a=', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['a="1 2"', { a: '1 2' }],
    ['a=""', { a: '' }],
    ['a="', { a: '"' }],
    ['a="1', { a: '"1' }],
    ['a=%20', { a: '%20' }],
    ['a=1, 2', { a: '1, 2' }],
    ['a=first; a=second', { a: 'first' }],
    ['a=; a=second', { a: '' }],
    ['A=1; a=2', { A: '1', a: '2' }],
    ['flag; a=1; =x; ;;', { a: '1' }],
    ['constructor=1; toString=2', { constructor: '1', toString: '2' }],
  ]
  for (const [header, cookies] of rows) {
    test(JSON.stringify(header ?? 'none'), () => assert.deepEqual({ ...readCookies(header) }, cookies))
  }

  test('names that objects inherit are names like others', () => {
    const cookies = readCookies('__proto__=x; a=1')
    assert.equal(Object.getPrototypeOf(cookies), null)
    assert.deepEqual(Object.entries(cookies), [
      ['__proto__', 'x'],
      ['a', '1'],
    ])
    assert.equal(readCookies('a=1')['hasOwnProperty'], undefined)
    assert.throws(() => Object.assign(cookies, { a: '2' }), TypeError)
  })

  test('as long as a client can make it, takes little time', () => {
    const most = 4 * 1024 * 1024
    for (const header of [';'.repeat(most), ' '.repeat(most), '='.repeat(most), `a=${' '.repeat(most)}x`]) {
      const began = performance.now()
      readCookies(header)
      assert.ok(performance.now() - began < 3000)
    }
  })
})
