// A load that can't begin must say why, in one line that a person can act on.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { dial } from '../../src/load/dial.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { echoServer, options, tcpServer, wsEchoServer } from './peers.js'

const OFFER = 'permessage-deflate; client_max_window_bits'
const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'

/** A server that answers every request with these bytes, in which ACCEPT stands for the right value. */
function answering(t: TestContext, response: string): Promise<string> {
  return tcpServer(t, (socket) => {
    socket.once('data', (head) => {
      const [, key = ''] = /sec-websocket-key: (\S+)/i.exec(String(head)) ?? []
      socket.write(response.replace('ACCEPT', acceptKey(key)))
    })
  })
}

async function problem(
  url: string,
  { offer, timeout = 5000 }: { offer?: string; timeout?: number } = {},
): Promise<string> {
  const error = await dial(new URL(url), offer, timeout).then(
    ({ stream }) => {
      stream.destroy()
      return assert.fail('it should not have been accepted')
    },
    (error: unknown) => error,
  )
  assert.ok(error instanceof Error && String(Reflect.get(error, 'code')).startsWith('ERR_CONNECT_'))
  assert.ok(error.message.startsWith(`${url} `) && !error.message.includes('\n'), error.message)
  return error.message.slice(url.length + 1)
}

describe('dial', options, () => {
  test('nobody listens', options, async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    await once(server, 'close')
    const port = typeof address === 'object' ? address?.port : 0
    assert.equal(await problem(`ws://127.0.0.1:${port}`), 'cannot be reached: nobody listens there')
  })

  for (const [name, response, expected] of [
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 'refused: 403 Forbidden'],
    [
      '426',
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n',
      'refused: 426 Upgrade Required',
    ],
    ['a status alone', 'HTTP/1.1 404\r\n\r\n', 'refused: 404'],
    ['a wrong accept', `${UPGRADE}Sec-WebSocket-Accept: x\r\n\r\n`, 'answered with a wrong Sec-WebSocket-Accept'],
    ['no accept', `${UPGRADE}\r\n`, 'answered with a wrong Sec-WebSocket-Accept'],
    [
      'another protocol',
      'HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
      'upgraded to something else than websocket',
    ],
    [
      'an extension nobody asked for',
      `${UPGRADE}Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: x\r\n\r\n`,
      'answered with an extension that was not asked for: x',
    ],
  ] as const) {
    test(`answered with ${name}`, options, async (t) => {
      assert.equal(await problem(await answering(t, response)), expected)
    })
  }

  test('not HTTP', options, async (t) => {
    assert.match(await problem(await answering(t, 'SSH-2.0-OpenSSH_9.6\r\n')), /^does not speak HTTP/)
  })

  test('plain HTTP', options, async (t) => {
    const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    assert.equal(await problem(`ws://127.0.0.1:${port}`), 'refused: 200 OK')
  })

  test('TLS where there is none', options, async (t) => {
    const url = (await answering(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')).replace('ws:', 'wss:')
    assert.equal(await problem(url), 'does not speak TLS: try ws: instead of wss:')
  })

  for (const [name, bytes] of [
    ['at once', ''],
    ['inside the response', UPGRADE],
  ] as const) {
    test(`closed ${name}`, options, async (t) => {
      const url = await tcpServer(t, (socket) => socket.once('data', () => socket.end(bytes)))
      assert.equal(await problem(url), 'ended the connection during the opening handshake')
    })
  }

  for (const name of ['nothing', 'a byte now and then']) {
    test(`no answer in time: ${name}`, options, async (t) => {
      const url = await tcpServer(t, (socket) => {
        socket.resume()
        if (name === 'nothing') return
        const timer = setInterval(() => socket.write('HTTP/1.1 101 x\r\nA: '.slice(0, 1)), 100)
        socket.on('close', () => clearInterval(timer))
      })
      const began = performance.now()
      const message = await problem(url, { timeout: 250 })
      if (name === 'nothing') assert.equal(message, 'gave no answer within 250 ms')
      assert.ok(performance.now() - began < 2000)
    })
  }

  test('an abort ends the attempt, before it began, too', options, async (t) => {
    const url = await tcpServer(t, (socket) => socket.resume())
    const attempt = dial(new URL(url), undefined, 60_000, AbortSignal.timeout(50))
    await assert.rejects(attempt, { name: 'TimeoutError' })
    await assert.rejects(dial(new URL(url), undefined, 60_000, AbortSignal.abort()), { name: 'AbortError' })
  })

  test('an extension is offered only if it is wanted, and must be accepted then', options, async (t) => {
    assert.equal(await problem(await wsEchoServer(t), { offer: OFFER }), 'did not accept permessage-deflate')
    const compressing = await wsEchoServer(t, { perMessageDeflate: true })
    for (const offer of [undefined, OFFER]) {
      const { stream, early, deflate } = await dial(new URL(compressing), offer, 5000)
      assert.equal(early.length, 0)
      assert.equal(deflate?.answer, offer && 'permessage-deflate')
      stream.destroy()
    }
  })

  test('the answer says what holds', options, async (t) => {
    const accepting = 'permessage-deflate; client_max_window_bits="11"; server_no_context_takeover'
    const url = await answering(
      t,
      `${UPGRADE}Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: ${accepting}\r\n\r\n`,
    )
    const { stream, deflate } = await dial(new URL(url), OFFER, 5000)
    stream.destroy()
    assert.deepEqual(deflate, {
      answer: accepting,
      parameters: {
        serverNoContextTakeover: true,
        clientNoContextTakeover: false,
        serverMaxWindowBits: 15,
        clientMaxWindowBits: 11,
      },
    })
  })

  for (const [offer, answer] of [
    [OFFER, 'permessage-deflate; unknown'],
    [OFFER, 'permessage-deflate; client_max_window_bits'],
    [OFFER, 'permessage-deflate, x'],
    [OFFER, 'x'],
    ['permessage-deflate', 'permessage-deflate; client_max_window_bits=12'],
    ['permessage-deflate; server_no_context_takeover', 'permessage-deflate'],
    ['permessage-deflate; server_max_window_bits=10', 'permessage-deflate; server_max_window_bits=11'],
  ] as const) {
    test(`${offer} is not answered with ${answer}`, options, async (t) => {
      const head = `${UPGRADE}Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: ${answer}\r\n\r\n`
      assert.equal(await problem(await answering(t, head), { offer }), `answered ${offer} with ${answer}`)
    })
  }

  test('what comes with the response is handed on', options, async (t) => {
    const url = await answering(t, `${UPGRADE}Sec-WebSocket-Accept: ACCEPT\r\n\r\nearly`)
    const { stream, early } = await dial(new URL(url), undefined, 5000)
    assert.equal(early.toString(), 'early')
    stream.destroy()
    const echo = await dial(new URL(await echoServer(t)), undefined, 5000)
    echo.stream.destroy()
  })
})
