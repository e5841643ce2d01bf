// What falls together: the end of an attempt and its success, an abort and a pause, what a server sends in one piece.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ClientOptions, type ConnectError, type Connection, connect, WebSocket } from '../../src/client.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { tcpServer } from '../load/peers.js'
import { serving } from '../support/serving.js'

const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'

/** A server that answers every request with these bytes, in which ACCEPT stands for the right 101. */
function answering(t: TestContext, before: string, after = Buffer.alloc(0)): Promise<string> {
  return tcpServer(t, (socket) => {
    socket.once('data', (head) => {
      const [, asked = ''] = /sec-websocket-key: (\S+)/i.exec(String(head)) ?? []
      const accepted = `${UPGRADE}Sec-WebSocket-Accept: ${acceptKey(asked)}\r\n\r\n`
      socket.write(Buffer.concat([Buffer.from(before + accepted), after]))
    })
  })
}

async function failure(opening: Promise<Connection>): Promise<ConnectError> {
  const opened = await opening.catch((error: unknown) => error)
  assert.ok(opened instanceof Error, 'it should not have opened')
  return opened as ConnectError
}

/** A proxy that answers CONNECT with these bytes, or says nothing, and how many of its clients have left. */
async function proxy(t: TestContext, answer?: string): Promise<{ url: string; left: Promise<unknown> }> {
  const server = createServer()
  const left = once(server, 'connection').then(async ([socket]: Socket[]) => {
    socket?.on('error', () => undefined)
    socket?.once('data', () => answer !== undefined && socket.write(answer))
    if (socket !== undefined) await once(socket, 'close')
  })
  left.catch(() => undefined)
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, left }
}

test('an attempt that is aborted by `upgrade` opens nothing, and leaves nothing open', async (t) => {
  const server = await serving(t, {})
  const stop = new AbortController()
  const told: string[] = []
  const opening = connect(`ws://127.0.0.1:${server.address?.port}`, {
    signal: stop.signal,
    upgrade: () => stop.abort(new Error('enough')),
    open: () => void told.push('open'),
    close: () => void told.push('close'),
  })
  assert.equal((await failure(opening)).message, 'enough')
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.deepEqual(told, [])
  assert.equal(server.connections.size, 0)
})

test('an abort by the `open` handler comes too late: the connection is open', async (t) => {
  const server = await serving(t, { message: (connection, message) => void connection.send(message) })
  const stop = new AbortController()
  const client = await connect(`ws://127.0.0.1:${server.address?.port}`, {
    signal: stop.signal,
    open: () => stop.abort(),
  })
  t.after(() => client.terminate())
  client.send('hello')
  for await (const message of client.messages()) {
    assert.equal(message.text(), 'hello')
    client.terminate() // ends the messages, too
  }
})

test('a 101 behind too many interim responses, in one segment with them, opens nothing', async (t) => {
  const url = await answering(t, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20), Buffer.from([0x81, 0x01, 0x61]))
  const told: string[] = []
  const opening = connect(url, { open: () => void told.push('open'), message: () => void told.push('message') })
  assert.equal((await failure(opening)).code, 'ERR_CONNECT_ANSWER')
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.deepEqual(told, [])
})

test('a 101 that upgrades to nothing is refused at once', async (t) => {
  const url = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  })
  const begun = performance.now()
  assert.equal((await failure(connect(url, { handshakeTimeout: 5000 }))).code, 'ERR_CONNECT_REFUSED')
  assert.ok(performance.now() - begun < 4000)
})

test('nothing is left open to a proxy that does not answer, when the attempt is aborted or its time is over', async (t) => {
  for (const how of ['abort', 'time']) {
    const { url, left } = await proxy(t)
    const signal = how === 'abort' ? AbortSignal.timeout(100) : undefined
    const opening = connect('ws://127.0.0.1:9/', { proxy: url, handshakeTimeout: 200, ...(signal && { signal }) })
    await failure(opening)
    const late = new Promise((resolve) => setTimeout(resolve, 2000, 'open still').unref())
    assert.equal(await Promise.race([left.then(() => 'left'), late]), 'left', how)
  }
})

test('a redirect that a proxy answers with is not followed', async (t) => {
  const server = await serving(t, {})
  const there = `Location: http://127.0.0.1:${server.address?.port}/\r\n`
  const { url } = await proxy(t, `HTTP/1.1 302 Found\r\n${there}Content-Length: 0\r\n\r\n`)
  const error = await failure(connect('ws://127.0.0.1:9/', { proxy: url, followRedirects: 3 }))
  assert.equal(error.code, 'ERR_CONNECT_UNREACHABLE')
  assert.match(error.message, /proxy/)
  assert.equal(error.response?.status, 302)
})

test('a lasting connection whose signal is aborted amid a pause ends then, not when the pause is over', async (t) => {
  const server = await serving(t, {})
  const stop = new AbortController()
  const closed = new Promise<number>((resolve) => {
    connect(`ws://127.0.0.1:${server.address?.port}`, {
      signal: stop.signal,
      reconnect: { delay: 20_000, maxDelay: 20_000 },
      reconnecting: () => void setImmediate(() => stop.abort()),
      close: (_, code) => resolve(code),
    }).then(() => {
      for (const connection of server.connections) connection.terminate()
    }, assert.fail)
  })
  const late = new Promise((resolve) => setTimeout(resolve, 3000, 'late').unref())
  assert.equal(await Promise.race([closed, late]), 1006)
})

test('what was kept and finds no place is not counted as sent', async (t) => {
  const server = await serving(t, {})
  const kept = new Promise<unknown>((resolve) => {
    connect(`ws://127.0.0.1:${server.address?.port}`, {
      outputPolicy: 'drop',
      outputLimit: 64 * 1024,
      reconnect: { delay: 10, buffer: 64 * 1024 * 1024 },
      reconnecting(connection) {
        for (let count = 0; count < 200; count++) connection.send(Buffer.alloc(100_000))
      },
      reconnected: (connection, told) => {
        resolve(told)
        connection.terminate()
      },
    }).then(() => {
      for (const connection of server.connections) connection.terminate()
    }, assert.fail)
  })
  const { sent, dropped } = (await kept) as { sent: number; dropped: number }
  assert.equal(sent + dropped, 200)
  assert.ok(dropped > 0, `${sent} sent`)
})

test('a thousand attempts with one signal leave no listener behind, and no warning', async (t) => {
  const warnings: Error[] = []
  const listen = (warning: Error): void => void warnings.push(warning)
  process.on('warning', listen)
  t.after(() => process.off('warning', listen))
  const { signal } = new AbortController()
  let listening = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...given: Parameters<typeof add>): void => {
    listening++
    add(...given)
  }
  signal.removeEventListener = (...given: Parameters<typeof remove>): void => {
    listening--
    remove(...given)
  }
  const attempts = Array.from({ length: 1000 }, () => failure(connect('ws://127.0.0.1:1/', { signal })))
  for (const error of await Promise.all(attempts)) assert.equal(error.code, 'ERR_CONNECT_UNREACHABLE')
  assert.equal(listening, 0)
  assert.deepEqual(warnings, [])
})

for (const publicApi of [false, true]) {
  test(`a message behind the 101 waits for a listener of the next turn, publicApi ${publicApi}`, async (t) => {
    const url = await answering(t, '', Buffer.from([0x81, 2, 0x68, 0x69]))
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    await new Promise((resolve) => setImmediate(resolve))
    const event = await new Promise<MessageEvent>((resolve) => {
      socket.onmessage = resolve
    })
    assert.equal(event.data, 'hi')
    const options: ClientOptions = { publicApi }
    const client = await connect(url, options)
    t.after(() => client.terminate())
    await new Promise((resolve) => setImmediate(resolve))
    for await (const message of client.messages()) {
      assert.equal(message.text(), 'hi')
      client.terminate()
    }
  })
}

test('headers and cookies that are a Map or the Headers of fetch are a TypeError, not nothing', async () => {
  for (const options of [{ headers: new Headers({ a: 'b' }) }, { headers: new Map() }, { cookies: new Map() }])
    await assert.rejects(connect('ws://127.0.0.1:1/', options as object), /Object\.fromEntries\((headers|cookies)\)/)
})

test('the end of a message in fragments is not sent where its beginning was not', async (t) => {
  const got: string[] = []
  const server = await serving(t, { message: (_, message) => void got.push(message.text()) })
  const again = new Promise<void>((resolve) => {
    connect(`ws://127.0.0.1:${server.address?.port}`, {
      reconnect: { delay: 10 },
      open(connection) {
        connection.sendFragment('beginning', false)
        setTimeout(() => {
          for (const one of server.connections) one.terminate()
        }, 20)
      },
      reconnected(connection) {
        assert.equal(connection.sendFragment('middle', false), 'closed')
        assert.equal(connection.sendFragment('end', true), 'closed')
        assert.notEqual(connection.sendFragment('whole', true), 'closed')
        setTimeout(() => {
          connection.terminate()
          resolve()
        }, 50)
      },
    }).catch(assert.fail)
  })
  await again
  assert.deepEqual(got, ['whole'])
})
