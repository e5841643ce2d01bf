// `npm run test:watch` is worth having if it runs what a change concerns, all of it, and never what was there before the
// change. Which files those are is tried on a project of four files; when they run, on changes in a row.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Concerned } from './concerned.js'
import { Rerun } from './rerun.js'

const root = mkdtempSync(join(tmpdir(), 'millrace-watch-test-'))
after(() => rmSync(root, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

describe('a changed file concerns', () => {
  write('src/below.ts', 'export const below = 1')
  write('src/above.ts', "export { below } from './below.js'\n// import './beside.js'")
  write('src/beside.ts', 'export {}')
  write('test/near.test.ts', "import '../src/below.js'")
  write('test/far.test.ts', "import { below } from '../src/above.js'")
  write('test/room/starts.test.ts', "spawn(new URL('./program.js', import.meta.url))")
  write('test/room/program.ts', "await import('../../src/above.js')")
  write('test/else.test.ts', "import './program.mjs'")
  const concerned = new Concerned(root, ['src', 'test'])

  test('each test that reaches it, the nearest first', () => {
    assert.deepEqual(concerned.by(['src/below.ts']), ['near', 'far', 'room/starts'])
    assert.deepEqual(concerned.by(['src/above.ts']), ['far', 'room/starts'])
  })

  test('the test that starts it as a program', () => {
    assert.deepEqual(concerned.by(['test/room/program.ts']), ['room/starts'])
    assert.deepEqual(concerned.by(['test/program.mjs']), ['else'])
  })

  test('itself, if it is a test', () => assert.deepEqual(concerned.by(['test/far.test.ts']), ['far']))

  test('no test that names it in a comment, or that is not concerned', () => {
    assert.deepEqual(concerned.by(['src/beside.ts', 'src/unknown.ts']), [])
  })

  test('in this project, what one expects', () => {
    const project = fileURLToPath(new URL('../../../', import.meta.url))
    const names = new Concerned(project, ['src', 'test', 'bench']).by(['src/protocol/cookies.ts'])
    assert.equal(names[0], 'protocol/cookies')
    assert.ok(names.includes('server/requestFacts'))
    assert.equal(names.includes('codec/utf8'), false)
  })
})

test('changes in a row are one; one that comes meanwhile ends the reaction, and the next is about both', async () => {
  const began: string[][] = []
  let over: (() => void) | undefined
  const settled = new Promise<void>((resolve) => {
    over = resolve
  })
  const rerun = new Rerun(async (changed, signal) => {
    began.push([...changed])
    if (began.length === 2) return over?.()
    rerun.changed('third')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  rerun.changed('first')
  rerun.changed('second')
  rerun.changed('first')
  await settled
  assert.deepEqual(
    began.map((paths) => paths.toSorted()),
    [
      ['first', 'second'],
      ['first', 'second', 'third'],
    ],
  )
})
