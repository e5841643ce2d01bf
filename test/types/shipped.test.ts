// The declarations that are shipped are what a user's compiler reads: nothing internal may be in them, and what they say
// must hold for programs that check everything.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../../src/', import.meta.url))
const require = createRequire(import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'millrace-types-'))
after(() => rmSync(folder, { recursive: true }))

function declarations(): string[] {
  const files = readdirSync(dist, { recursive: true }).map(String)
  return files.filter((name) => name.endsWith('.d.ts')).map((name) => join(dist, name))
}

test('nothing that is internal is in a declaration that is shipped', () => {
  const files = declarations()
  assert.ok(files.length > 50)
  for (const file of files) assert.doesNotMatch(readFileSync(file, 'utf8'), /@internal/, file)
})

/** Programs that import the package. */
const programs = {
  bytes: `import { type CloseCode, createServer } from 'millrace'
import { natsBroker } from 'millrace/nats'
import { redisBroker } from 'millrace/redis'
const code: CloseCode = 1012
// @ts-expect-error no code with a name
const other: CloseCode = 4000
const broker = code === 1012 ? redisBroker('redis://localhost') : natsBroker('nats://localhost')
export const server = createServer({
  broker,
  async message(connection, message) {
    new Blob([message.bytes])
    await crypto.subtle.digest('SHA-256', message.bytes)
    // @ts-expect-error shared memory
    new Blob([message.view])
    for await (const one of connection.messages()) one.text()
  },
  async stream(connection, message) {
    for await (const chunk of message) await crypto.subtle.digest('SHA-256', chunk)
  },
  pong(connection, data) {
    new Blob([data])
    connection.close(code ?? other)
  },
})
const port: number | undefined = (await server.listen(9001)).port
export default port
`,
  internal: `import { createServer, Message, PreparedMessage, type MessageStream, route } from 'millrace'
const server = createServer({ routes: { '/a': route({ upgrade: () => ({ data: 1 }) }) } })
declare const stream: MessageStream
// @ts-expect-error internal
server.use
// @ts-expect-error internal
server.stopListening
// @ts-expect-error internal
server.opened
// @ts-expect-error internal
Message.pointer
// @ts-expect-error internal
PreparedMessage.frame
// @ts-expect-error internal
stream.left
// @ts-expect-error no route
createServer({ routes: { '/a': {} } })
// @ts-expect-error no option
createServer({ maxPayload: 1 })
// @ts-expect-error no option
server.listen({ hostname: 'localhost' })
`,
  answers: `import { createServer, type Server, type UpgradeRequest } from 'millrace'
const pairs: [string, string][] = [['a', 'b']]
const maybe = pairs.length > 0 ? 'x' : undefined
for (const headers of [{ a: 'b' }, { a: ['b', 'c'], d: maybe }, new Headers(), new Map([['a', 'b']]), pairs]) {
  createServer({ upgrade: () => ({ headers }) })
  createServer({ upgrade: () => ({ status: 401, headers }) })
}
// @ts-expect-error a number
createServer({ upgrade: () => ({ headers: { a: 1 } }) })
export const first: Server<string> = createServer({
  upgrade: (request) => ({ data: request.cookies['session'] ?? '' }),
  message: (connection) => connection.data.length,
})
export const last: Server<string> = createServer({
  message: (connection) => connection.data.length,
  upgrade: (request: UpgradeRequest) => ({ data: request.cookies['session'] ?? '' }),
})
export const bare: Server<string> = createServer({
  message(connection) { connection.data.length },
  async upgrade() { return { data: 'x' } },
})
`,
}

/** The example of a script, whose hooks are checked by what its comments say. */
const script = readFileSync(new URL('../../../examples/load-script.mjs', import.meta.url), 'utf8')

/** What the compiler says of them, all at once: it takes a second for the declarations of Node.js. */
function compile(): string[] {
  for (const [name, program] of Object.entries(programs)) writeFileSync(join(folder, `${name}.mts`), program)
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    checkJs: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [dirname(dirname(require.resolve('@types/node/package.json')))],
    paths: {
      millrace: [join(dist, 'index.d.ts')],
      'millrace/client': [join(dist, 'client.d.ts')],
      'millrace/redis': [join(dist, 'redis.d.ts')],
      'millrace/nats': [join(dist, 'nats.d.ts')],
    },
  }
  writeFileSync(join(folder, 'script.mjs'), script)
  const files = [...Object.keys(programs).map((name) => `${name}.mts`), 'script.mjs']
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: folder, encoding: 'utf8' })
  assert.ok(status !== null && (status === 0) === (stdout === ''), stdout)
  return stdout.split('\n').filter((line) => line !== '')
}

describe('programs', () => {
  const complaints = compile()

  test('bytes in memory of their own are what web APIs take, shared memory is not', () => {
    assert.deepEqual(
      complaints.filter((line) => line.startsWith('bytes.mts')),
      [],
    )
  })

  test('the hooks of a script have types', () => {
    assert.deepEqual(
      complaints.filter((line) => line.startsWith('script.mjs')),
      [],
    )
  })

  test('what is internal is not there, and a route is made by `route`', () => {
    assert.deepEqual(
      complaints.filter((line) => line.startsWith('internal.mts')),
      [],
    )
  })

  test('there is nothing else to complain of, also not in the declarations', () => {
    const names = Object.keys(programs).map((name) => `${name}.mts`)
    assert.deepEqual(
      complaints.filter((line) => !names.some((name) => line.startsWith(name))),
      [],
    )
  })

  test('headers in each form, and data wherever the handlers stand', () => {
    assert.deepEqual(
      complaints.filter((line) => line.startsWith('answers.mts')),
      [],
    )
  })
})
