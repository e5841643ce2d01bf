// What is published can't be taken back, and what is forgotten is noticed by the first user. This looks at the tarball
// itself: its files, its size, its types as a compiler sees them, and what publint knows about broken packages. It is the
// tarball that package.test.ts installs: npm takes seconds for each.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { text } from 'node:stream/consumers'
import { before, describe, test } from 'node:test'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { effort } from '../support/effort.js'
import { type Installed, root } from './installed.js'

const options = { timeout: 60_000 }

/** Beside dist/src. npm adds the first three by itself. */
const DOCUMENTS = ['LICENSE', 'README.md', 'package.json', 'CHANGELOG.md']
const MOST_BYTES = 1_750_000

/** A user's program. */
function consumer(names: string): string {
  return `import { ${names} } from 'millrace'
export const server = createServer({
  message(connection, message) {
    const result: SendResult = connection.send(message.isText ? message.text() : message)
    console.log(result)
  },
})
`
}

/** The tests of a tarball and of what npm made of it, which is there when they run. */
export function testContents(packed: () => Installed): void {
  describe('the tarball', () => tests(packed))
}

function tests(packed: () => Installed): void {
  let installed: Installed
  /** Paths in the package, with slashes. */
  let files: string[] = []

  before(() => {
    installed = packed()
    files = readdirSync(installed.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(installed.directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((path) => !path.startsWith('node_modules/'))
  })

  const read = (path: string): string => readFileSync(join(installed.directory, path), 'utf8')

  test('holds the build, the documents, and nothing else', () => {
    const build = files.filter((path) => /^dist\/src\/[\w/.]+\.(?:js|d\.[cm]?ts)$/.test(path))
    assert.deepEqual(files.filter((path) => !build.includes(path)).toSorted(), DOCUMENTS.toSorted())
    assert.deepEqual(
      build.filter((path) => /^dist\/src\/(?!command\/bench\/).*\b(?:test|bench)\b.*\/|\.test\./.test(path)),
      [],
    )
  })

  test(`is less than ${MOST_BYTES / 1000} KB when unpacked`, (t) => {
    const bytes = files.reduce((sum, path) => sum + statSync(join(installed.directory, path)).size, 0)
    t.diagnostic(`${files.length} files, ${bytes} bytes; packed ${statSync(installed.tarball).size} bytes`)
    assert.ok(bytes < MOST_BYTES, `${bytes} bytes`)
  })

  test('knows nothing of the machine that packed it', () => {
    const places = [root, homedir()].filter((place) => place.length > 1)
    for (const path of files) {
      const text = read(path)
      for (const place of places) {
        const at = text.indexOf(join(place, sep))
        assert.equal(at, -1, `${path}: ${text.slice(at, at + 100)}`)
      }
      assert.doesNotMatch(text, /sourceMappingURL/, `${path}: its map is not shipped`)
    }
  })

  test('is complete: every entry has its types, and what each module and declaration imports is there', () => {
    // Only the entries can be imported: declarations that these do not lead to would be shipped for nobody.
    for (const path of ['dist/src/index.js', 'dist/src/redis.js', 'dist/src/nats.js']) {
      assert.ok(files.includes(path.replace(/\.js$/, '.d.ts')), `types of ${path}`)
    }
    for (const ending of ['mts', 'cts']) assert.ok(files.includes(`dist/src/ws/types/index.d.${ending}`), ending)
    for (const path of files.filter((name) => name.startsWith('dist/'))) {
      for (const [, specifier = ''] of read(path).matchAll(/\b(?:from|import)[\s(]*'(\.[^']+)'/g)) {
        const target = join(dirname(path), specifier).split(sep).join('/')
        const needed = /\.d\.[cm]?ts$/.test(path) ? target.replace(/([cm]?)js$/, 'd.$1ts') : target
        assert.ok(files.includes(needed), `${path} imports ${specifier}`)
      }
    }
  })

  test('is imported as the entry and what the modules are joined in, because each file costs time', () => {
    const reached = new Set<string>()
    const reach = (path: string): void => {
      if (reached.has(path)) return
      reached.add(path)
      for (const [, specifier = ''] of read(path).matchAll(
        /\b(?:import|export)\s*(?:\{[^}]*\}|\*|\w+)\s*from\s*['"](\.[^'"]+)['"]/g,
      )) {
        reach(join(dirname(path), specifier).split(sep).join('/'))
      }
    }
    const joined = ['dist/src/pool/joined.js']
    const needs = { index: joined, redis: joined, nats: joined, ws: [...joined, 'dist/src/ws/joined.js'] }
    for (const [name, files] of Object.entries(needs)) {
      const entry = `dist/src/${name}.js`
      reached.clear()
      reach(entry)
      assert.deepEqual([...reached].toSorted(), [...files, entry].toSorted())
    }
  })

  test('reads no module of Node.js whole: from Node 24 on, an import of node:http by its name loads undici', () => {
    for (const name of ['dist/src/pool/joined.js', 'dist/src/ws/joined.js']) {
      assert.doesNotMatch(read(name), /\bimport\b[^;'"]*from\s*['"]node:/, name)
    }
  })

  test('has no scripts, and no development tools: nothing for the machine of whoever installs it', () => {
    for (const name of ['scripts', 'devDependencies', 'repository', 'private']) {
      assert.equal(name in installed.manifest, false, name)
    }
  })

  test('has in its package.json what a registry and a search need', () => {
    const manifest: Record<string, unknown> = JSON.parse(read('package.json'))
    for (const name of ['description', 'keywords', 'license', 'engines', 'exports', 'types', 'bin', 'files']) {
      assert.ok(name in manifest, name)
    }
    const first = /^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$/m.exec(read('CHANGELOG.md'))
    assert.equal(manifest['version'], first?.[1], 'the version is the last one of the changelog')
  })

  test('needs one package at most, when it runs', () => {
    const { dependencies = {}, ...others } = installed.manifest
    assert.deepEqual(
      Object.keys(dependencies).filter((name) => name !== 'piscina'),
      [],
    )
    for (const kind of ['optionalDependencies', 'bundledDependencies', 'bundleDependencies']) {
      assert.equal(Object.hasOwn(others, kind), false, kind)
    }
  })

  test('loads no package before it is needed', () => {
    for (const path of files.filter((name) => name.endsWith('.js'))) {
      for (const [, specifier = ''] of read(path).matchAll(/^(?:import|export) (?:.* from )?'([^']+)'/gm)) {
        assert.match(specifier, /^(?:node:|\.)/, path)
      }
    }
  })

  for (const [name, user, program] of [
    [
      '@redis/client',
      'millrace/redis',
      "import('millrace/redis').then((redis) => redis.redisBroker('redis://127.0.0.1'))",
    ],
    [
      '@nats-io/transport-node',
      'millrace/nats',
      "import('millrace/nats').then((nats) => nats.natsBroker('nats://127.0.0.1'))",
    ],
    ['piscina', 'the option large', "import('millrace').then((it) => it.createServer({ large: { module: '/' } }))"],
  ] as const) {
    test(`says what to install where ${name} is missing`, options, async (t) => {
      const parked = join(installed.project, 'node_modules', `.${name.replace('/', '-')}`)
      const place = join(installed.project, 'node_modules', name)
      if (existsSync(place)) {
        renameSync(place, parked)
        t.after(() => renameSync(parked, place))
      }
      const child = spawn(process.execPath, ['-e', program], { cwd: installed.project, stdio: 'pipe' })
      const said = await text(child.stderr)
      assert.ok(
        said.includes(`${user} needs the package ${name}, which is not installed here: npm install ${name}`),
        said,
      )
      assert.match(said, /code: 'ERR_PACKAGE_MISSING'/)
    })
  }

  describe('has types', () => {
    // As its declarations tell; test/structure says which names these must be.
    const names = (): string =>
      [...read('dist/src/index.d.ts').matchAll(/\{([^}]+)\}/g)]
        .flatMap(([, list = '']) => list.split(','))
        .map((name) => name.replace('type ', '').trim())
        .filter((name) => name !== '')
        .join(', ')

    const ways = [
      ['nodenext', 'nodenext', ['a.mts', 'a.cts']],
      ['esnext', 'bundler', ['a.mts']],
    ] as const
    const programs = new Map<string, string>()
    const said = new Map<string, string>()

    before(async () => {
      const source = `${consumer(names())}export type { ${names()} }\n`
      for (const name of ['a.mts', 'a.cts']) programs.set(name, source)
      const guide = readFileSync(join(root, 'docs/brokers.md'), 'utf8')
      const shown = [read('README.md'), guide].flatMap((text) => [...text.matchAll(/^```ts\n(.*?)^```$/gms)])
      for (const [at, [, source = '']] of shown.entries()) programs.set(`readme${at}.mts`, source)
      programs.set(
        'redis.mts',
        `import { redisBroker, type RedisBroker } from 'millrace/redis'
export const broker: RedisBroker = redisBroker('redis://localhost', { prefix: 'a:' })
`,
      )
      programs.set(
        'nats.mts',
        `import { natsBroker, type NatsBroker } from 'millrace/nats'
export const broker: NatsBroker = natsBroker('nats://localhost', { prefix: 'a.' })
`,
      )
      programs.set('wrong.mts', `${consumer('createServer, type SendResult')}createServer({ massage() {} })\n`)
      for (const [name, program] of programs) write(name, program)
      // All of them at once: a compiler reads the libraries for longer than the programs.
      said.set('nodenext', await compile([...programs.keys()], 'nodenext', 'nodenext'))
    })

    /** What the compiler said of some programs, or of none of them all. */
    function complaints(own: readonly string[], resolution = 'nodenext'): string {
      for (const name of own) assert.ok(programs.has(name), name)
      const others = [...programs.keys()].filter((name) => !own.includes(name))
      const lines = (said.get(resolution) ?? 'nothing was compiled').split(/(?<=\n)(?! )/)
      return lines.filter((line) => !others.some((name) => line.startsWith(`${name}(`))).join('')
    }

    for (const [module, resolution, names] of ways.slice(0, effort({ quick: 1, full: ways.length }))) {
      test(`for ${names.join(' and ')}, found by ${resolution}`, options, async () => {
        if (!said.has(resolution)) said.set(resolution, await compile(names, module, resolution))
        assert.equal(complaints(names, resolution), '')
      })
    }

    test('with which the TypeScript of the README and the guide to brokers compiles', options, () => {
      const names = [...programs.keys()].filter((name) => name.startsWith('readme'))
      assert.equal(names.length, 7)
      assert.equal(complaints(names), '')
    })

    test(
      'for millrace/redis and millrace/nats, without the packages that they need, and that refuse what is wrong',
      options,
      () => {
        assert.equal(complaints(['redis.mts', 'nats.mts']), '')
        assert.match(
          complaints(['wrong.mts']),
          /^wrong\.mts.* 'massage' does not exist in type 'ServerOptions<[^\n]+\n$/,
        )
      },
    )
  })

  function write(name: string, source: string): void {
    writeFileSync(join(installed.project, name), source)
  }

  /** What the compiler says of programs in the user's project. */
  async function compile(names: readonly string[], module: string, resolution: string): Promise<string> {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')]
    // Libraries are checked, too: a declaration that refers to nothing would pass otherwise.
    const checks = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2023', '--lib', 'es2023']
    const args = [...names, '--ignoreConfig', '--module', module, '--moduleResolution', resolution, ...checks, ...types]
    const child = spawn(process.execPath, [compiler, ...args], { cwd: installed.project, stdio: 'pipe' })
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
    return output + errors
  }

  test('has nothing that publint knows better', options, async () => {
    const { buffer } = new Uint8Array(readFileSync(installed.tarball))
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true })
    assert.deepEqual(
      messages.map((message) => `${message.type}: ${formatMessage(message, pkg) ?? message.code}`),
      [],
    )
  })
}
