// The examples are what people copy. Each must start as its first lines say, and do what it promises to a real client.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { WsClient } from '../clients/wsClient.js'
import { cert, key } from '../support/certificate.js'
import { Program, ROOT } from './program.js'

/** Why Express's example can't run here; in CI it always runs, and fails without. */
const expressMissing =
  process.env['CI'] === 'true' || existsSync(join(ROOT, 'node_modules/express')) ? false : 'Express is not installed'

let program: Program

function running(file: string, env: () => Promise<NodeJS.ProcessEnv> = async () => ({})): void {
  before(async () => {
    program = await Program.start([`examples/${file}`], await env())
  })
  after(() => program.kill())
}

/** The status and body with which an upgrade is refused. */
function refusal(path: string, options: ClientOptions = {}): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${program.port}${path}`, options)
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error(`${path} is accepted`)))
    socket.once('error', reject)
    socket.once('unexpected-response', (_, response) => {
      bodyOf(response).then((body) => resolve(`${response.statusCode} ${body}`), reject)
    })
  })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return body
}

async function page(path: string): Promise<{ status: number | undefined; type: string | undefined; body: string }> {
  const [response] = await once(get(`http://127.0.0.1:${program.port}${path}`, { agent: false }), 'response')
  const { statusCode, headers } = response
  return { status: statusCode, type: headers['content-type'], body: await bodyOf(response) }
}

describe('echo.mjs', () => {
  running('echo.mjs')

  test('sends text and bytes back', async () => {
    const client = await WsClient.open(`ws://127.0.0.1:${program.port}`)
    client.socket.send('grüß dich')
    assert.equal(await client.messages.next(), 'grüß dich')
    client.socket.send(Buffer.from([1, 2, 3]))
    assert.deepEqual(await client.messages.next(), Buffer.from([1, 2, 3]))
    await client.close(1000)
  })

  test('says Close when it is interrupted, and ends', { skip: process.platform === 'win32' }, async () => {
    const client = await WsClient.open(`ws://127.0.0.1:${program.port}`)
    program.interrupt()
    assert.equal((await client.ended).code, 1001)
    assert.equal(await program.lives(10_000), false)
  })
})

describe('chat/server.mjs', () => {
  running('chat/server.mjs')

  const join = (room: string, name: string, options: ClientOptions = {}): Promise<WsClient> =>
    WsClient.open(`ws://127.0.0.1:${program.port}/rooms/${room}?name=${name}`, options)
  const line = async (client: WsClient): Promise<unknown> => JSON.parse(String(await client.messages.next()))

  test('serves its page', async () => {
    const { status, type, body } = await page('/')
    assert.equal(status, 200)
    assert.equal(type, 'text/html; charset=utf-8')
    assert.match(body, /new WebSocket\(url\)/)
  })

  test('tells everybody in a room, and nobody in another', async () => {
    const anna = await join('lobby', 'anna')
    assert.deepEqual(await line(anna), { from: 'anna', text: 'has come' })
    const ben = await join('lobby', 'ben')
    const cleo = await join('attic', 'cleo')
    for (const one of [anna, ben]) assert.deepEqual(await line(one), { from: 'ben', text: 'has come' })
    assert.deepEqual(await line(cleo), { from: 'cleo', text: 'has come' })

    anna.socket.send('hello ben')
    for (const one of [anna, ben]) assert.deepEqual(await line(one), { from: 'anna', text: 'hello ben' })
    await ben.close(1000)
    assert.deepEqual(await line(anna), { from: 'ben', text: 'has gone' })
    cleo.socket.send('anybody here?')
    assert.deepEqual(await line(cleo), { from: 'cleo', text: 'anybody here?' })
    await Promise.all([anna.close(), cleo.close()])
  })

  test('refuses who has no name, comes from elsewhere, or goes elsewhere', async () => {
    assert.match(await refusal('/rooms/lobby'), /^400 say who you are/)
    assert.match(await refusal('/rooms/lobby?name=eve', { origin: 'http://evil.example' }), /^403 /)
    assert.match(await refusal('/'), /^404 /)
  })

  test('ends who says too much', async () => {
    const client = await join('noise', 'max')
    for (let at = 0; at < 40; at++) client.socket.send('again')
    const { code, reason } = await client.ended
    assert.equal(code, 1008)
    assert.match(reason, /messageRate is 20/)
  })
})

describe('express.mjs', { skip: expressMissing }, () => {
  running('express.mjs')

  test('serves the page and the sockets on one port', async () => {
    const { status, body } = await page('/')
    assert.equal(status, 200)
    assert.match(body, /Sockets are at \/echo/)
    assert.equal((await page('/echo')).status, 404)
    const client = await WsClient.open(`ws://127.0.0.1:${program.port}/echo`)
    client.socket.send('both')
    assert.equal(await client.messages.next(), 'both')
    await client.close(1000)
    assert.match(await refusal('/other'), /^404 /)
  })

  test('ends when it is interrupted', { skip: process.platform === 'win32' }, async () => {
    const client = await WsClient.open(`ws://127.0.0.1:${program.port}/echo`)
    program.interrupt()
    assert.equal((await client.ended).code, 1001)
    assert.equal(await program.lives(10_000), false)
  })
})

describe('tls.mjs', () => {
  let folder = ''
  running('tls.mjs', async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-'))
    const [KEY, CERT] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    await Promise.all([writeFile(KEY, key), writeFile(CERT, cert)])
    return { KEY, CERT }
  })
  after(() => rm(folder, { recursive: true }))

  test('speaks TLS, with the certificate it was given', async () => {
    const client = await WsClient.open(`wss://127.0.0.1:${program.port}`, { ca: cert })
    assert.equal(await client.messages.next(), 'this is TLS')
    client.socket.send('secret')
    assert.equal(await client.messages.next(), 'secret')
    await client.close(1000)
  })

  test('says what it needs', async () => {
    const without = new Program(['examples/tls.mjs'])
    assert.equal(await without.lives(10_000), false)
    assert.match(without.output, /^usage: KEY=/)
  })
})

describe('auth.mjs', () => {
  running('auth.mjs')

  async function login(user: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${program.port}/login?user=${user}`, { method: 'POST' })
    assert.equal(response.status, 204)
    return response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  }

  test('refuses who has no cookie, or none that it gave', async () => {
    assert.equal(await refusal('/'), '401 log in first')
    assert.equal(await refusal('/', { headers: { cookie: 'session=made-up' } }), '401 log in first')
    assert.equal(await refusal('/', { headers: { cookie: 'other=1; sessions=2' } }), '401 log in first')
  })

  test('knows who has one', async () => {
    const [anna, ben] = await Promise.all([login('anna'), login('ben')])
    for (const [cookie, name] of [
      [anna, 'anna'],
      [ben, 'ben'],
    ]) {
      const url = `ws://127.0.0.1:${program.port}`
      const client = await WsClient.open(url, { headers: { cookie: `theme=dark; ${cookie}` } })
      assert.equal(await client.messages.next(), `hello ${name}`)
      await client.close(1000)
    }
  })

  test("refuses another site's page that has one", async () => {
    const cookie = await login('anna')
    assert.match(await refusal('/', { headers: { cookie }, origin: 'http://evil.example' }), /^403 /)
  })

  test('answers everything else with 404, and lives on', async () => {
    for (const path of ['/', '/login', '//', '/login?user=x']) assert.equal((await page(path)).status, 404)
    assert.equal(await program.lives(100), true)
  })
})

describe('large/server.mjs', () => {
  running('large/server.mjs')

  test('parses large documents in its pool, and handles small messages at once', async () => {
    const client = await WsClient.open(`ws://127.0.0.1:${program.port}`)
    const documents = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id })))
    client.socket.send(documents)
    assert.equal(await client.messages.next(), `${documents.length} bytes, 20000 documents`)
    client.socket.send('small')
    assert.equal(await client.messages.next(), '5 bytes, handled at once')
    const bytes = Buffer.alloc(100_000, 1)
    client.socket.send(bytes)
    assert.deepEqual(await client.messages.next(), bytes)
    await client.close()
  })
})

describe('cluster/server.mjs', { skip: process.platform === 'win32' }, () => {
  running('cluster/server.mjs')

  test('serves by another process, and ends gracefully', async () => {
    const client = await WsClient.open(`ws://127.0.0.1:${program.port}`)
    assert.match(String(await client.messages.next()), /^served by \d+$/)
    client.socket.send('hello')
    assert.equal(await client.messages.next(), 'hello')
    program.interrupt()
    assert.equal((await client.ended).code, 1001)
    assert.equal(await program.lives(10_000), false)
  })
})

describe('streams.mjs', () => {
  running('streams.mjs')

  test('hashes what comes in, and sends what was asked for', async () => {
    const client = await WsClient.open(`ws://127.0.0.1:${program.port}`)
    const bytes = Buffer.alloc(3_000_000, 'x')
    client.socket.send(bytes)
    assert.equal(await client.messages.next(), createHash('sha256').update(bytes).digest('hex'))
    client.socket.send('send 1000000')
    assert.deepEqual(await client.messages.next(), Buffer.alloc(1_000_000))
    await client.close()
  })
})
