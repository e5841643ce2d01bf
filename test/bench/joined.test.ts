// What an import takes is measured of what is published, whose modules are joined, and of nothing else.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkJoined } from '../../bench/support/joined.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const APART = /the modules in dist are apart.*run npm run build/

/** A folder whose dist has this entry. */
function built(context: TestContext, entry: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-joined-'))
  context.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'dist', 'src'), { recursive: true })
  writeFileSync(join(folder, 'dist', 'src', 'index.js'), entry)
  return folder
}

test('modules that are joined are taken, others are refused', (context) => {
  checkJoined(built(context, `export { Message_1 as Message } from './pool/joined.js'\n`))
  checkJoined(built(context, 'export{Message_1 as Message}from"./pool/joined.js";'))
  const apart = built(context, `export { Message } from './connection/message.js'\n// from pool/joined.js\n`)
  assert.throws(() => checkJoined(apart), APART)
})

test('the benchmark does not measure the import of modules that are apart', (context) => {
  try {
    checkJoined()
  } catch {
    for (const suite of ['peers', 'table']) {
      const args = [MAIN, suite, '--only', '^import$', '--peers', 'millrace', '--rounds', '1']
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
      assert.equal(status, 1, stdout)
      assert.match(stderr, APART)
    }
    return
  }
  context.skip('the modules of this build are joined')
})
