// What millrace does on a runtime that may not be Node.js: `RUNTIME checks.mjs [DIST]` prints a line for each check, and
// ends with 0 if all of them hold, and 1 if not. It needs the build of this repository, and nothing else.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { createServer as createHttpServer } from 'node:http'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BINARY, CLOSE, Client, frame, PING, PONG, TEXT } from './client.mjs'

const dist = resolve(process.argv[2] ?? fileURLToPath(new URL('../../dist', import.meta.url)))
const { CloseCode, createServer, prepare, route } = await import(pathToFileURL(`${dist}/src/index.js`).href)
const { cert, key } = await import(pathToFileURL(`${dist}/test/support/certificate.js`).href)

const SIZES = [0, 1, 125, 126, 65_535, 65_536, 3 * 1024 * 1024]
/** Bytes that are not the same at the same place of any power of two. */
const PATTERN = Buffer.from(Array.from({ length: 997 }, (_, at) => at % 251))
const payloadOf = (length) => Buffer.alloc(length, PATTERN)
const echo = { message: (connection, message) => void connection.send(message) }

const checks = []
const check = (name, run) => checks.push({ name, run })

/** Runs `work` with the port of a server, and closes both. */
async function serving(options, work, where = {}) {
  const server = createServer({ closeTimeout: 2000, ...options })
  await server.listen({ port: 0, host: '127.0.0.1', ...where })
  const clients = []
  const open = async (...more) => {
    const client = await Client.open(where.path ?? server.port, ...more)
    clients.push(client)
    return client
  }
  try {
    await work(open, server)
  } finally {
    for (const client of clients) client.destroy()
    await server.close()
  }
  assert.equal(server.connections.size, 0, 'nobody is left')
}

check('binary messages of each length tier, in both directions', () =>
  serving(echo, async (open) => {
    const client = await open()
    assert.equal(client.status, 101)
    assert.match(client.head, /\r\nSec-WebSocket-Accept: [+/0-9A-Za-z]{27}=\r\n/i)
    for (const size of SIZES) {
      client.write(frame(BINARY, payloadOf(size)))
      const { opcode, payload, header } = await client.frame()
      assert.equal(opcode, BINARY)
      assert.equal(header, size < 126 ? 2 : size < 65_536 ? 4 : 10)
      assert.ok(payload.equals(payloadOf(size)), `${size} bytes`)
    }
  }),
)

check('text messages of each tier, of one and of more bytes a character', () =>
  serving({ message: (connection, message) => void connection.send(message.text()) }, async (open) => {
    const client = await open()
    for (const text of ['', 'a', 'ä€😀'.repeat(10), 'ä€😀'.repeat(1000), 'x'.repeat(70_000), 'ä€😀'.repeat(20_000)]) {
      client.write(frame(TEXT, text))
      const { opcode, payload } = await client.frame()
      assert.equal(opcode, TEXT)
      assert.equal(payload.toString(), text)
    }
  }),
)

check('many small messages in one write, in order', () =>
  serving(echo, async (open) => {
    const client = await open()
    const texts = Array.from({ length: 5000 }, (_, at) => String(at))
    client.write(Buffer.concat(texts.map((text) => frame(TEXT, text))))
    for (const text of texts) assert.equal((await client.frame()).payload.toString(), text)
  }),
)

check('frames behind the upgrade request, and a message byte by byte', () =>
  serving(echo, async (open) => {
    const client = await open({ behind: frame(TEXT, 'early') })
    assert.equal((await client.frame()).payload.toString(), 'early')
    for (const byte of frame(TEXT, 'slow')) {
      client.write(Buffer.of(byte))
      await new Promise((done) => setTimeout(done, 2))
    }
    assert.equal((await client.frame()).payload.toString(), 'slow')
  }),
)

check('fragments in, with a ping between them, and fragments out', () =>
  serving(
    {
      message(connection, message) {
        const bytes = message.bytes
        connection.sendFragment(bytes.subarray(0, 3), false)
        connection.sendFragment(bytes.subarray(3), true)
      },
    },
    async (open) => {
      const client = await open()
      client.write(frame(BINARY, 'abc', { fin: false }))
      client.write(frame(PING, 'between'))
      client.write(frame(0, 'def'))
      assert.deepEqual(
        { ...(await client.frame()) },
        { opcode: PONG, fin: true, payload: Buffer.from('between'), header: 2 },
      )
      const { payload, fragments } = await client.message()
      assert.equal(payload.toString(), 'abcdef')
      assert.equal(fragments, 2)
    },
  ),
)

check('pings of the server, and their round trip', () =>
  serving(
    { open: (connection) => connection.ping('are you there').then((time) => connection.send(String(time >= 0))) },
    async (open) => {
      const client = await open()
      const { opcode, payload } = await client.frame()
      assert.equal(opcode, PING)
      client.write(frame(PONG, payload))
      assert.equal((await client.frame()).payload.toString(), 'true')
    },
  ),
)

check('close codes: those of the peer, of the server, and of a connection that is gone', async () => {
  const told = []
  const closing = {
    close: (_, code, reason) => told.push([code, reason]),
    message: (one) => one.close(CloseCode.tryAgainLater, 'later'),
  }
  await serving(closing, async (open) => {
    const peer = await open()
    peer.write(frame(CLOSE, Buffer.concat([Buffer.of(0x0f, 0xa1), Buffer.from('bye')])))
    assert.deepEqual(await peer.closed(), [4001, ''])
    await peer.end()
    const server = await open()
    server.write(frame(TEXT, 'x'))
    assert.deepEqual(await server.closed(), [1013, 'later'])
    server.write(frame(CLOSE, Buffer.of(0x03, 0xf5)))
    await server.end()
    const gone = await open()
    gone.destroy()
    const late = Date.now() + 5000
    while (told.length < 3 && Date.now() < late) await new Promise((done) => setTimeout(done, 20))
  })
  assert.deepEqual(told, [
    [4001, 'bye'],
    [1013, ''],
    [1006, ''],
  ])
})

check('mistakes of a peer: each has its close code, and is told to `error`', async () => {
  const codes = []
  const wrong = [
    [frame(TEXT, Buffer.of(0xff)), 1007, 'INVALID_UTF8'],
    [frame(BINARY, 'x', { masked: false }), 1002, 'MASK_MISSING'],
    [frame(BINARY, 'x', { rsv: 64 }), 1002, 'RESERVED_BITS'],
    [frame(3, 'x'), 1002, 'RESERVED_OPCODE'],
    [frame(0, 'x'), 1002, 'CONTINUATION_UNEXPECTED'],
    [frame(PING, 'x', { fin: false }), 1002, 'CONTROL_FRAGMENTED'],
    [frame(CLOSE, Buffer.of(0x03, 0xed)), 1002, 'CLOSE_CODE_INVALID'],
    [frame(BINARY, Buffer.alloc(2000)), 1009, 'MESSAGE_TOO_LONG'],
  ]
  await serving({ ...echo, maxMessage: 1000, error: (_, error) => codes.push(error.code) }, async (open) => {
    for (const [bytes, code] of wrong) {
      const client = await open()
      client.write(bytes)
      assert.equal((await client.closed())[0], code)
    }
  })
  assert.deepEqual(
    codes,
    wrong.map(([, , name]) => name),
  )
})

check('a handler that throws ends its own connection, and no other', async () => {
  const told = []
  const throwing = {
    message(connection, message) {
      if (message.text() === 'throw') throw new Error('thrown')
      connection.send(message)
    },
    error: (_, error) => told.push(error.message),
  }
  await serving(throwing, async (open) => {
    const [one, other] = [await open(), await open()]
    one.write(frame(TEXT, 'throw'))
    assert.equal((await one.closed())[0], 1011)
    other.write(frame(TEXT, 'on'))
    assert.equal((await other.frame()).payload.toString(), 'on')
  })
  assert.deepEqual(told, ['thrown'])
})

check('handlers that are async keep their message, and messages their order', () =>
  serving(
    {
      pendingHandlers: 1,
      async message(connection, message) {
        await new Promise((done) => setTimeout(done, message.byteLength === 1 ? 50 : 1))
        connection.send(message)
      },
    },
    async (open) => {
      const client = await open()
      client.write(Buffer.concat([frame(TEXT, 'a'), frame(TEXT, 'bb'), frame(TEXT, 'ccc')]))
      for (const text of ['a', 'bb', 'ccc']) assert.equal((await client.frame()).payload.toString(), text)
    },
  ),
)

check('upgrade accepts with data, headers, cookies and a subprotocol', () =>
  serving(
    {
      upgrade: async ({ query, cookies }) => ({
        data: { name: query.get('name'), session: cookies.session },
        headers: new Headers({ 'X-Session': cookies.session }),
        protocol: 'chat',
      }),
      open: (connection) => void connection.send(JSON.stringify([connection.data, connection.protocol])),
    },
    async (open) => {
      const headers = ['Cookie: a=1; session="s 1"', 'Sec-WebSocket-Protocol: soap, chat']
      const client = await open({ target: '/?name=anna', headers })
      assert.match(client.head, /\r\nX-Session: s 1\r\n/i)
      assert.match(client.head, /\r\nSec-WebSocket-Protocol: chat\r\n/i)
      const greeting = JSON.parse((await client.frame()).payload)
      assert.deepEqual(greeting, [{ name: 'anna', session: 's 1' }, 'chat'])
    },
  ),
)

check('upgrade refuses, with status and body, at once and later; what is no answer is 500', async () => {
  const answers = [{ status: 401, body: 'who' }, Promise.resolve({ status: 403 }), { statusCode: 401 }, null]
  const failures = []
  await serving(
    { upgrade: () => answers.shift(), upgradeFailed: (_, error) => failures.push(error.name) },
    async (open) => {
      for (const status of [401, 403, 500, 500]) assert.equal((await open()).status, status)
    },
  )
  assert.deepEqual(failures, ['TypeError', 'TypeError'])
})

check('routes, origins, and what is no upgrade', () =>
  serving(
    {
      origins: ['https://example.com'],
      routes: { '/rooms/:room': route({ open: (one) => void one.send(one.request.params.room) }) },
      request: (_, response) => response.end('plain'),
    },
    async (open, server) => {
      const client = await open({ target: '/rooms/blue', headers: ['Origin: https://example.com'] })
      assert.equal((await client.frame()).payload.toString(), 'blue')
      assert.equal((await open({ target: '/none' })).status, 404)
      assert.equal((await open({ target: '/rooms/x', headers: ['Origin: https://other.example'] })).status, 403)
      const answer = await fetch(`http://127.0.0.1:${server.port}/`)
      assert.equal(await answer.text(), 'plain')
    },
  ),
)

check('topics: published once, to all subscribers, and prepared messages', () =>
  serving(
    {
      open: (connection) => connection.subscribe('news'),
      message: (connection, message) => void connection.publish('news', message),
    },
    async (open, server) => {
      const clients = [await open(), await open(), await open()]
      assert.equal(server.subscriberCount('news'), 3)
      clients[0].write(frame(TEXT, 'from one'))
      for (const client of clients.slice(1)) assert.equal((await client.frame()).payload.toString(), 'from one')
      server.publish('news', prepare('from the server'))
      for (const client of clients) assert.equal((await client.frame()).payload.toString(), 'from the server')
    },
  ),
)

check('streams: a long message read in chunks, and one sent in fragments', () =>
  serving(
    {
      streamThreshold: 100_000,
      async stream(connection, message) {
        let length = 0
        for await (const chunk of message) length += chunk.length
        const half = Buffer.alloc(length / 2, 'h')
        await connection.sendStream(
          (async function* () {
            yield half
            yield half
          })(),
        )
      },
    },
    async (open) => {
      const client = await open()
      client.write(frame(BINARY, payloadOf(4 * 1024 * 1024)))
      const { payload } = await client.message()
      assert.ok(payload.equals(Buffer.alloc(4 * 1024 * 1024, 'h')))
    },
  ),
)

check('messages() as an async iterator', () =>
  serving(
    {
      async open(connection) {
        for await (const message of connection.messages()) connection.send(`<${message.text()}>`)
      },
    },
    async (open) => {
      const client = await open()
      for (const text of ['one', 'two']) {
        client.write(frame(TEXT, text))
        assert.equal((await client.frame()).payload.toString(), `<${text}>`)
      }
    },
  ),
)

check('the pool: large messages are read in threads', () =>
  serving({ ...echo, large: { module: new URL('./large.mjs', import.meta.url), threads: 2 } }, async (open) => {
    const client = await open()
    for (const size of [65_536, 1024 * 1024]) {
      client.write(frame(TEXT, 'x'.repeat(size)))
      assert.equal((await client.frame()).payload.toString(), `${size} ${size} true`)
    }
    client.write(frame(TEXT, 'small'))
    assert.equal((await client.frame()).payload.toString(), 'small')
  }),
)

check('a peer that does not read is waited for, and gets everything', () =>
  serving({ ...echo, outputLimit: 64 * 1024 }, async (open) => {
    const client = await open()
    const payload = payloadOf(200_000)
    const count = 40
    for (let at = 0; at < count; at++) client.write(frame(BINARY, payload))
    for (let at = 0; at < count; at++) assert.ok((await client.frame()).payload.equals(payload), `message ${at}`)
  }),
)

check('TLS', () =>
  serving(
    echo,
    async (open) => {
      const client = await open({ ca: cert })
      for (const size of [5, 70_000, 1024 * 1024]) {
        client.write(frame(BINARY, payloadOf(size)))
        assert.ok((await client.frame()).payload.equals(payloadOf(size)), `${size} bytes`)
      }
    },
    { tls: { key, cert } },
  ),
)

check('a Unix socket', () =>
  serving(
    echo,
    async (open) => {
      const client = await open()
      client.write(frame(TEXT, 'over a path'))
      assert.equal((await client.frame()).payload.toString(), 'over a path')
    },
    { port: undefined, host: undefined, path: `${tmpdir()}/millrace-runtime-${process.pid}.sock` },
  ),
)

check('handleUpgrade, for a server of node:http', async () => {
  const server = createServer(echo)
  const http = createHttpServer((_, response) => response.end('http'))
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head))
  await new Promise((done) => http.listen(0, '127.0.0.1', done))
  const client = await Client.open(http.address().port)
  client.write(frame(TEXT, 'lent'))
  assert.equal((await client.frame()).payload.toString(), 'lent')
  client.destroy()
  await server.close()
  await new Promise((done) => http.close(done))
})

check('close(): everybody is told, and it resolves', async () => {
  const server = createServer({ closeTimeout: 2000, ...echo })
  await server.listen({ port: 0, host: '127.0.0.1' })
  const client = await Client.open(server.port)
  const closing = server.close(CloseCode.serviceRestart, 'soon')
  assert.deepEqual(await client.closed(), [1012, 'soon'])
  client.write(frame(CLOSE, Buffer.of(0x03, 0xf4)))
  await closing
  await client.end()
  await assert.rejects(server.listen(0), /the server is closed/)
})

check('mistakes of the caller are told at once', async () => {
  assert.throws(() => createServer({ maxPayload: 1 }), { name: 'TypeError', message: /'maxMessage'/ })
  await assert.rejects(createServer().listen({ hostname: '::1' }), { name: 'TypeError', message: /'host'/ })
})

check('acceptors: two processes on one port, and topics between them', async () => {
  const program = fileURLToPath(new URL('./acceptors.mjs', import.meta.url))
  const flags = 'deno' in process.versions ? ['run', '-A', '--node-modules-dir=manual'] : []
  const child = spawn(process.execPath, [...flags, program, dist], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((done) => child.once('exit', done))
  try {
    const port = await new Promise((done, fail) => {
      child.stdout.once('data', (data) => done(Number(data)))
      ended.then((code) => fail(new Error(`it ended with ${code}`)))
    })
    const clients = []
    const pids = new Set()
    for (let tries = 0; tries < 50 && pids.size < 2; tries++) {
      const client = await Client.open(port)
      clients.push(client)
      pids.add((await client.frame()).payload.toString())
    }
    assert.equal(pids.size, 2, 'both serve')
    assert.ok(!pids.has(String(child.pid)), 'the primary does not')
    await new Promise((done) => setTimeout(done, 300)) // until each knows of the topics of the other
    clients[0].write(frame(TEXT, 'to all'))
    for (const client of clients) assert.equal((await client.frame()).payload.toString(), 'to all')
    for (const client of clients) client.destroy()
  } finally {
    child.stdin.end()
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    const code = await ended
    clearTimeout(late)
    assert.equal(code, 0, 'it ends by itself')
  }
})

const runtime = ['deno', 'bun', 'node'].find((name) => name in process.versions)
console.log(`${runtime} ${process.versions[runtime]}`)
let failed = 0
for (const { name, run } of checks) {
  const began = performance.now()
  try {
    await run()
    console.log(`ok ${name} (${Math.round(performance.now() - began)} ms)`)
  } catch (error) {
    failed++
    console.log(`not ok ${name}: ${String(error?.stack ?? error).slice(0, 1000)}`)
  }
}
console.log(`${checks.length - failed} of ${checks.length} hold`)
process.exit(failed === 0 ? 0 : 1)
