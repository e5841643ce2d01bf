// The server answers plain HTTP on the port where it takes WebSockets: a browser, a health check and a scanner all come
// by, and none of them may get a wrong answer, let alone end the server.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { WsClient } from '../clients/wsClient.js'
import { createEchoServer } from '../support/echoServer.js'
import { listening, listeningAll } from '../support/serving.js'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const server = listeningAll(createEchoServer(), () => {
  port = server.address?.port
})
let port: number | undefined

test('GET / is the page, in one piece and allowed nothing but itself', async () => {
  const { status, headers, body } = await ask('GET', '/')
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(headers['content-length'], String(Buffer.byteLength(body)))
  assert.match(body, /^<!doctype html>\n<html lang="en">/)
  assert.deepEqual(body.match(/(?:src|href)="(?!data:)[^"]*"/g), null, 'it asks for something else')

  const policy = String(headers['content-security-policy'])
  assert.match(policy, /^default-src 'none'; /)
  for (const element of ['script', 'style']) {
    const content = new RegExp(`<${element}>(.*)</${element}>`, 's').exec(body)?.[1] ?? ''
    const hash = createHash('sha256').update(content).digest('base64')
    assert.ok(policy.includes(`${element}-src 'sha256-${hash}'`), element)
  }
})

test('every id of the page is there once, and the script asks for no other', async () => {
  const { body } = await ask('GET', '/')
  const ids = [...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length)
  for (const [, id] of body.matchAll(/\$\('([^']+)'\)/g)) assert.ok(ids.includes(id), id)
})

test('a query is no other page', async () => {
  assert.equal((await ask('GET', '/?from=here')).status, 200)
})

test('HEAD is GET without the body', async () => {
  const [get, head] = [await ask('GET', '/'), await ask('HEAD', '/')]
  assert.equal(head.status, 200)
  assert.equal(head.body, '')
  assert.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' })
  assert.equal((await ask('HEAD', '/elsewhere')).status, 404)
})

test('other paths are not found', async () => {
  for (const path of ['/favicon.ico', '/index.html', '//', '/%00', '/<b>', '/..', '/../../etc/passwd']) {
    const { status, headers, body } = await ask('GET', path)
    assert.equal(status, 404, path)
    assert.equal(headers['content-type'], 'text/plain')
    assert.match(body, /^Not found. There is:\n\n\/: sends every message back/)
  }
})

test('other methods are not allowed, whatever they bring', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const { status, headers } = await ask(method, '/', method === 'POST' ? 'x'.repeat(100_000) : '')
    assert.equal(status, 405, method)
    assert.equal(headers.allow, 'GET, HEAD')
  }
})

test('one connection may ask many times', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let time = 0; time < 20; time++) assert.equal((await ask('GET', '/', '', agent)).status, 200)
  assert.equal(Object.values(agent.freeSockets).flat().length, 1)
  agent.destroy()
})

test('a connection that has asked for the page may become a WebSocket', { timeout: 10_000 }, async (t) => {
  const socket = connect(port ?? 0, '127.0.0.1')
  t.after(() => socket.destroy())
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  while (!received.endsWith('</html>\n')) await sleep(5)
  socket.write(`${upgradeHead(13)}\x81\x82\0\0\0\0hi`, 'latin1')
  while (!received.endsWith('\x81\x02hi')) await sleep(5)
  assert.match(received, /<\/html>\nHTTP\/1\.1 101 /)
})

for (const closeTimeout of [10_000, 0, 2 ** 31]) {
  test(`a refused peer can read why, with a close timeout of ${closeTimeout}`, async (t) => {
    const other = await listening(t, createEchoServer({ closeTimeout }))
    const socket = connect(other.address?.port ?? 0, '127.0.0.1')
    t.after(() => socket.destroy())
    const errors: Error[] = []
    socket.on('error', (error) => errors.push(error))
    // It goes on sending, and reads late: if the server has closed by then, a reset has thrown away the answer.
    for (const sent of [upgradeHead(12), 'more', 'and more']) {
      socket.write(sent)
      await sleep(30)
    }
    assert.deepEqual(errors, [])
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 426 /)
  })
}

test('WebSockets are welcome on the path of the page, too, and an unknown path is 404 with the list', async () => {
  for (const path of ['', '/', '/?id=1', '/echo']) {
    const client = await WsClient.open(`ws://127.0.0.1:${port}${path}`)
    client.socket.send(path)
    assert.equal(await client.messages.next(), path)
    await client.close(1000)
  }
  const [response] = await once(new WebSocket(`ws://127.0.0.1:${port}/%F0%9F%8C%8A`), 'unexpected-response').then(
    ([, answer]: IncomingMessage[]) => [answer],
  )
  assert.equal(response?.statusCode, 404)
  assert.match(String(await response?.setEncoding('utf8').toArray()), /^Not found. There is:/)
})

test('a server with an idle HTTP connection closes at once', async (t) => {
  const other = await listening(t, createEchoServer())
  const agent = new Agent({ keepAlive: true })
  await ask('GET', '/', '', agent, other.address?.port)
  const began = performance.now()
  await other.close()
  assert.ok(performance.now() - began < 4000)
  agent.destroy()
})

function upgradeHead(version: number): string {
  const key = 'x3JJHMbDL1EzLkh9GBhXDw=='
  return `GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: ${version}\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
}

function ask(method: string, path: string, sent = '', agent?: Agent, at = port): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: at, method, path, ...(agent && { agent }) }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}
