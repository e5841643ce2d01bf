// `node --import millrace/ws/register app.js`: whoever asks for ws is given this project's, in every package, by import and
// by require.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const register = new URL('../../src/ws/register.js', import.meta.url).href

/** A project that has ws, a package that requires it, and one that imports it. */
function project(hasWs: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-register-'))
  after(() => rmSync(folder, { recursive: true }))
  for (const name of ['requires', 'imports']) mkdirSync(join(folder, 'node_modules', name), { recursive: true })
  if (hasWs) symlinkSync(join(root, 'node_modules/ws'), join(folder, 'node_modules/ws'), 'junction')
  write('node_modules/requires/index.js', "exports.WebSocket = require('ws')\n")
  write('node_modules/imports/index.mjs', "export { WebSocket, WebSocketServer } from 'ws'\n")
  write('node_modules/imports/package.json', '{ "exports": "./index.mjs" }')
  return folder

  function write(path: string, source: string): void {
    writeFileSync(join(folder, path), source)
  }
}

/** What a program says in a project, as JSON on its last line. */
function run(folder: string, source: string, env: NodeJS.ProcessEnv = {}): { said: unknown; stderr: string } {
  const path = join(folder, 'app.mjs')
  writeFileSync(path, source)
  const args = ['--import', register, path]
  const all = { cwd: folder, encoding: 'utf8', timeout: 30_000, env: { ...process.env, ...env } } as const
  const { stdout, stderr, status } = spawnSync(process.execPath, args, all)
  assert.equal(status, 0, stderr)
  return { said: JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), stderr }
}

const SAME = `import WebSocket, { WebSocketServer } from 'ws'
import { createRequire } from 'node:module'
import { WebSocket as Required } from 'requires'
import * as imported from 'imports'
const said = [
  Required === WebSocket, imported.WebSocket === WebSocket, createRequire(import.meta.url)('ws') === WebSocket,
  WebSocket.WebSocket === WebSocket, imported.WebSocketServer === WebSocketServer, WebSocket.Server === WebSocketServer,
]
`

/** A server, its client, and how each of them looks. */
const DIALS = `${SAME}
class Own extends WebSocket {
  mine = 1
  send(text, ...more) { super.send('sent ' + text, ...more) }
}
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
  const client = new Own('ws://127.0.0.1:' + server.address().port + '/path', ['a'])
  client.onopen = ({ target }) => target.send('it')
  client.on('message', (data) => {
    said.push(String(data), client.mine, client.protocol, client.readyState, client instanceof WebSocket, client instanceof Own)
    client.close(4000)
  })
  client.addEventListener('close', ({ wasClean, code }) => {
    said.push(wasClean, code)
    server.close(() => console.log(JSON.stringify(said)))
  })
})
server.on('connection', (socket) => {
  said.push(socket instanceof WebSocket, socket.constructor === WebSocket)
  socket.on('message', (data) => socket.send(data))
})
`

const ALL_SAME = [true, true, true, true, true, true]

describe('with --import millrace/ws/register', () => {
  for (const hasWs of [true, false]) {
    test(`all who ask for ws get the same, and dial with it, where ws is ${hasWs ? '' : 'not '}installed`, () => {
      const client = ['sent it', 1, 'a', 1, true, true, true, 4000]
      assert.deepEqual(run(project(hasWs), DIALS).said, [...ALL_SAME, true, true, ...client])
    })
  }

  test('the files of ws are left alone where they are asked for by their paths', () => {
    const source = `import { createRequire } from 'node:module'
import WebSocket from 'ws'
const deep = createRequire(import.meta.url)('./node_modules/ws/lib/websocket.js')
console.log(JSON.stringify([deep === WebSocket, deep.name]))`
    assert.deepEqual(run(project(true), source).said, [false, 'WebSocket'])
  })

  test('NODE_DEBUG=millrace says which engine runs, and nothing says so otherwise', () => {
    const folder = project(false)
    const source = "import 'ws'\nconsole.log('0')"
    assert.match(run(folder, source, { NODE_DEBUG: 'millrace' }).stderr, /whoever asks for ws is given millrace/)
    assert.equal(run(folder, source).stderr, '')
  })
})
