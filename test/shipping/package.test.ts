// The tests of everything else import files of this repository. Users don't: they install a tarball, and import it by
// its name, require it, bundle it, or start it in a thread or a cluster. Each of these ways has broken a package whose
// own tests were green, so each starts a server here and echoes.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { build } from 'esbuild'
import { effort } from '../support/effort.js'
import { testContents } from './contents.js'
import { EchoProgram, echoSource } from './echoProgram.js'
import { copyDependencies, type Installed, install, missing, temporary } from './installed.js'

const options = { timeout: 60_000 }
const node = process.execPath
const IMPORT = "import { createServer } from 'millrace'"
const REQUIRE = "const { createServer } = require('millrace')"

describe('the installed package', { skip: missing('npm') }, () => {
  let installed: Installed
  let echoing = ''

  before(async () => {
    installed = await install()
    echoing = write('echo.mjs', echoSource(IMPORT))
  })
  after(() => installed?.remove())

  testContents(() => installed)

  function write(name: string, source: string): string {
    const path = join(installed.project, name)
    writeFileSync(path, source)
    return path
  }

  test('imported from an ES module', options, () => EchoProgram.prove(node, [echoing]))

  test('required from CommonJS', options, async (t) => {
    const program = new EchoProgram(node, [write('echo.cjs', echoSource(REQUIRE))])
    t.after(() => program.kill())
    await program.echo()
    const { code, signal, stderr } = await program.end()
    assert.deepEqual({ code, signal }, { code: 0, signal: null })
    // Node 20 warns of require() of an ES module as such. Nothing else may be said.
    if (stderr !== '') assert.match(stderr, /^\(node:\d+\) ExperimentalWarning: .+ require.+\n\(Use [^\n]+\)\n$/)
  })

  test('both import and require get the same module', options, async () => {
    const source = `import { createRequire } from 'node:module'
import * as imported from 'millrace'
const required = createRequire(import.meta.url)('millrace')
if (required.createServer !== imported.createServer) throw new Error('there are two')
${echoSource('const { createServer } = required')}`
    await EchoProgram.prove(node, ['--disable-warning=ExperimentalWarning', write('both.mjs', source)])
  })

  test('what it exports has the names that the documentation gives', options, async () => {
    const source = `import * as millrace from 'millrace'
for (const [name, { name: own = name }] of Object.entries(millrace)) {
  if (own !== name) throw new Error(name + ' calls itself ' + own)
}
${echoSource('const { createServer } = millrace')}`
    await EchoProgram.prove(node, [write('names.mjs', source)])
  })

  for (const format of effort({ quick: ['cjs'], full: ['esm', 'cjs'] } as const)) {
    for (const minify of effort({ quick: [format === 'cjs'], full: [false, true] })) {
      test(`bundled by esbuild as ${format}${minify ? ', minified' : ''}`, options, async (t) => {
        const elsewhere = temporary()
        t.after(() => rmSync(elsewhere, { recursive: true }))
        const outfile = join(elsewhere, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`)
        const { warnings, errors, metafile } = await build({
          entryPoints: [echoing],
          outfile,
          format,
          minify,
          bundle: true,
          platform: 'node',
          metafile: true,
          logLevel: 'silent',
        })
        assert.deepEqual([warnings, errors], [[], []])
        const outside = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
        for (const path of outside) assert.match(path, /^node:/)
        await EchoProgram.prove(node, [outfile], { cwd: elsewhere })
      })
    }
  }

  for (const format of effort({ quick: ['esm'], full: ['esm', 'cjs'] } as const)) {
    test(
      `bundled as ${format}, with the option large: it says that millrace must stay external`,
      options,
      async (t) => {
        const elsewhere = temporary()
        t.after(() => rmSync(elsewhere, { recursive: true }))
        const source = `${IMPORT}\ncreateServer({ large: { module: process.execPath } })`
        const outfile = join(elsewhere, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`)
        const entryPoints = [write('large.mjs', source)]
        await build({ entryPoints, outfile, format, bundle: true, platform: 'node', logLevel: 'silent' })
        copyDependencies(installed.manifest, elsewhere)
        const program = new EchoProgram(node, [outfile], { cwd: elsewhere })
        t.after(() => program.kill())
        const { code, stderr } = await program.ended
        assert.equal(code, 1)
        assert.match(stderr, /tell the bundler to leave millrace external/)
        assert.match(stderr, /code: 'ERR_FILE_BUNDLED'/)
      },
    )
  }

  const threads = [
    ['in two worker threads and in the main thread', 2, "await import('./echo.mjs')"],
    ['in a worker thread', 1, ''],
  ] as const
  for (const [where, workers, main] of threads.slice(0, effort({ quick: 1, full: threads.length }))) {
    test(where, options, async () => {
      const source = `import { Worker } from 'node:worker_threads'
for (let count = 0; count < ${workers}; count++) {
  const worker = new Worker(new URL('./echo.mjs', import.meta.url), { stdin: true })
  process.stdin.pipe(worker.stdin)
  worker.on('exit', (code) => { if (code !== 0) process.exitCode = code })
}
${main}`
      const servers = workers + (main === '' ? 0 : 1)
      await EchoProgram.prove(node, [write(`threads${workers}.mjs`, source)], { servers })
    })
  }

  for (const policy of effort({ quick: ['rr'], full: ['rr', 'none'] })) {
    test(`in the workers of a cluster, scheduled by ${policy}`, options, async () => {
      const source = `import cluster from 'node:cluster'
if (cluster.isPrimary) {
  cluster.fork()
  cluster.fork()
  cluster.on('exit', (worker, code, signal) => { if (code !== 0) throw new Error('worker: ' + code + ' ' + signal) })
} else {
  await import('./echo.mjs')
  process.stdin.on('end', () => cluster.worker.disconnect())
}`
      const env = { NODE_CLUSTER_SCHED_POLICY: policy }
      await EchoProgram.prove(node, [write('cluster.mjs', source)], { env, servers: 2 })
    })
  }

  test('a target of millrace/target in the tests of another package', options, async () => {
    const source = `import assert from 'node:assert/strict'
import test from 'node:test'
import { connect } from 'millrace/client'
import { startTarget } from 'millrace/target'

test('a client', async (t) => {
  const target = await startTarget()
  t.after(() => target.close())
  const digest = await new Promise((resolve) => {
    connect(target.url + '/digest', {
      open: (connection) => connection.send('x'.repeat(100_000)),
      message: (connection, message) => resolve(message.text()),
    })
  })
  assert.match(digest, /^[0-9a-f]{64}$/)
  const code = await new Promise((resolve) => connect(target.url + '/close?code=4001', { close: (_, code) => resolve(code) }))
  assert.equal(code, 4001)
  assert.deepEqual((await target.statistics()).visits, { '/digest': 1, '/close': 1 })
})`
    const program = new EchoProgram(node, [write('client.test.mjs', source)])
    const { code, stdout } = await program.ended
    assert.equal(code, 0, stdout)
  })

  describe('its command', { skip: process.platform === 'win32' && 'a .cmd is no program to spawn' }, () => {
    // It begins with `#!/usr/bin/env node`, which must be the Node that runs this test.
    const env = { PATH: `${dirname(node)}${delimiter}${process.env['PATH']}` }
    const command = (): string => join(installed.project, 'node_modules', '.bin', 'millrace')

    test('tells its version', options, async () => {
      const program = new EchoProgram(command(), ['--version'], { env })
      const stdout = `${installed.manifest.version}\n`
      assert.deepEqual(await program.ended, { code: 0, signal: null, stdout, stderr: '' })
    })

    test('starts from any folder, and echoes', options, async (t) => {
      const elsewhere = temporary()
      t.after(() => rmSync(elsewhere, { recursive: true }))
      const program = new EchoProgram(command(), ['--port', '0'], { cwd: elsewhere, env })
      t.after(() => program.kill())
      await program.echo()
      const { code, signal, stderr } = await program.end('SIGTERM')
      assert.deepEqual({ code, signal }, { code: 0, signal: null })
      // It may not have seen yet that its clients are gone.
      assert.match(stderr, /^(?:millrace: closing \d connections?\n)?$/)
    })
  })
})
