// Documents and comments rot: a file is moved, a feature arrives, and the sentence about it stays. Here each file that is
// named must exist, and nothing that the package exports may be called missing.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { read, sourcesIn, tokensOf } from './source.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Files of a user's own project, of npm, or of a build, which documents name as examples. */
const ELSEWHERE = [
  /^(?:\.\/|.*\/)?(?:server|client|large|bundle|module|main|document|worker|program|app|a|b|c)\.(?:c?js|mjs|ts)$/,
  /^(?:OLD|NEW|package|package-lock|bench|attacks)\.json$/,
  /^(?:.*\/)?(?:wasm|deflate|name)\.generated\.ts$/,
  /^dist\//,
  /^build\//,
  /node_modules\//,
]

/** Every file of the repository, and every ending of its path. */
function endingsOfPaths(): Set<string> {
  const known = new Set<string>()
  for (const path of files()) {
    const parts = path.split('/')
    for (let from = 0; from < parts.length; from++) known.add(parts.slice(from).join('/'))
  }
  return known
}

/** The files of a clone; without git, everything that is not installed or built. */
function files(): string[] {
  if (existsSync(join(ROOT, '.git'))) {
    const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
    return list.toString().trim().split('\n')
  }
  return readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !/(?:^|\/)(?:node_modules|dist|build|\.git)\//.test(path))
}

const documents = files().filter((path) => path.endsWith('.md') && existsSync(join(ROOT, path)))
const sources = ['src', 'assembly', 'test', 'bench'].flatMap(sourcesIn)

/** What a file says to people: a document without its programs and links to the web, or the comments of a source. */
function wordsOf(path: string): string {
  const text = read(path)
  if (path.endsWith('.md')) return text.replace(/^ *```.*?^ *```$/gms, '').replace(/https?:\/\/\S+/g, '')
  const comments = tokensOf(text).filter(({ kind }) => kind === 'comment')
  return comments.map(({ text }) => text.replace(/```.*?```/gs, '').replace(/^ *\* ?|^\/\/ ?/gm, '')).join('\n')
}

/** Names of files: a path, or at least a name, with an ending that sources and documents have. */
const FILE =
  /(?<![\w@$*<>{}…/.-])(?:\.{0,2}\/)?(?:[\w.-]+\/)*[\w-][\w.-]*\.(?:md|ts|mjs|cjs|js|json|wasm|c)\b(?![\w(/]|\.\w)/g

test('names of files are found in sentences, and nothing else is taken for one', () => {
  const text = 'See docs/limits.md, `test/a/b.test.ts` (and ../x.mjs). Not message.json(), node.js/ or Node.js.'
  assert.deepEqual([...text.matchAll(FILE)].map(([name]) => name).filter(isFile), [
    'docs/limits.md',
    'test/a/b.test.ts',
    '../x.mjs',
  ])
})

/** Names of programs and packages look like those of files. */
function isFile(name: string): boolean {
  return !/^(?:Node|uWebSockets|hono|message|vue|next|request)\.js(?:on)?$/i.test(name)
}

describe('every file that is named exists', () => {
  const known = endingsOfPaths()
  for (const path of [...documents, ...sources]) {
    test(path, () => {
      for (const [name] of wordsOf(path).matchAll(FILE)) {
        if (!isFile(name) || ELSEWHERE.some((pattern) => pattern.test(name))) continue
        const bare = name.replace(/^(?:\.{0,2}\/)+/, '')
        // What is imported as .js is a .ts file here.
        assert.ok(known.has(bare) || known.has(bare.replace(/\.js$/, '.ts')), `there is no ${name}`)
      }
    })
  }
})

/** What the package has: exported names, members, and packages that it depends on. */
function present(): Set<string> {
  const pages = documents.filter((path) => path.startsWith('docs/api/')).map(read)
  const anchors = pages.flatMap((text) => [...text.matchAll(/<a id="[\w]+-(\w+)">/g)].map(([, name = '']) => name))
  const headings = pages.flatMap((text) =>
    [...text.matchAll(/^## `(\w+)`$/gm)].map(([, name = '']) => name.toLowerCase()),
  )
  const { dependencies }: { dependencies: object } = JSON.parse(read('package.json'))
  return new Set([...anchors, ...headings, ...Object.keys(dependencies)])
}

/** Features by the words that documents have for them, and a name that is there since they are. */
const FEATURES: readonly (readonly [words: RegExp, name: string])[] = [
  [/\btopics?\b/i, 'subscribe'],
  [/\bpool of threads\b|\bthreads?\b/i, 'large'],
  [/\bacceptors?\b|\bseveral processes\b/i, 'acceptors'],
  [/\bbrokers?\b/i, 'broker'],
  [/\bstreams?\b/i, 'sendstream'],
  [/\bTLS\b/, 'tls'],
  [/\bpiscina\b/i, 'piscina'],
]

const UNFINISHED =
  /\b(?:not|n't) (?:there|here|built in|a dependency|implemented|supported|available|exported|negotiated)\b|\byet to come\b|\bstill missing\b/i

/** Sentences that say that something is missing; sections and table rows about that included. */
function missingIn(text: string): string[] {
  const sections = [...text.matchAll(/^## What is missing\n(.*?)(?=^## |$(?![\s\S]))/gms)].map(([, body = '']) => body)
  return [...sections, ...text.split(/(?<=[.!?])\s+|\n\n/).filter((sentence) => UNFINISHED.test(sentence))]
}

/** What a sentence calls missing, although it is there: backticked names, and features. */
function wronglyMissing(sentence: string, there: ReadonlySet<string>): string[] {
  const named = [...sentence.matchAll(/`(?:\w+\.)?(\w+)(?:\([^`]*\))?`/g)].map(([, name = '']) => name.toLowerCase())
  const features = FEATURES.filter(([words]) => words.test(sentence)).map(([, name]) => name)
  return [...named, ...features].filter((name) => there.has(name))
}

test('what is exported is known, and a sentence that calls it missing is found', () => {
  const there = present()
  for (const [, name] of FEATURES) assert.ok(there.has(name), name)
  assert.ok(there.has('createserver') && there.size > 150)
  const false1 = 'What is not there yet: a pool of threads, topics, and a server over several processes.'
  assert.deepEqual(
    missingIn(false1).flatMap((one) => wronglyMissing(one, there)),
    ['subscribe', 'large', 'acceptors'],
  )
  const false2 = 'It works. piscina is not a dependency yet; it adds a queue.'
  assert.deepEqual(
    missingIn(false2).flatMap((one) => wronglyMissing(one, there)),
    ['piscina'],
  )
  assert.deepEqual(
    missingIn('## What is missing\n\n`subscribe` and deflate.\n').flatMap((one) => wronglyMissing(one, there)),
    ['subscribe'],
  )
})

describe('nothing that is exported is called missing', () => {
  const there = present()
  for (const path of [...documents, ...sources].filter((path) => path !== 'CHANGELOG.md')) {
    // This file quotes such sentences.
    if (path === 'test/structure/documents.test.ts') continue
    test(path, () => {
      for (const sentence of missingIn(wordsOf(path))) assert.deepEqual(wronglyMissing(sentence, there), [], sentence)
    })
  }
})
