// ARCHITECTURE.md is read by people who are new here and believe it. Every file and function that it names must exist,
// where it says so.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MENTIONS, mentionsOf, ROOMS, roomsOf } from './architecture.js'
import { codeOf, read, sourcesIn } from './source.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Folders that are no rooms, and words of other languages: Markdown, JavaScript, Node. */
const ELSEWHERE = ['src', 'assembly', 'code', 'millrace', 'undefined', 'assert', 'open', 'upgrade', 'message']

/** A file as the page names it: below src, or from the project's folder. */
function placeOf(file: string): string | undefined {
  return [file, `src/${file}`].find((path) => existsSync(join(root, path)))
}

const wordsOf = new Map(
  [...sourcesIn('src'), ...sourcesIn('assembly')].map((path) => {
    // Node's private names stand in strings.
    const code = codeOf(read(path)).flatMap(({ kind, text }) => (kind === 'word' || kind === 'string' ? [text] : []))
    return [path, new Set(code)] as const
  }),
)

describe('ARCHITECTURE.md', () => {
  test('lists every room, and nothing that is no room', () => {
    assert.deepEqual([...ROOMS].toSorted(), readdirSync(join(root, 'src')).toSorted())
  })

  test('names files that exist', () => {
    assert.ok(MENTIONS.files.length > 30)
    for (const file of MENTIONS.files) assert.ok(placeOf(file) !== undefined, `there is no ${file}`)
  })

  test('names classes and functions that exist, in the files that it says', () => {
    assert.ok(MENTIONS.names.filter(({ file }) => file !== undefined).length > 25)
    for (const { name, file } of MENTIONS.names) {
      if (ELSEWHERE.includes(name)) continue
      const place = file === undefined ? undefined : placeOf(file)
      const candidates = [...wordsOf].filter(([path]) => place === undefined || path === place)
      const parts = name.split('.')
      const found = candidates.some(([, words]) => parts.every((part) => words.has(part)))
      assert.ok(found, `${name} is not in ${file ?? 'any file of src or assembly'}`)
    }
  })

  test('is read as it is meant', () => {
    const page = '\n| room | what |\n|---|---|\n| `a` | b, `c` |\n| `d.ts` | e |\n\n| `f` | g |\n'
    assert.deepEqual(roomsOf(page), ['a', 'd.ts'])
    assert.deepEqual(mentionsOf('`A.#b` (`c/d.ts`) and\n`E`\nin `c/f.mjs`, `--g`\n```\n`h`\n```\n'), {
      files: ['c/d.ts', 'c/f.mjs'],
      names: [
        { name: 'A.#b', file: 'c/d.ts' },
        { name: 'E', file: 'c/f.mjs' },
      ],
    })
  })
})
