// The types of `millrace/ws` can be swapped in for @types/ws: programs that use these compile against ours, what one gives
// out the other takes, and what is wrong is refused.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const ours = fileURLToPath(new URL('../../src/ws/types/', import.meta.url))
const theirs = dirname(require.resolve('@types/ws/package.json'))
const folder = mkdtempSync(join(tmpdir(), 'millrace-ws-types-'))
after(() => rmSync(folder, { recursive: true }))

/** A program as people write it for ws. It is compiled for both. */
const program = (from: string): string => `import WebSocket, { createWebSocketStream, WebSocketServer } from '${from}'
import type { Data, RawData, Server, ServerOptions, WebSocket as Named } from '${from}'
const options: ServerOptions = {
  port: 0,
  perMessageDeflate: { threshold: 10, zlibDeflateOptions: { level: 3 } },
  verifyClient: (info, callback) => callback(info.origin === 'a' && info.req.url !== undefined, 401, 'no', { A: 'b' }),
  handleProtocols: (protocols, request) => request.url === '/' && [...protocols][0] || false,
}
export const server: WebSocketServer = new WebSocketServer(options, () => undefined)
server.on('connection', function (ws, request) {
  ws.on('message', (data, isBinary) => {
    const raw: RawData = data
    const binary: boolean = isBinary
    ws.send(String(raw), { binary, compress: false, fin: true }, (error) => error?.message)
  })
  ws.once('close', (code: number, reason: Buffer) => code + reason.length)
  ws.on('pong', (data) => data.length).off('ping', () => undefined).on('error', (error) => error.message)
  ws.on('own', (a, b) => a.x + b)
  ws.addEventListener('message', ({ data, target }) => target.send(data as string), { once: true })
  ws.onclose = ({ code, wasClean, reason }) => code + Number(wasClean) + reason.length
  ws.binaryType = 'arraybuffer'
  createWebSocketStream(ws, { encoding: 'utf8' }).pipe(process.stdout)
  ws.ping(() => undefined)
  ws.ping('a', false, () => undefined)
  for (const client of this.clients) if (client !== ws && client.readyState === WebSocket.OPEN) client.send(Buffer.alloc(1))
  for (const data of ['a', 1, new Uint8Array(1), new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), [Buffer.alloc(1)]]) ws.send(data)
  ws.close(4000, request.headers['x-reason'] as string | undefined)
})
server.on('headers', (headers, request) => headers.push(request.url ?? ''))
server.on('wsClientError', (error, socket) => socket.end(error.message))
server.close((error) => error?.message)
class Own extends WebSocket { own = 1 }
const owning = new WebSocketServer<typeof Own>({ noServer: true, WebSocket: Own })
owning.on('connection', (ws) => ws.own.toFixed())
export const named: Named = new WebSocket('ws://a', ['b'], { headers: { a: 'b' }, perMessageDeflate: false })
export const data: Data = 'a'
export const take = (server: Server, event: WebSocket.MessageEvent, close: WebSocket.CloseEvent, error: WebSocket.ErrorEvent) =>
  [server.address(), event.data, close.code, error.error]
// @ts-expect-error no option
new WebSocketServer({ prot: 1 })
// @ts-expect-error no method
named.sendd('a')
// @ts-expect-error no code
named.close('4000')
`

const required = (from: string): string => `import WebSocket = require('${from}')
import { type RawData, WebSocketServer } from '${from}'
const server = new WebSocket.Server({ port: 0 })
server.on('connection', (ws: WebSocket, request) => {
  ws.on('message', (data: RawData) => ws.send(data as Buffer))
  request.url
})
export const other: WebSocketServer = new WebSocketServer({ noServer: true })
export const socket: WebSocket.WebSocket = new WebSocket.WebSocket(null)
`

const PROGRAMS: Readonly<Record<string, string>> = {
  'ours.mts': program('millrace/ws'),
  'theirs.mts': program('ws'),
  'ours.cts': required('millrace/ws'),
  'theirs.cts': required('ws'),
  'both.mts': `import { WebSocketServer, type WebSocket } from 'millrace/ws'
import type * as ws from 'ws'
const server: ws.WebSocketServer = new WebSocketServer({ noServer: true })
export const takes = (socket: WebSocket): ws.WebSocket => socket
export const gives = (socket: ws.WebSocket): WebSocket => socket
server.on('connection', (socket) => gives(socket).terminate())
`,
}

/** A package of which there are only types: they are copied, so that they find those of Node.js by typeRoots. */
function link(specifier: string, types: Readonly<Record<string, string>>, from: string): void {
  const [name = '', ...rest] = specifier.split('/')
  const place = join(folder, 'node_modules', name)
  mkdirSync(place, { recursive: true })
  for (const file of Object.values(types)) copyFileSync(join(from, file), join(place, file))
  const conditions = Object.entries(types).map(([way, file]) => [way, { types: `./${file}` }])
  const exports = { [['.', ...rest].join('/')]: Object.fromEntries(conditions) }
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name, version: '8.0.0', exports }))
}

/** What the compiler says of the programs, at once: it takes a second for the declarations of Node.js. */
function compile(): string[] {
  for (const [name, source] of Object.entries(PROGRAMS)) writeFileSync(join(folder, name), source)
  // As packages, so that each way of importing finds the types that are meant for it.
  link('millrace/ws', { import: 'index.d.mts', require: 'index.d.cts' }, ours)
  link('ws', { import: 'index.d.mts', require: 'index.d.ts' }, theirs)
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [dirname(dirname(require.resolve('@types/node/package.json')))],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(PROGRAMS) }))
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: folder, encoding: 'utf8' })
  assert.ok(status !== null && (status === 0) === (stdout === ''), stdout)
  return stdout.split('\n').filter((line) => line !== '')
}

test('what is written for @types/ws compiles against both, and each takes what the other gives', {
  timeout: 60_000,
}, () => {
  assert.deepEqual(compile(), [])
})
