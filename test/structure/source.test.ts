// The tests of the structure are worth what their reading of source text is worth: here it is tried on text that is made
// to mislead it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, importsOf, LOADERS, read, sourcesIn, tokensOf } from './source.js'

function words(source: string): string[] {
  return codeOf(source).flatMap(({ kind, text }) => (kind === 'word' ? [text] : []))
}

test('comments, strings and templates are not code', () => {
  assert.deepEqual(words("a // b 'c'\n/* d ` */ e 'f // g' h \"i \\\" j\" k `l // m` n"), ['a', 'e', 'h', 'k', 'n'])
})

test('code inside of templates is code, at any depth', () => {
  assert.deepEqual(words(`a\`b\${c + \`d\${e({ f: "}" })}g\` + h}i\`j`), ['a', 'c', 'e', 'f', 'h', 'j'])
  assert.deepEqual(words(`\`\\\`\${a}\\\${b}\`; c`), ['a', 'c'])
})

test('regular expressions are told from divisions', () => {
  assert.deepEqual(words("a = /b'[/'\"]\\/c/g; d"), ['a', 'd'])
  assert.deepEqual(words("a = b / c; d = e / f + 'g'"), ['a', 'b', 'c', 'd', 'e', 'f'])
  assert.deepEqual(words('a(/"/).b; c[/`/] ; return /d/'), ['a', 'b', 'c', 'return'])
  assert.deepEqual(words("(a) / b / 'c'; d"), ['a', 'b', 'd'])
})

test('a comment without an end, and a string without one, end the text', () => {
  assert.deepEqual(words("a 'b"), ['a'])
  assert.equal(tokensOf('a // b').length, 2)
})

for (const [source, expected] of [
  ["import 'a'", ['a']],
  ["import a from 'b'", ['b']],
  ["import * as a from 'b'", ['b']],
  ['import a, { b as c, type d } from "e"', ['e']],
  ["import type { a } from 'b'", ['b']],
  ["import type a from 'b'", ['b']],
  ["import {\n  a, // from 'x'\n  b, /* from 'y' */\n}\nfrom\n'c'", ['c']],
  ["import { from } from 'a'", ['a']],
  ["import from from 'a'", ['a']],
  ["import a from 'b';import c from 'd'", ['b', 'd']],
  ["import a from 'b' with { type: 'json' }", ['b']],
  ["export * from 'a'", ['a']],
  ["export * as b from 'a'", ['a']],
  ["export { a } from 'b'", ['b']],
  ["export type { a } from 'b'", ['b']],
  ["export { a }\nconst b = c.from('d')", []],
  ["export { a, b }\nimport { c } from 'd'", ['d']],
  ["const a = await import('b')", ['b']],
  ['const a = await import(`b`)', ['b']],
  ["const a = await import('b' + c)", ['b']],
  ['const a = await import(b)', ['?']],
  [`const a = await import(\`b\${c}\`)`, ['?']],
  ["type A = import('b').C", ['b']],
  ["let a: typeof import('b')", ['b']],
  ["const a = require('b')", ['b']],
  ["const a = createRequire(b)('c')", ['?']],
  ["process.getBuiltinModule('a')", ['a']],
  ['import.meta.url', []],
  ["a.import('b')", []],
  ["// import 'a'\n/* import 'b' */ 'import c from \"d\"'", []],
  ["const a = `import b from 'c'`", []],
  ["const a = /import b from 'c'/", []],
] as const) {
  test(`imports of ${JSON.stringify(source)}`, () => assert.deepEqual(importsOf(source), expected))
}

test('the sources are found, and every import in them is understood', () => {
  const paths = sourcesIn('src')
  assert.ok(paths.includes('src/index.ts') && paths.includes('src/protocol/closeCode.ts'))
  assert.ok(paths.length > 25)
  assert.equal(
    paths.some((path) => path.includes('generated')),
    false,
  )
  let imports = 0
  for (const path of paths) {
    const source = read(path)
    const lines = source.split('\n').filter((line) => /^(?:import\b|\} from )/.test(line)).length
    const found = importsOf(source)
    assert.ok(found.length > 0 || lines === 0, path)
    assert.equal(
      found.includes('?'),
      LOADERS.includes(path),
      `${path} imports something that is not written as a string`,
    )
    imports += found.length
  }
  assert.ok(imports > 100)
})
