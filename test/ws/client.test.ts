// The client of millrace/ws does what that of ws does: the same program runs on both, against the same server, and what it
// sees is compared, event by event.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as ws from 'ws'
import { cert, key } from '../support/certificate.js'

import { answering, echoing, ended, QUICK, same, watch } from './clientEngines.js'

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
