// What keeps daily work smooth is easily lost unseen: editors and the formatter that disagree, a build that ships source
// maps, or a script that nobody can start.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { read } from './source.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'))

test('editors indent and break lines as the formatter does', () => {
  const settings = new Map(
    read('.editorconfig')
      .split('\n')
      .filter((line) => /^\w+ = /.test(line))
      .map((line): [string, string] => [line.split(' = ')[0] ?? '', line.split(' = ')[1] ?? '']),
  )
  const { formatter } = JSON.parse(read('biome.json'))
  assert.equal(settings.get('indent_style'), formatter.indentStyle)
  assert.equal(settings.get('indent_size'), String(formatter.indentWidth))
  assert.equal(settings.get('max_line_length'), String(formatter.lineWidth))
  assert.equal(settings.get('insert_final_newline'), 'true')
})

test('what npm packs is built without source maps, as its last step', () => {
  assert.match(scripts['prepare'] ?? '', /tools\.mjs --prepare$/)
  assert.match(read('assembly/tools.mjs'), /execSync\('npm run build',/)
  assert.match(scripts['build'] ?? '', /&& node assembly\/shipped\.mjs$/)
})

test('taking the source maps out leaves the code as it is, and has the next build write all files anew', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-habits-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const code = 'export const url="//# sourceMappingURL=kept";\n'
  mkdirSync(join(folder, 'dist/src/room'), { recursive: true })
  writeFileSync(join(folder, 'dist/tsconfig.tsbuildinfo'), '{}')
  writeFileSync(join(folder, 'dist/src/room/a.js'), `${code}//# sourceMappingURL=a.js.map`)
  writeFileSync(join(folder, 'dist/src/room/a.js.map'), '{}')
  writeFileSync(join(folder, 'dist/src/room/a.d.ts'), code)
  execFileSync(process.execPath, [join(root, 'assembly/shipped.mjs'), folder])
  assert.deepEqual(readdirSync(join(folder, 'dist/src/room')).toSorted(), ['a.d.ts', 'a.js'])
  assert.equal(readFileSync(join(folder, 'dist/src/room/a.js'), 'utf8'), code)
  assert.equal(readFileSync(join(folder, 'dist/src/room/a.d.ts'), 'utf8'), code)
  assert.equal(existsSync(join(folder, 'dist/tsconfig.tsbuildinfo')), false)
})

test('CI measures the coverage of the full suite', () => {
  const ci = read('.ci/run')
  assert.match(ci, /^part .* suite \d+ --full --coverage$/m)
  assert.match(ci, /^suite\(\) \{\n.*dist\/test\/suite\/run\.js .*"\$\{@:2\}"$/m)
})

test('each script of package.json starts programs and scripts that exist', () => {
  for (const [name, script] of Object.entries(scripts)) {
    for (const [, path = ''] of script.matchAll(/\bnode (?:--\S+ )*([\w./]+\.m?js)\b/g)) {
      const source = path.replace(/^dist\/(.+)\.js$/, '$1.ts')
      assert.ok(existsSync(join(root, source)), `${name}: ${path}`)
    }
    for (const [, other = ''] of script.matchAll(/\bnpm (?:run (?:--silent )?)([\w:]+)/g)) {
      assert.ok(other in scripts, `${name}: npm run ${other}`)
    }
  }
})
