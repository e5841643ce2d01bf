// The client of millrace/ws does what that of ws does: the same program runs on both, against the same server, and what it
// sees is compared, event by event.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import * as ws from 'ws'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import * as ours from '../../src/ws.js'
import { cert, key } from '../support/certificate.js'

type Client = ws.WebSocket
type ClientClass = typeof ws.WebSocket

/** What a program has seen. */
type Log = unknown[]

const EVENTS = ['open', 'upgrade', 'redirect', 'unexpected-response', 'message', 'ping', 'pong', 'error', 'close']

/** Servers that do not end the connection are waited for, for a moment. */
const QUICK: object = { closeTimeout: 50 }

/** Writes down each event of a client, in order. */
function watch(client: Client, log: Log): void {
  for (const event of EVENTS) {
    client.on(event, (...values: unknown[]) => log.push([event, client.readyState, ...values.map(shown)]))
  }
}

function shown(value: unknown): unknown {
  if (value instanceof Error) return [value.constructor.name, value.message, Reflect.get(value, 'code')]
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  const status: unknown = Object(value).statusCode
  return typeof status === 'number' ? status : typeof value === 'object' ? 'object' : value
}

/** Runs a program on both, which must see the same. Returns that. */
async function same(run: (WebSocket: ClientClass, log: Log) => Promise<void>): Promise<Log> {
  const logs = await Promise.all(
    [ws.WebSocket, ours.WebSocket as unknown as ClientClass].map(async (WebSocket) => {
      const log: Log = []
      await run(WebSocket, log)
      return log
    }),
  )
  assert.deepEqual(logs[1], logs[0])
  return logs[0] ?? []
}

/** A server of ws that echoes. */
async function echoing(t: TestContext, options: ws.ServerOptions = {}): Promise<string> {
  const server = new ws.WebSocketServer({ host: '127.0.0.1', port: 0, ...options })
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'close') socket.close(4000, 'bye')
      else if (String(data) === 'cut') socket.terminate()
      else if (String(data) === 'ping') socket.ping('p')
      else socket.send(data, { binary: isBinary })
    })
  })
  t.after(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  if (options.server === undefined) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return `ws://127.0.0.1:${port}`
}

/** A server that answers upgrades as it likes. */
async function answering(
  t: TestContext,
  answer: (request: IncomingMessage, socket: Duplex, accept: string) => void,
): Promise<string> {
  const server: Server = createServer((_, response) => response.writeHead(401, { 'X-Why': 'no' }).end('body'))
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => sockets.add(socket))
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => undefined)
    answer(request, socket, acceptKey(request.headers['sec-websocket-key'] ?? ''))
  })
  server.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function ended(client: Client): Promise<unknown> {
  return new Promise((resolve) => client.once('close', resolve))
}

describe('a connection', () => {
  for (const perMessageDeflate of [false, true]) {
    test(`messages, pings and the close of the server, ${perMessageDeflate ? 'compressed' : 'plain'}`, async (t) => {
      const url = await echoing(t, { perMessageDeflate })
      const log = await same(async (WebSocket, seen) => {
        const client = new WebSocket(url)
        watch(client, seen)
        seen.push(client.url, client.protocol, client.extensions, client.readyState)
        client.on('open', () => {
          seen.push(client.extensions)
          client.send('text')
          client.send(Buffer.alloc(3), (error) => seen.push(['sent', error]))
          client.send('x'.repeat(70_000))
        })
        client.on('message', (data) => {
          if ((data as Buffer).length > 1000) client.ping('hi')
        })
        client.on('pong', () => client.send('ping'))
        client.on('ping', () => client.send('close'))
        await ended(client)
        seen.push(client.readyState, client.bufferedAmount)
      })
      assert.ok(log.length > 10)
    })
  }

  test('subprotocols, headers, origin and credentials', async (t) => {
    const url = await answering(t, ({ headers, url: target }, socket, accept) => {
      const { authorization, origin, 'x-a': a, 'sec-websocket-protocol': protocols } = headers
      const said = JSON.stringify([target, authorization, origin, a, protocols])
      socket.write(
        `HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: two\r\n\r\n`,
      )
      socket.write(Buffer.concat([Buffer.from([0x81, said.length]), Buffer.from(said), Buffer.from([0x88, 0])]))
    })
    await same(async (WebSocket, seen) => {
      const target = `${url.replace('//', '//ada:s%20t@')}/p?q=1`
      const client = new WebSocket(target, ['one', 'two'], { origin: 'http://x', headers: { 'X-A': '1' }, ...QUICK })
      watch(client, seen)
      await ended(client)
      seen.push(client.protocol)
    })
  })

  test('over TLS, over a Unix socket, and with `protocols` among the options', async (t) => {
    const secure = createSecureServer({ cert, key }).listen(0, '127.0.0.1')
    const path = join(tmpdir(), `millrace-ws-client-${process.pid}.sock`)
    const local = createServer().listen(path)
    await Promise.all([once(secure, 'listening'), once(local, 'listening')])
    t.after(() => {
      secure.close()
      local.close()
    })
    for (const server of [secure, local]) {
      const served = new ws.WebSocketServer({ server })
      served.on('connection', (socket, request) => socket.send(request.url ?? '', () => socket.close(1000)))
    }
    const { port } = secure.address() as AddressInfo
    for (const url of [`wss://127.0.0.1:${port}/a`, `ws+unix://${path}:/b`]) {
      await same(async (WebSocket, seen) => {
        const client = new WebSocket(url, { ca: cert, protocols: ['x'] } as ws.ClientOptions)
        watch(client, seen)
        await ended(client)
        seen.push(client.protocol)
      })
    }
  })

  test('closing and terminating by this side', async (t) => {
    const url = await echoing(t)
    for (const end of ['close', 'terminate', 'cut'] as const) {
      await same(async (WebSocket, seen) => {
        const client = new WebSocket(url)
        watch(client, seen)
        client.on('open', () => {
          if (end === 'close') client.close(3000, 'reason')
          else if (end === 'cut') client.send('cut')
          else client.terminate()
          seen.push(client.readyState)
        })
        await ended(client)
      })
    }
  })

  test('EventTarget and its attributes', async (t) => {
    const url = await echoing(t)
    await same(async (WebSocket, seen) => {
      const client = new WebSocket(url)
      client.binaryType = 'arraybuffer'
      client.onopen = ({ type, target }) => {
        seen.push(type, target === client)
        client.send(Buffer.from('b'))
      }
      client.onmessage = ({ data }) => {
        seen.push(data instanceof ArrayBuffer)
        client.send('close')
      }
      client.addEventListener('close', ({ code, reason, wasClean }) => seen.push(code, reason, wasClean))
      await ended(client)
    })
  })
})

const HEAD = 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: '

describe('an opening that fails', () => {
  const wrong: [name: string, answer: (accept: string) => string, options?: ws.ClientOptions, protocols?: string[]][] =
    [
      ['another status', () => 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'],
      [
        'no upgrade',
        (accept) => `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      ],
      ['a wrong accept', () => `${HEAD}x\r\n\r\n`],
      ['a subprotocol', (accept) => `${HEAD}${accept}\r\nSec-WebSocket-Protocol: x\r\n\r\n`],
      ['another subprotocol', (accept) => `${HEAD}${accept}\r\nSec-WebSocket-Protocol: x\r\n\r\n`, {}, ['y']],
      ['no subprotocol', (accept) => `${HEAD}${accept}\r\n\r\n`, {}, ['y']],
      ['an extension', (accept) => `${HEAD}${accept}\r\nSec-WebSocket-Extensions: x\r\n\r\n`],
      ['one of no use', (accept) => `${HEAD}${accept}\r\nSec-WebSocket-Extensions: permessage-deflate; x\r\n\r\n`],
      ['a broken one', (accept) => `${HEAD}${accept}\r\nSec-WebSocket-Extensions: ;\r\n\r\n`],
      [
        'one that was not asked for',
        (accept) => `${HEAD}${accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
        { perMessageDeflate: false },
      ],
      ['a masked frame', (accept) => `${HEAD}${accept}\r\n\r\n\x81\x81\x01\x02\x03\x04\x60`],
      ['an end', () => ''],
    ]
  for (const [name, answer, options, protocols] of wrong) {
    test(name, async (t) => {
      const url = await answering(t, (_, socket, accept) => {
        const bytes = answer(accept)
        if (bytes === '') socket.destroy()
        else socket.write(bytes, 'latin1')
      })
      await same(async (WebSocket, seen) => {
        const client = new WebSocket(url, protocols, { ...QUICK, ...options })
        for (const event of ['open', 'upgrade', 'error', 'close']) {
          client.on(event, (...values: unknown[]) => seen.push([event, client.readyState, ...values.map(shown)]))
        }
        await ended(client)
        client.send('late', (error) => seen.push(shown(error)))
        seen.push(client.bufferedAmount)
        await new Promise((resolve) => setImmediate(resolve))
      })
    })
  }

  test('a listener of unexpected-response takes the answer over', async (t) => {
    const server = createServer((_, response) => response.writeHead(401).end('body')).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    await same(async (WebSocket, seen) => {
      const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
      client.on('error', (error) => seen.push(shown(error)))
      client.on('close', (code) => seen.push(code))
      const [request, response] = await once(client, 'unexpected-response')
      seen.push(response.statusCode, client.readyState, typeof request.destroy)
      for await (const chunk of response) seen.push(String(chunk))
      client.terminate()
      await ended(client)
    })
  })

  test('nobody listens, silence, and closing before it is open', async (t) => {
    const silent = await answering(t, () => undefined)
    for (const [url, options, act] of [
      ['ws://127.0.0.1:1', {}, undefined],
      [silent, { handshakeTimeout: 60 }, undefined],
      [silent, {}, 'close'],
      [silent, {}, 'terminate'],
    ] as const) {
      await same(async (WebSocket, seen) => {
        const client = new WebSocket(url, options)
        watch(client, seen)
        if (act !== undefined) client[act]()
        seen.push(client.readyState)
        await ended(client)
      })
    }
  })

  test('wrong arguments are thrown', () => {
    for (const args of [
      ['nonsense'],
      ['ftp://x'],
      ['ws://x/#a'],
      ['ws+unix:'],
      ['ws://x', ['a', 'a']],
      ['ws://x', ['a b']],
      ['ws://x', '1 2'],
      ['ws://x', { protocolVersion: 7 }],
    ]) {
      const errors = [ws.WebSocket, ours.WebSocket].map((WebSocket) => {
        try {
          return Reflect.construct(WebSocket, args)
        } catch (error) {
          return shown(error)
        }
      })
      assert.deepEqual(errors[1], errors[0])
      assert.ok(Array.isArray(errors[0]))
    }
  })

  test('sending before it is open is thrown', async (t) => {
    const url = await answering(t, () => undefined)
    await same(async (WebSocket, seen) => {
      const client = new WebSocket(url)
      client.on('error', () => undefined)
      for (const method of ['send', 'ping', 'pong'] as const) {
        try {
          client[method]('x')
        } catch (error) {
          seen.push(shown(error))
        }
      }
      client.terminate()
      await ended(client)
    })
  })
})

describe('redirects', () => {
  test('are followed, with credentials for the same host only, and end', async (t) => {
    const other = await echoing(t)
    const seenHeads: unknown[] = []
    const from = await answering(t, ({ url, headers }, socket) => {
      seenHeads.push([url, headers.authorization, headers.cookie])
      const target = url === '/other' ? other : url === '/circle' ? '/circle' : '/other'
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target}\r\n\r\n`)
    })
    const headers = { Authorization: 'Bearer x', Cookie: 'a=b' }
    for (const path of ['/first', '/circle']) {
      for (const listens of [false, true]) {
        await same(async (WebSocket, seen) => {
          seenHeads.length = 0
          const client = new WebSocket(from + path, { followRedirects: true, maxRedirects: 3, headers })
          if (listens) client.on('redirect', (url) => seen.push(url))
          client.on('open', () => client.close(1000))
          client.on('error', (error) => seen.push(shown(error)))
          await ended(client)
          seen.push(client.url)
        })
      }
    }
  })
})
