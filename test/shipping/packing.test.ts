// Packing leaves scripts out of package.json, and must leave the clone's own package.json as it was, also if it was
// interrupted: a clone without its scripts can't be built any more.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyOfBuild, missing, root, temporary } from './installed.js'

async function clone(t: TestContext): Promise<{ pack(when: string): void; text(): string; folder: string }> {
  const base = temporary()
  t.after(() => rmSync(base, { recursive: true }))
  const folder = await copyOfBuild(base)
  return {
    folder,
    pack(when) {
      const { status, stderr } = spawnSync(process.execPath, [join(folder, 'assembly/packing.mjs'), when])
      assert.equal(status, 0, String(stderr))
    },
    text: () => readFileSync(join(folder, 'package.json'), 'utf8'),
  }
}

const whole = readFileSync(join(root, 'package.json'), 'utf8')

test('package.json has no scripts while it is packed, and is what it was afterwards', async (t) => {
  const { pack, text, folder } = await clone(t)
  pack('before')
  const packed: Record<string, unknown> = JSON.parse(text())
  const { scripts: _, devDependencies: __, ...rest }: Record<string, unknown> = JSON.parse(whole)
  assert.deepEqual(packed, rest)
  pack('after')
  assert.equal(text(), whole)
  assert.equal(existsSync(join(folder, 'package.json.whole')), false)
})

test('packing that was interrupted loses nothing: the next one begins with the whole file', async (t) => {
  const { pack, text } = await clone(t)
  pack('before')
  pack('before')
  pack('after')
  assert.equal(text(), whole)
  pack('after')
  assert.equal(text(), whole)
})

test('npm pack leaves a clone as it was', { skip: missing('npm') }, async (t) => {
  const { folder, text } = await clone(t)
  const { status, stderr } = spawnSync('npm', ['pack', '--dry-run', '--no-update-notifier'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  assert.equal(status, 0, stderr)
  assert.equal(text(), whole)
})
