// Ordinary HTTP goes through the same raw accept as upgrades and is handed to node:http with the bytes already read.
// Everything that an HTTP client expects must work as if node:http had accepted the connection itself.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { Agent, type IncomingMessage, type RequestOptions, request as send } from 'node:http'
import { describe, test } from 'node:test'
import { latin1, requestOf } from '../support/httpRequests.js'
import { serving, servingAll } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

let port = 0

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const server = servingAll(
  {
    request: async (request, response) => {
      if (request.url === '/missing') return response.writeHead(404).end('Not found')
      if (request.url === '/address')
        return response.end(`${request.socket.remoteAddress} ${request.socket.remotePort}`)
      const body = await bodyOf(request)
      return response.writeHead(200, { 'X-Method': request.method }).end(body.length > 0 ? body : request.url)
    },
  },
  () => {
    port = server.address?.port ?? 0
  },
)

interface Answer {
  readonly status: number
  readonly method: string
  readonly body: Buffer
  readonly localPort: number
}

function ask(options: RequestOptions, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send({ port, host: '127.0.0.1', ...options }, async (message) => {
      const localPort = request.socket?.localPort ?? 0
      const received = await bodyOf(message)
      resolve({
        status: message.statusCode ?? 0,
        method: String(message.headers['x-method']),
        body: received,
        localPort,
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

describe('a request', () => {
  test('GET', async () => {
    const { status, body } = await ask({ path: '/a?b=c' })
    assert.deepEqual([status, body.toString()], [200, '/a?b=c'])
  })

  test('HEAD has no body', async () => {
    const { status, method, body } = await ask({ path: '/a', method: 'HEAD' })
    assert.deepEqual([status, method, body.length], [200, 'HEAD', 0])
  })

  test('404', async () => {
    const { status, body } = await ask({ path: '/missing' })
    assert.deepEqual([status, body.toString()], [404, 'Not found'])
  })

  for (const length of [1, 1000, 65_536, 3_000_000]) {
    test(`POST of ${length} bytes, with its length and in chunks`, async () => {
      const body = Buffer.alloc(length, 'abcdefg')
      assert.ok((await ask({ method: 'POST', headers: { 'Content-Length': length } }, body)).body.equals(body))
      const chunked = { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } }
      assert.ok((await ask(chunked, body)).body.equals(body))
    })
  }

  test('Expect: 100-continue', async () => {
    const client = await SocketClient.open(port)
    client.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n')
    await client.until(() => client.text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'), '100')
    client.write('body')
    await client.until(() => client.text.includes('body'), 'the body')
    await client.destroy()
  })

  test('the address of the peer is known', async () => {
    const { body, localPort } = await ask({ path: '/address' })
    assert.equal(body.toString(), `127.0.0.1 ${localPort}`)
  })
})

describe('a connection', () => {
  test('is kept alive for the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number>()
    for (let count = 0; count < 20; count++) {
      const { body, localPort } = await ask({ agent, path: `/${count}` })
      assert.equal(body.toString(), `/${count}`)
      ports.add(localPort)
    }
    agent.destroy()
    assert.equal(ports.size, 1)
  })

  test('is ended after Connection: close', async () => {
    const client = await SocketClient.open(port)
    client.write(requestOf(['Host: x', 'Connection: close']))
    await client.end()
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\/chat\?room=1/)
    await client.destroy()
  })

  test('carries pipelined requests in order, in one write and in pieces', async () => {
    const text = Array.from({ length: 10 }, (_, at) => requestOf(['Host: x'], `GET /n${at} HTTP/1.1`)).join('')
    for (const pieces of [[text], [text.slice(0, 100), text.slice(100)]]) {
      const client = await SocketClient.open(port)
      await client.writePieces(pieces.map(latin1))
      await client.until(
        () => client.text.split('HTTP/1.1 200').length === 11 && client.text.includes('/n9'),
        'answers',
      )
      assert.deepEqual([...client.text.matchAll(/\/n(\d)/g)].map(([, digit]) => digit).join(''), '0123456789')
      await client.destroy()
    }
  })

  test('many at once, each gets its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        ask({ path: `/${at}`, agent: false, method: 'POST' }, Buffer.from(`b${at}`)),
      ),
    )
    assert.deepEqual(
      answers.map(({ body }) => body.toString()),
      answers.map((_, at) => `b${at}`),
    )
  })
})

// RFC 9110, section 7.8 asks for both or none; through a proxy, a client of HTTP/2 must see none.
test('without a request handler, the answer is 426, with neither Upgrade nor its option in Connection', async (t) => {
  const plain = await serving(t, {})
  const client = await SocketClient.open(plain.address?.port ?? 0)
  client.write(requestOf(['Host: x']))
  const { status, head } = await client.response()
  assert.equal(status, 426)
  assert.doesNotMatch(head, /upgrade:|connection: *upgrade/i)
  await client.destroy()
  await plain.close()
})

test('closing the server ends kept-alive connections, and those in the middle of a request', async (t) => {
  const closing = await serving(t, { closeTimeout: 300, request: () => undefined })
  const asking = await SocketClient.open(closing.address?.port ?? 0)
  const halfway = await SocketClient.open(closing.address?.port ?? 0)
  const silent = await SocketClient.open(closing.address?.port ?? 0)
  asking.write(requestOf(['Host: x']))
  halfway.write('GET / HT')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await closing.close()
  for (const client of [asking, halfway, silent]) {
    // Long before the handshake timeout would have done it.
    await client.end(3000)
    await client.destroy()
  }
})
