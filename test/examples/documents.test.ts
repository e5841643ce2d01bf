// What a document shows is copied. Every program in one must run, every link must lead somewhere, and the defaults it
// names must be the defaults.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import * as millrace from '../../src/index.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { defaultLimits } from '../../src/server/options.js'
import { documents, FOREIGN, LISTENS, programsIn, read } from './documentPrograms.js'
import { Program, ROOT } from './program.js'

/** What Node.js says of each program, all in one process: to start one takes longer than to read all. */
function complaintsOf(codes: readonly string[]): string[] {
  const program = `import { text } from 'node:stream/consumers'
import { SourceTextModule } from 'node:vm'
const complaint = (code) => {
  try { new SourceTextModule(code) } catch (error) { return String(error) }
  return ''
}
console.log(JSON.stringify(JSON.parse(await text(process.stdin)).map(complaint)))`
  const flags = ['--experimental-vm-modules', '--input-type=module', '--eval', program]
  const { stdout, stderr } = spawnSync(process.execPath, flags, { input: JSON.stringify(codes), encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

describe('the programs in the documents', { concurrency: 2 }, () => {
  const codes: string[] = []
  let found: string[] | undefined
  const complaints = (): string[] => (found ??= complaintsOf(codes))
  for (const path of documents) {
    for (const { line, code } of programsIn(path)) {
      if (LISTENS.test(code) && !FOREIGN.test(code)) {
        test(`${path}:${line} runs`, async () => {
          const local = code.replace(LISTENS, (found) => found.replace(/port: \d+/, "port: 0, host: '127.0.0.1'"))
          const end = "\nprocess.stdout.write('listening on ws://127.0.0.1:1\\n')\n"
          const program = await Program.start(['--input-type=module', '--eval', local + end])
          const lives = await program.lives(200)
          await program.kill()
          assert.ok(lives, `it ends by itself: ${program.output}`)
          assert.equal(program.output, 'listening on ws://127.0.0.1:1\n')
        })
      } else {
        const at = codes.push(code) - 1
        test(`${path}:${line} can be read`, () => {
          assert.equal(complaints()[at], '')
          for (const [, names = ''] of code.matchAll(/import \{([^}]*)\} from 'millrace'/g)) {
            for (const name of names.split(',')) assert.ok(name.trim() in millrace, `${name} is not exported`)
          }
        })
      }
    }
  }
})

/** The name by which GitHub lets a heading be linked to. */
function anchorsIn(text: string): string[] {
  const seen = new Map<string, number>()
  const members = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
    const name = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    const before = seen.get(name) ?? 0
    seen.set(name, before + 1)
    return before === 0 ? name : `${name}-${before}`
  })
  return [...headings, ...members]
}

for (const path of documents) {
  test(`the links of ${path} lead somewhere`, () => {
    const text = read(path).replace(/^```.*?^```$/gms, '')
    for (const [, link = ''] of text.matchAll(/(?:\]\(|src="|srcset=")([^)"\s]+)/g)) {
      if (/^https?:/.test(link)) continue
      const [file = '', anchor] = link.split('#', 2)
      const target = file === '' ? path : join(dirname(path), file)
      assert.ok(existsSync(join(ROOT, target)), `${link} is missing`)
      if (anchor !== undefined)
        assert.ok(anchorsIn(read(target)).includes(anchor), `${link} leads to no heading or member`)
    }
  })
}

describe('docs/limits.md', () => {
  const rows = new Map(
    [...read('docs/limits.md').matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map(([, name = '', rest = '']) => [
      name,
      rest.split('|').map((cell) => cell.trim()),
    ]),
  )

  /** `16 MiB` and `131,072` as numbers. */
  function numberIn(text: string): number {
    const [, digits = '', unit = ''] = /^([\d,]+)(?: ([KM])iB)?$/.exec(text) ?? []
    return Number(digits.replaceAll(',', '')) * (unit === 'M' ? 2 ** 20 : unit === 'K' ? 1024 : 1)
  }

  test('has every limit, with its default', () => {
    for (const [name, value] of Object.entries(defaultLimits)) {
      assert.equal(numberIn(rows.get(name)?.[1] ?? ''), value, name)
    }
  })

  test('says of each whether it may be 0', () => {
    for (const name of Object.keys(defaultLimits)) {
      const make = (): unknown => millrace.createServer({ [name]: 0 })
      if (rows.get(name)?.[2] === 'not allowed') assert.throws(make, RangeError)
      else assert.doesNotThrow(make, name)
    }
  })

  test('names close codes and violations that belong together', () => {
    const pairs = [...read('docs/limits.md').matchAll(/\b(1\d{3}) `([A-Z_0-9]+)`/g)]
    assert.ok(pairs.length >= 8)
    for (const [, closeCode, name = ''] of pairs) {
      const violation: ProtocolViolation = Reflect.construct(ProtocolViolation, [name])
      assert.equal(violation.closeCode, Number(closeCode), name)
    }
  })
})

test('the API reference is what the docstrings say', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/reference.mjs'), '--check'], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})
