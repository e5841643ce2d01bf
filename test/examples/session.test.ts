// Express middleware decides who may connect. The same application runs on handleUpgrade alone, without any framework: what
// the adapters are made of.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Acceptance, type Connection, createServer, type Rejection } from '../../src/index.js'
import { WsClient } from '../clients/wsClient.js'
import { delay } from '../support/socketClient.js'
import { type Application, checkAdapter, FLOOD, queues, refused, THOUGHT } from './adapterChecks.js'
import { Program, ROOT } from './program.js'

/** Why Express's example can't run here; in CI it always runs, and fails without. */
const expressMissing =
  process.env['CI'] === 'true' || existsSync(join(ROOT, 'node_modules/express')) ? false : 'Express is not installed'

const answers: Record<string, (cookie: string) => Promise<Acceptance<unknown> | Rejection>> = {
  '/echo': async () => ({}),
  '/slow': () => delay(THOUGHT).then(() => ({})),
  '/refused': async () => ({ status: 402, headers: { 'X-Why': 'price' }, body: 'pay first' }),
  '/cookies': async (cookie) => ({ data: cookie, headers: { 'Set-Cookie': ['a=1', 'b=2'] } }),
  '/protocol': async () => ({ protocol: 'chat' }),
  '/failing': async () => Promise.reject(new Error('no database')),
}

async function start(): Promise<Application> {
  const { closed, errors } = queues()
  const flooded = new WeakSet<Connection>()
  const server = createServer<unknown>({
    closeTimeout: 500,
    open: (connection) => typeof connection.data === 'string' && connection.send(connection.data),
    message(connection, message) {
      const text = message.text()
      if (text === 'close') return connection.close(4001, 'bye')
      if (text === 'throw') throw new Error('on purpose')
      if (text !== 'flood') return connection.send(message)
      for (let sent = 0; sent < FLOOD; sent += 65_536) connection.send(Buffer.alloc(65_536))
      flooded.add(connection)
    },
    drain: (connection) => flooded.delete(connection) && connection.send('drained'),
    close: (_, code, reason) => closed.push({ code, reason }),
    error: (_, error) => errors.push(error),
  })
  const http = createHttpServer((_, response) => response.end('a page'))
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const decided = answers[request.url ?? '']?.(request.headers.cookie ?? '') ?? Promise.resolve({ status: 404 })
    decided.catch(() => ({ status: 500 })).then((answer) => server.handleUpgrade(request, socket, head, answer))
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const { port } = http.address() as AddressInfo
  const end = async (): Promise<void> => {
    http.close()
    await server.close()
  }
  return { port, closed, errors, connections: () => server.connections.size, end }
}

describe('handleUpgrade with the answer of a framework', () => checkAdapter(start))

describe('session.mjs', { skip: expressMissing }, () => {
  let program: Program
  before(async () => {
    program = await Program.start(['examples/session.mjs'])
  })
  after(() => program.kill())

  test('knows by the cookie who has logged in, for pages and for sockets', async () => {
    const url = `127.0.0.1:${program.port}`
    assert.equal((await refused(`ws://${url}`)).statusCode, 401)
    assert.equal((await refused(`ws://${url}`, { headers: { cookie: 'session=made-up' } })).statusCode, 401)
    const response = await fetch(`http://${url}/login?user=anna`, { method: 'POST' })
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    assert.equal(await (await fetch(`http://${url}/`, { headers: { cookie } })).text(), 'hello anna')
    const client = await WsClient.open(`ws://${url}`, { headers: { cookie } })
    assert.equal(await client.messages.next(), 'hello anna')
    client.socket.send('here')
    assert.equal(await client.messages.next(), 'anna: here')
    const elsewhere = { headers: { cookie }, origin: 'http://evil.example' }
    assert.equal((await refused(`ws://${url}`, elsewhere)).statusCode, 403)
    program.interrupt()
    assert.equal((await client.ended).code, 1001)
    assert.equal(await program.lives(10_000), false)
  })
})
