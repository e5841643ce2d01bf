// Programs of others over HTTP/2: undici before and after it followed RFC 8441, curl, the tools of nghttp2, and HAProxy as a
// proxy that makes HTTP/2 of HTTP/1.1. Those that a machine lacks are skipped, except in CI.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Agent, WebSocket as OlderWebSocket } from 'undici'
import { WebSocket as WsSocket } from 'ws'
import { createServer, type Server } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { freePort } from '../support/serverProcess.js'
import { delay, eventually } from '../support/socketClient.js'

const timeout = 60_000

/** Why a test with a program can't run here. */
function lacking(program: string): string | false {
  if (process.env['CI'] === 'true') return false
  return spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed`
}

interface Site {
  readonly server: Server<undefined>
  readonly port: number
  readonly codes: number[]
  readonly versions: string[]
}

/** A server that echoes, and answers requests, with TLS or without. */
async function site(t: TestContext, secure: boolean): Promise<Site> {
  const codes: number[] = []
  const versions: string[] = []
  const server = createServer({
    closeTimeout: 500,
    deflate: true,
    message: (connection, message) => connection.send(message),
    close: (_, code) => codes.push(code),
    request(request, response) {
      versions.push(request.httpVersion)
      response.end(`you asked for ${request.url}`)
    },
  })
  t.after(() => server.close())
  await server.listen({ host: '127.0.0.1', ...(secure ? { http2: true, tls: { key, cert } } : { http2: 'cleartext' }) })
  return { server, port: server.port ?? 0, codes, versions }
}

/** What a program writes, once it has ended. */
async function run(program: string, ...args: string[]): Promise<string> {
  const child = spawn(program, args)
  let text = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => (text += String(chunk)))
  await once(child, 'close')
  return text
}

interface Outcome {
  readonly messages: readonly unknown[]
  readonly code: number
}

/** Echoes once through a client of undici, which may be any version. */
function echoThrough(Socket: typeof OlderWebSocket, dispatcher: unknown, port: number): Promise<Outcome> {
  const init = { dispatcher } as ConstructorParameters<typeof OlderWebSocket>[1]
  const socket = new Socket(`wss://127.0.0.1:${port}/`, init)
  const messages: unknown[] = []
  return new Promise((resolve) => {
    socket.addEventListener('open', () => socket.send('hello'))
    socket.addEventListener('message', ({ data }: { data: unknown }) => {
      messages.push(data)
      socket.close(4000, 'bye')
    })
    socket.addEventListener('error', () => undefined)
    socket.addEventListener('close', ({ code }) => resolve({ messages, code }))
  })
}

const how = { allowH2: true, connect: { rejectUnauthorized: false } }
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const tooOld = (major < 22 || (major === 22 && minor < 19)) && 'this version of undici needs Node.js 22.19'

describe('undici with allowH2', () => {
  test('8.13 and later open a connection', { timeout, skip: tooOld }, async (t) => {
    const { port, codes } = await site(t, true)
    const newer: typeof import('undici') = await import('undici-8' as string)
    const agent = new newer.Agent(how)
    assert.deepEqual(await echoThrough(newer.WebSocket, agent, port), { messages: ['hello'], code: 4000 })
    await eventually(() => codes.length > 0, 'the end')
    assert.deepEqual(codes, [4000])
    await agent.destroy()
  })

  test('earlier ones want a Sec-WebSocket-Accept, and give up; the server goes on', { timeout }, async (t) => {
    const { port, codes, server } = await site(t, true)
    const agent = new Agent(how)
    assert.deepEqual(await echoThrough(OlderWebSocket, agent, port), { messages: [], code: 1006 })
    await eventually(() => codes.length > 0 && server.connections.size === 0, 'the end')
    assert.deepEqual(codes, [1006])
    await agent.destroy()
  })
})

test('curl, by ALPN and with prior knowledge', { timeout, skip: lacking('curl') }, async (t) => {
  const write = ['-sk', '--max-time', '20', '-w', ' %{http_version} %{http_code}']
  const secure = await site(t, true)
  const url = `https://127.0.0.1:${secure.port}/a`
  assert.equal(await run('curl', ...write, '--http2', url), 'you asked for /a 2 200')
  assert.equal(await run('curl', ...write, '--http1.1', url), 'you asked for /a 1.1 200')
  const plain = await site(t, false)
  const prior = ['--http2-prior-knowledge', `http://127.0.0.1:${plain.port}/b`]
  assert.equal(await run('curl', ...write, ...prior), 'you asked for /b 2 200')
  assert.equal(await run('curl', ...write, `http://127.0.0.1:${plain.port}/c`), 'you asked for /c 1.1 200')
})

test("nghttp and h2load, nghttp2's tools", { timeout, skip: lacking('h2load') }, async (t) => {
  const { port } = await site(t, false)
  const seen = await run('nghttp', '-v', `http://127.0.0.1:${port}/d`)
  assert.match(seen, /SETTINGS_ENABLE_CONNECT_PROTOCOL\(0x08\):1|UNKNOWN\(0x08\):1/)
  assert.match(seen, /you asked for \/d/)
  const load = await run('h2load', '-n', '2000', '-c', '4', '-m', '50', `http://127.0.0.1:${port}/`)
  assert.match(load, /2000 succeeded, 0 failed, 0 errored/)
})

describe('HAProxy', { skip: lacking('haproxy') }, () => {
  test('makes HTTP/2 of what comes over HTTP/1.1 and HTTP/2', { timeout }, async (t) => {
    const { port, server, codes } = await site(t, false)
    const folder = mkdtempSync(join(tmpdir(), 'millrace-haproxy-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const front = await freePort()
    writeFileSync(join(folder, 'both.pem'), cert + key)
    writeFileSync(
      join(folder, 'haproxy.cfg'),
      `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
frontend front
  bind 127.0.0.1:${front} ssl crt ${join(folder, 'both.pem')} alpn h2,http/1.1
  default_backend back
backend back
  server one 127.0.0.1:${port} proto h2 ws h2
`,
    )
    const proxy = spawn('haproxy', ['-f', join(folder, 'haproxy.cfg')], { stdio: 'ignore' })
    t.after(async () => {
      proxy.kill()
      await once(proxy, 'exit')
    })
    await listening(front)
    const socket = new WsSocket(`wss://127.0.0.1:${front}/through`, { rejectUnauthorized: false })
    await once(socket, 'open')
    const [connection] = server.connections
    assert.equal(connection?.request.path, '/through')
    assert.equal(connection?.request.httpVersion, '2.0')
    const text = 'x'.repeat(100_000)
    socket.send(text)
    const [message] = await once(socket, 'message')
    assert.equal(String(message), text)
    socket.close(4001, 'bye')
    const [code] = await once(socket, 'close')
    await eventually(() => codes.length > 0, 'the end')
    assert.deepEqual([code, codes], [4001, [4001]])
  })
})

/** Resolves when somebody listens there. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connectTcp(port, '127.0.0.1')
    const reached = await new Promise((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    )
    socket.destroy()
    if (reached === true) return
    await delay(50)
  }
  throw new Error('HAProxy does not listen')
}
