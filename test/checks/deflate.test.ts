// The option `deflate` is a flag or an object, and two of its members are a value or an object: what is wrong in any of
// them is told where it is given.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkValue } from '../../src/checks/check.js'
import type { contextOptions, deflateOptions, windowOptions } from '../../src/checks/commonTables.js'
import { deflate } from '../../src/checks/commonTables.js'
import type { DeflateOptions, EachDirection } from '../../src/connection/deflateSettings.js'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** Compiles only if the names are the same. */
function same<Names, Keys>(...proof: Same<Names, Keys> extends true ? [] : [never]): void {
  assert.deepEqual(proof, [])
}

test('the tables have the names of the types, and no others', () => {
  same<keyof typeof deflateOptions.options, keyof DeflateOptions>()
  same<keyof typeof contextOptions.options, keyof EachDirection<boolean>>()
  same<keyof typeof windowOptions.options, keyof EachDirection<number>>()
})

describe('deflate may be', () => {
  const right: readonly (boolean | DeflateOptions)[] = [
    true,
    false,
    {},
    { contextTakeover: false },
    { contextTakeover: { server: true } },
    { contextTakeover: { server: true, client: false } },
    { windowBits: 8 },
    { windowBits: { client: 15 } },
    { windowBits: { server: 9, client: 8 } },
    { threshold: 0 },
    { memory: 0 },
  ]
  for (const value of right) {
    test(JSON.stringify(value), () => assert.doesNotThrow(() => checkValue('deflate', value, deflate)))
  }
})

describe('deflate may not be', () => {
  const kinds: readonly (readonly [value: unknown, words: RegExp])[] = [
    [null, /^deflate must be true or false, or an object: \{ contextTakeover, windowBits, threshold \}, not null$/],
    [1, /^deflate must be true or false, or an object/],
    ['best', /^deflate must be true or false, or an object/],
    [[], /^deflate must be true or false, or an object/],
    [
      { contextTakeover: 1 },
      /^deflate\.contextTakeover must be true or false, or an object: \{ server, client \}, not 1$/,
    ],
    [{ contextTakeover: { server: 1 } }, /^deflate\.contextTakeover\.server must be true or false, not 1$/],
    [
      { contextTakeover: { sever: true } },
      /^the option deflate\.contextTakeover has no option 'sever': did you mean 'server'\?/,
    ],
    [
      { windowBits: true },
      /^deflate\.windowBits must be a whole number from 8 to 15, or an object: \{ server, client \}, not true$/,
    ],
    [{ windowBits: '12' }, /^deflate\.windowBits must be .*: write 12, or Number\(\.\.\.\)$/],
    [{ windowBits: { client: '12' } }, /^deflate\.windowBits\.client must be a whole number from 8 to 15, not '12'/],
    [{ windowBits: { clients: 12 } }, /has no option 'clients': did you mean 'client'\?/],
    [{ threshold: '1k' }, /^deflate\.threshold must be a whole number/],
    [{ serverMaxWindowBits: 10 }, /write deflate: \{ windowBits: \{ server: 12 \} \}$/],
    [{ treshold: 1 }, /^the option deflate has no option 'treshold': did you mean 'threshold'\?/],
    [{ memory: true }, /^deflate\.memory must be a whole number/],
  ]
  for (const [value, message] of kinds) {
    test(JSON.stringify(value), () =>
      assert.throws(() => checkValue('deflate', value, deflate), { name: 'TypeError', message }),
    )
  }

  const bounds: readonly unknown[] = [
    { windowBits: 7 },
    { windowBits: 16 },
    { windowBits: 9.5 },
    { windowBits: { server: 7 } },
    { windowBits: { client: 16 } },
    { threshold: -1 },
    { threshold: Number.NaN },
    { memory: -1 },
  ]
  for (const value of bounds) {
    test(JSON.stringify(value), () =>
      assert.throws(() => checkValue('deflate', value, deflate), { name: 'RangeError' }),
    )
  }
})
