// An opening handshake that fails, and redirects: the client of millrace/ws says of them what that of ws says.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import * as ws from 'ws'
import * as ours from '../../src/ws.js'

import { answering, echoing, ended, QUICK, same, shown, watch } from './clientEngines.js'

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
          seen.push(client.url, Reflect.get(client, '_redirects'))
        })
      }
    }
  })
})
