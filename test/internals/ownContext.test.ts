// A connection's own AsyncLocalStorage: what holds when its opening handshake ends, and what the `open` handler enters,
// is there in every handler of that connection, however late and through whatever it comes, and in nobody else's.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { afterEach, describe, test } from 'node:test'
import { createServer, type ServerOptions } from '../../src/index.js'
import { currentContext, runOutside, runScoped } from '../../src/internals/context.js'
import { connections } from '../support/connections.js'
import { masked, PING, PONG, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { serving } from '../support/serving.js'
import { settle } from '../support/settle.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const storage = new AsyncLocalStorage<string>()
const another = new AsyncLocalStorage<number>()
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Handlers that note where they run, by connection. */
function noting(options: ServerOptions = {}): { options: ServerOptions; seen: string[] } {
  const seen: string[] = []
  const note = (name: string): void => void seen.push(`${name}: ${storage.getStore()}`)
  return {
    seen,
    options: {
      ...options,
      open(connection) {
        note('open')
        return options.open?.(connection)
      },
      message(connection, message) {
        note(`message ${message.text()}`)
        return options.message?.(connection, message)
      },
      drain: () => note('drain'),
      ping: () => note('ping'),
      pong: () => note('pong'),
      close: () => note('close'),
      error: () => note('error'),
    },
  }
}

const ending = { after: (end: () => unknown) => cleanups.push(end) }

async function connected(port: number | undefined, path = '/'): Promise<SocketClient> {
  const client = await SocketClient.open(port ?? 0)
  cleanups.push(() => client.destroy())
  client.write(upgradeRequest({}, `GET ${path} HTTP/1.1`))
  await client.response()
  return client
}

let opened = 0

for (const publicApi of [false, true]) {
  describe(publicApi ? 'with the public API' : 'with the private API', () => {
    test('what open enters is there in every handler, and stays with its connection', async () => {
      const { options, seen } = noting({ publicApi, open: () => storage.enterWith(`connection ${opened++}`) })
      opened = 0
      const server = await serving(ending, options)
      const clients = [await connected(server.address?.port), await connected(server.address?.port)]
      assert.deepEqual(seen.splice(0), ['open: undefined', 'open: undefined'], 'the second knows nothing of the first')
      assert.equal(storage.getStore(), undefined)
      for (let round = 0; round < 3; round++) for (const client of clients) client.write(masked(TEXT, 'x'))
      await eventually(() => seen.length === 6, 'all messages')
      assert.equal(seen.filter((line) => line === 'message x: connection 0').length, 3)
      assert.equal(seen.splice(0).filter((line) => line === 'message x: connection 1').length, 3)
      for (const opcode of [PING, PONG]) clients[1]?.write(masked(opcode, 'x'))
      await eventually(() => seen.length === 2, 'ping and pong')
      clients[1]?.write(masked(3, 'reserved'))
      await eventually(() => seen.length === 3, 'the error')
      clients[1]?.socket.end()
      await eventually(() => seen.length === 4, 'the end')
      assert.deepEqual(seen.splice(0).join(), 'ping,pong,error,close'.replaceAll(/\w+/g, '$&: connection 1'))
      clients[0]?.socket.resetAndDestroy()
      await eventually(() => seen.length === 1, 'the end')
      assert.deepEqual(seen, ['close: connection 0'])
    })

    test('handleUpgrade inside of a context: the handlers run in that, each connection in its own', async () => {
      const { options, seen } = noting({ publicApi })
      const server = createServer(options)
      const http = createHttpServer()
      http.on('upgrade', (request, socket, head) => {
        storage.run(request.url ?? '', () => server.handleUpgrade(request, socket, head))
      })
      await once(http.listen(0, '127.0.0.1'), 'listening')
      cleanups.push(() => http.close())
      cleanups.push(() => server.close())
      const address = http.address()
      const port = typeof address === 'object' ? address?.port : 0
      const first = await connected(port, '/first')
      const second = await connected(port, '/second')
      first.write(masked(TEXT, '1'))
      second.write(masked(TEXT, '2'))
      await eventually(() => seen.length === 4, 'the messages')
      first.socket.end()
      await eventually(() => seen.length === 5, 'the end')
      assert.deepEqual(seen.sort(), [
        'close: /first',
        'message 1: /first',
        'message 2: /second',
        'open: /first',
        'open: /second',
      ])
    })

    test('handleUpgrade with an asynchronous upgrade keeps the context of its caller', async () => {
      const { options, seen } = noting({
        publicApi,
        upgrade: async () => {
          await delay(5)
          return undefined
        },
      })
      const server = createServer(options)
      const http = createHttpServer()
      http.on('upgrade', (request, socket, head) =>
        storage.run('the caller', () => server.handleUpgrade(request, socket, head)),
      )
      await once(http.listen(0, '127.0.0.1'), 'listening')
      cleanups.push(() => http.close())
      cleanups.push(() => server.close())
      const address = http.address()
      const client = await connected(typeof address === 'object' ? address?.port : 0)
      client.write(masked(TEXT, 'x'))
      await eventually(() => seen.length === 2, 'the message')
      assert.deepEqual(seen, ['open: the caller', 'message x: the caller'])
    })
  })
}

describe('however late', () => {
  test('parked messages, drain, and an end by the timer, with other connections’ work between', async () => {
    const seen: string[] = []
    const note = (name: string): void => void seen.push(`${name}: ${storage.getStore()}`)
    let count = 0
    const place = connections({
      open: () => storage.enterWith(`connection ${count++}`),
      async message(_, message) {
        note(message.text())
        await settle()
        note(`${message.text()} after await`)
      },
      drain: () => note('drain'),
      error: () => note('error'),
      close: () => note('close'),
      pendingHandlers: 1,
      pauseTimeout: 200,
    })
    const { peer, wire } = place.connect()
    const other = place.connect()
    wire.feed(Buffer.concat([masked(TEXT, '1'), masked(TEXT, '2')]))
    other.wire.feed(masked(TEXT, '3'))
    for (let turn = 0; turn < 10; turn++) await settle()
    wire.stuck = true
    storage.run('whoever sends', () => peer.send('x'))
    await settle()
    storage.run('whoever sends', () => peer.send('x'))
    wire.stuck = false
    storage.run('whoever finishes the write', () => wire.finish())
    storage.run('whoever pauses', () => peer.pause())
    await eventually(() => seen.some((line) => line.startsWith('error')), 'the timeout')
    storage.run('whoever ends', () => wire.feedEnd())
    await settle()
    assert.deepEqual(
      seen.filter((line) => !line.startsWith('3')),
      ['1', '1 after await', '2', '2 after await', 'drain', 'error', 'close'].map((name) => `${name}: connection 0`),
    )
    const others = seen.filter((line) => line.startsWith('3'))
    assert.deepEqual(others, ['3: connection 1', '3 after await: connection 1'])
  })

  test('what a message handler enters is not there in the next', () => {
    const seen: (string | undefined)[] = []
    const place = connections({
      open: () => storage.enterWith('open'),
      message() {
        seen.push(storage.getStore())
        storage.enterWith('message')
      },
    })
    const { wire } = place.connect()
    for (let n = 0; n < 3; n++) runScoped(() => wire.feed(Buffer.concat([masked(TEXT, 'x'), masked(TEXT, 'y')])))
    assert.deepEqual(new Set(seen), new Set(['open']))
    assert.equal(storage.getStore(), undefined)
  })

  test('what a handler enters that has no context is not there in another connection’s, parked or ended by a timer', async () => {
    const seen: string[] = []
    const note = (name: string): void => {
      seen.push(`${name}: ${storage.getStore()}`)
      storage.enterWith(`whoever had the ${name}`)
    }
    await new Promise<void>((resolve) => {
      runOutside(async () => {
        const place = connections({
          message: (_, message) => note(message.text()),
          drain: () => note('drain'),
          error: () => note('error'),
          pauseTimeout: 200,
        })
        const all = Array.from({ length: 3 }, () => runScoped(() => place.connect()))
        for (const { peer, wire } of all) {
          runScoped(() => {
            peer.pause()
            wire.resume()
            wire.feed(masked(TEXT, 'parked'))
            peer.resume()
          })
        }
        await settle()
        for (const { peer } of all) runScoped(() => peer.pause())
        await eventually(() => seen.filter((line) => line.startsWith('error')).length === 3, 'three timeouts')
        resolve()
      })
    })
    assert.deepEqual(seen.sort(), [...Array(3).fill('error: undefined'), ...Array(3).fill('parked: undefined')])
  })

  test('a store that is an empty Map is a context', () => {
    const [maps, store] = [new AsyncLocalStorage<Map<string, string>>(), new Map<string, string>()]
    const seen: unknown[] = []
    const { wire } = maps.run(store, () => connections({ message: () => void seen.push(maps.getStore()) }).connect())
    runOutside(() => wire.feed(masked(TEXT, 'x')))
    assert.equal(seen[0], store)
  })

  test('several storages; one that is entered without a value, and errors of open, in the context', () => {
    const seen: unknown[] = []
    const place = connections({
      open() {
        another.enterWith(7)
        if (seen.length > 0) throw new Error('bang')
      },
      message: () => void seen.push([storage.getStore(), another.getStore()]),
      error: () => void seen.push(['error', storage.getStore(), another.getStore()]),
    })
    const { wire } = storage.run('the handshake', () => place.connect())
    wire.feed(masked(TEXT, 'x'))
    assert.deepEqual(seen, [['the handshake', 7]])
    storage.run('another handshake', () => place.connect())
    assert.deepEqual(seen[1], ['error', 'another handshake', 7])
    assert.equal(another.getStore(), undefined)
  })
})

for (const publicApi of [false, true]) {
  test(`drain and its sends are not whoever's who blocked the connection, ${publicApi ? 'public' : 'private'} API`, async () => {
    const seen: unknown[] = []
    const server = await serving(ending, {
      publicApi,
      message(connection) {
        for (const other of server.connections) {
          if (other === connection) continue
          storage.run('the sender', () => {
            for (let n = 0; n < 300 && other.bufferedAmount === 0; n++) other.send(Buffer.alloc(2_000_000))
            other.send('buffered')
          })
        }
      },
      drain: () => void seen.push(storage.getStore()),
    })
    const slow = await connected(server.address?.port)
    slow.socket.pause()
    const sender = await connected(server.address?.port)
    sender.write(masked(TEXT, 'x'))
    await delay(100)
    slow.socket.resume()
    await eventually(() => seen.length === 1, 'drain')
    assert.deepEqual(seen, [undefined])
  })
}

describe('without any use', () => {
  test('a connection has no context, which costs nothing', () => {
    runOutside(() => {
      assert.equal(currentContext(), undefined)
      for (const handlers of [{}, { open: () => undefined }, { open: async () => settle() }]) {
        assert.equal(connections({ ...handlers }).connect().inside.context, undefined)
      }
    })
  })

  test('a context that was left is none', () => {
    runOutside(() => {
      storage.run('left', () => assert.notEqual(currentContext(), undefined))
      const { inside } = connections({ open: () => storage.run('left', () => undefined) }).connect()
      assert.equal(inside.context, undefined)
    })
  })
})
