// Anyone can write a Sec-WebSocket-Extensions header. It must be read as RFC 6455, section 9.1, has it, and whatever it is,
// in bounded time and without an error.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Extension, extensionsIn } from '../../src/protocol/extensions.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { readByWs } from '../support/wsExtensions.js'

/** What was read, as [name, [parameter, value], …]; null for an element that breaks the grammar. */
type Row = readonly [name: string, ...parameters: readonly (readonly [name: string, value?: string])[]]

function rowOf(extension: Extension | undefined): Row | null {
  if (extension === undefined) return null
  const parameters = extension.parameters.map(({ name, value }) => (value === undefined ? [name] : [name, value]))
  return [extension.name, ...parameters] as unknown as Row
}

function read(header: string): (Row | null)[] {
  return [...extensionsIn(header)].map(rowOf)
}

describe('Sec-WebSocket-Extensions', () => {
  const rows: readonly (readonly [header: string, extensions: readonly (Row | null)[]])[] = [
    ['', []],
    [' \t', []],
    [',, ,', []],
    ['foo', [['foo']]],
    [' foo ', [['foo']]],
    ['foo; bar', [['foo', ['bar']]]],
    ['foo;bar=1', [['foo', ['bar', '1']]]],
    ['foo ;\tbar = 1 ; baz', [['foo', ['bar', '1'], ['baz']]]],
    ['foo;bar="1"', [['foo', ['bar', '1']]]],
    ['foo; bar = "1" , baz', [['foo', ['bar', '1']], ['baz']]],
    ['foo;bar="\\1\\0"', [['foo', ['bar', '10']]]],
    ['foo;bar;bar', [['foo', ['bar'], ['bar']]]],
    ["!#$%&'*+-.^_`|~09AZaz", [["!#$%&'*+-.^_`|~09AZaz"]]],
    // Examples of RFC 6455, section 9.1.
    ['deflate-stream', [['deflate-stream']]],
    [
      'mux; max-channels=4; flow-control, deflate-stream',
      [['mux', ['max-channels', '4'], ['flow-control']], ['deflate-stream']],
    ],
    ['private-extension', [['private-extension']]],
    // Elements that break the grammar, beside one that does not.
    ['foo bar, baz', [null, ['baz']]],
    ['foo;, baz', [null, ['baz']]],
    ['foo;;bar, baz', [null, ['baz']]],
    [';foo, baz', [null, ['baz']]],
    ['foo=1, baz', [null, ['baz']]],
    ['foo;bar=, baz', [null, ['baz']]],
    ['foo;=1, baz', [null, ['baz']]],
    ['foo;bar==1, baz', [null, ['baz']]],
    ['foo;bar=1 2, baz', [null, ['baz']]],
    ['foo;bar="", baz', [null, ['baz']]],
    ['foo;bar="1 2", baz', [null, ['baz']]],
    ['foo;bar="1,2", baz', [null, ['baz']]],
    ['foo;bar="1\\",2", baz', [null, ['baz']]],
    ['foo;bar="1"2, baz', [null, ['baz']]],
    ['foo;"bar", baz', [null, ['baz']]],
    ['"foo", baz', [null, ['baz']]],
    ['foo;bar=\u00e9, baz', [null, ['baz']]],
    ['f\u00f6o, \u20ac, baz', [null, null, ['baz']]],
    // A quoted string without an end has no comma behind it.
    ['foo;bar="1, baz', [null]],
    ['foo;bar="1\\', [null]],
    ['foo;bar="', [null]],
    // Names that objects inherit.
    ['__proto__;constructor=1', [['__proto__', ['constructor', '1']]]],
  ]
  for (const [header, expected] of rows) {
    test(JSON.stringify(header), () => assert.deepEqual(read(header), expected))
  }

  test('an element of more than 16 parameters is none, and those behind it are read', () => {
    const [row] = read(`foo${';bar'.repeat(16)}`)
    assert.equal(row?.length, 17)
    assert.deepEqual(read(`foo${';bar'.repeat(17)}, baz`), [null, ['baz']])
  })

  test('as long as a client can make it, takes little time and no error', () => {
    const most = 4 * 1024 * 1024
    const parts = [' ', ',', ';', '"', '\\', '=', 'a', 'a;b,', 'a;b=1;', 'a;b="', 'a;b="1"', 'a;b="\\', '",', '\u00ff']
    for (const part of parts) {
      for (const front of ['', 'a;b="', 'a;b=']) {
        const began = performance.now()
        let elements = 0
        for (const _ of extensionsIn(front + part.repeat(most / part.length))) elements++
        assert.ok(elements <= most)
        assert.ok(performance.now() - began < 3000, `${front}${part}`)
      }
    }
  })
})

/** Entries in the order of their names: objects have names that are numbers before all others. */
function byName<Value>(entries: [string, Value][]): [string, Value][] {
  return entries.toSorted(([one], [other]) => (one < other ? -1 : 1))
}

/** What `ws` has read, as `grouped` has it. */
function groupedByWs(extensions: NonNullable<ReturnType<typeof readByWs>>): Map<string, string[][]> {
  const entries = Object.entries(extensions).map(([name, offers]): [string, string[][]] => [
    name,
    offers.map((offer) =>
      byName(Object.entries(offer)).flatMap(([parameter, values]) => values.map((value) => `${parameter}=${value}`)),
    ),
  ])
  return new Map(entries)
}

/** The parameters of each extension, those of one name together: `ws` does not keep the order between them. */
function grouped(extensions: readonly Extension[]): Map<string, string[][]> {
  const found = new Map<string, string[][]>()
  for (const { name, parameters } of extensions) {
    const names = [...new Set(parameters.map((parameter) => parameter.name))].toSorted()
    const values = names.flatMap((one) =>
      parameters.filter((parameter) => parameter.name === one).map(({ value = true }) => `${one}=${value}`),
    )
    found.set(name, [...(found.get(name) ?? []), values])
  }
  return found
}

test('random headers are read without an error, and as ws reads those that it reads', () => {
  const random = new Random(seed)
  const pieces = [
    'foo',
    'bar',
    'b2',
    '1',
    '10',
    '"',
    '"1"',
    '"a\\b"',
    '\\',
    ',',
    ',',
    ';',
    ';',
    '=',
    ' ',
    '\t',
    '\u00e9',
  ]
  let agreed = 0
  for (let round = 0; round < effort({ quick: 50_000, full: 1_000_000 }); round++) {
    const header = Array.from({ length: random.below(14) }, () => random.pick(pieces)).join('')
    const extensions = [...extensionsIn(header)]
    const byWs = readByWs(header)
    if (byWs === undefined) continue
    agreed++
    const understood = extensions.filter((extension) => extension !== undefined)
    assert.equal(understood.length, extensions.length, JSON.stringify(header))
    assert.deepEqual(grouped(understood), groupedByWs(byWs), `${JSON.stringify(header)}, SEED=${seed}`)
  }
  assert.ok(agreed > 1000, `${agreed} headers were read by both`)
})
