// The adapter of crossws: what every adapter must do, and what its options say.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { WsClient } from '../clients/wsClient.js'
import { ecosystemMissing } from '../support/ecosystem.js'
import { delay, eventually } from '../support/socketClient.js'
import { UserProject } from '../support/userProject.js'
import { type Application, checkAdapter, FLOOD, queues, refused, THOUGHT } from './adapterChecks.js'
import { type Hooks, serve } from './crosswsAdapter.js'
import { Program } from './program.js'

let project: UserProject

/** The application of adapterChecks, by hooks. */
async function start(): Promise<Application> {
  const { closed, errors } = queues()
  const hooks: Hooks = {
    async upgrade(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/slow') await delay(THOUGHT)
      if (pathname === '/failing') throw new Error('no database')
      if (pathname === '/protocol') return { protocol: 'chat' }
      if (pathname === '/cookies')
        return {
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
          ],
        }
      if (['/nowhere', '/page'].includes(pathname)) throw new Response('nothing here')
      if (pathname === '/refused') throw new Response('pay first', { status: 402, headers: { 'x-why': 'price' } })
      return undefined
    },
    open(peer) {
      if (new URL(peer.request.url).pathname === '/cookies') peer.send(peer.request.headers.get('cookie'))
    },
    async message(peer, message) {
      if (message.text() === 'close') return peer.close(4001, 'bye')
      if (message.text() === 'throw') throw new Error('on purpose')
      if (message.text() !== 'flood') return peer.send(message.rawData)
      for (let sent = 0; sent < FLOOD; sent += 65_536) peer.send(new Uint8Array(65_536))
      assert.ok(peer.bufferedAmount > 0)
      await peer.waitForDrain({ pollInterval: 5 })
      return peer.send('drained')
    },
    close: (_, { code, reason }) => closed.push({ code, reason }),
    error: (_, error) => errors.push(error),
  }
  const { adapter, port, end } = await serve(project, { hooks })
  return { port, closed, errors, connections: () => adapter.server.connections.size, end }
}

describe('examples/crossws', { skip: ecosystemMissing() }, () => {
  before(() => {
    project = new UserProject('crossws')
  })
  after(() => project.remove())

  describe('the adapter', () => checkAdapter(start, { hasUrl: true }))

  test('hooks that are resolved for each request, and handleProtocols, are asked once for each', async (t) => {
    let asked = 0
    const resolve = async (request: Request): Promise<Hooks> => {
      asked++
      return { message: (peer) => peer.send(new URL(request.url).pathname) }
    }
    const handleProtocols = (protocols: Set<string>): string | false => protocols.has('b') && 'b'
    const { port, end } = await serve(project, { resolve, handleProtocols })
    t.after(end)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/one`, ['a', 'b'])
    await once(socket, 'open')
    assert.equal(socket.protocol, 'b')
    for (let sent = 0; sent < 2; sent++) {
      socket.send('which?')
      assert.equal(String((await once(socket, 'message'))[0]), '/one')
    }
    assert.equal(asked, 1)
    socket.close()
  })

  test('a peer that answers no pings is ended, and one that does is not', async (t) => {
    const closes: number[] = []
    const { port, end } = await serve(project, {
      idleTimeout: 0.2,
      hooks: { close: (_, { code }) => closes.push(code) },
    })
    t.after(end)
    const alive = await WsClient.open(`ws://127.0.0.1:${port}/`)
    const dead = new WebSocket(`ws://127.0.0.1:${port}/`, { autoPong: false })
    await once(dead, 'close')
    await eventually(() => closes.length === 1, 'it is told')
    assert.equal(alive.socket.readyState, WebSocket.OPEN)
    await alive.close()
  })

  test('a hook may take the socket', async (t) => {
    let taken: Promise<unknown> | undefined
    const { adapter, port, end } = await serve(project, { hooks: { upgrade: () => ({ handled: true }) } })
    t.after(end)
    const http = createHttpServer()
    t.after(() => http.close())
    http.on('upgrade', (request, socket, head) => {
      taken = adapter.handleUpgrade(request, socket, head).then(() => socket.end('HTTP/1.1 418 Taken\r\n\r\n'))
    })
    await once(http.listen(0, '127.0.0.1'), 'listening')
    assert.equal((await refused(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)).statusCode, 418)
    await taken
    assert.ok(port > 0)
  })

  test('server.ts tells who comes and goes', async (t) => {
    const program = await Program.start([project.path('crossws/server.js')])
    t.after(() => program.kill())
    const anna = await WsClient.open(`ws://127.0.0.1:${program.port}/lobby`)
    const ben = await WsClient.open(`ws://127.0.0.1:${program.port}/lobby`)
    assert.match(String(await anna.messages.next()), / has come$/)
    ben.socket.send('hello')
    assert.equal(await anna.messages.next(), 'hello')
    await ben.close()
    assert.match(String(await anna.messages.next()), / has gone$/)
    program.interrupt()
    assert.equal((await anna.ended).code, 1001)
    assert.equal(await program.lives(10_000), false)
  })
})
