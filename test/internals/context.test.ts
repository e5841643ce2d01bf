// Reads arrive outside of every AsyncLocalStorage. That is observed, and documented by these tests: a handler runs
// without a context. What it must never do is to run in the context of another connection, or of whoever happened to
// start a timer: there, the identity of one user would be used for another.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, test } from 'node:test'
import type { Server, ServerOptions } from '../../src/index.js'
import { BINARY, close, header, masked, TEXT } from '../support/frames.js'
import { requestOf, upgradeRequest } from '../support/httpRequests.js'
import { eachTest, serving } from '../support/serving.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const storage = new AsyncLocalStorage<string>()
const clients: SocketClient[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy()))
})
const each = eachTest()

/** A server that notes in which context its handlers run: `open: undefined`. */
async function listening(options: ServerOptions = {}): Promise<{ server: Server; seen: string[]; port: number }> {
  const seen: string[] = []
  const note = (name: string): void => void seen.push(`${name}: ${storage.getStore()}`)
  const server = await serving(each, {
    ...options,
    open(connection) {
      note('open')
      return options.open?.(connection)
    },
    message(connection, message) {
      note('message')
      return options.message?.(connection, message)
    },
    close(connection, code, reason) {
      note('close')
      return options.close?.(connection, code, reason)
    },
    error(connection, error) {
      note('error')
      return options.error?.(connection, error)
    },
  })
  return { server, seen, port: server.address?.port ?? 0 }
}

async function connected(port: number, pieces = false): Promise<SocketClient> {
  const client = await SocketClient.open(port)
  clients.push(client)
  const text = upgradeRequest()
  await client.writePieces((pieces ? [text.slice(0, 9), text.slice(9)] : [text]).map((piece) => Buffer.from(piece)))
  await client.response()
  return client
}

describe('without a context, in either lane', () => {
  for (const pieces of [false, true]) {
    test(`every handler, ${pieces ? 'second' : 'first'} lane, although everything began in one`, async () => {
      const { seen, port } = await storage.run('the listener', () => listening())
      const client = await storage.run('the client', () => connected(port, pieces))
      client.write(masked(TEXT, 'x'))
      client.write(masked(3, 'reserved'))
      await eventually(() => seen.length === 3, 'three handlers')
      client.socket.end()
      await eventually(() => seen.length === 4, 'the last handler')
      assert.deepEqual(seen, ['open: undefined', 'message: undefined', 'error: undefined', 'close: undefined'])
    })
  }

  test('a connection whose socket served plain requests in contexts before', async () => {
    const { seen, port } = await listening({
      request: (_, response) => storage.run('the request', () => setTimeout(() => response.end('x'), 5)),
    })
    const client = await SocketClient.open(port)
    clients.push(client)
    client.write(requestOf(['Host: x']))
    await client.response()
    client.write(upgradeRequest())
    await client.until(() => client.text.includes('HTTP/1.1 101 '), 'the upgrade')
    client.write(masked(TEXT, 'x'))
    await eventually(() => seen.length === 2, 'the handlers')
    assert.deepEqual(seen, ['open: undefined', 'message: undefined'])
  })
})

describe("never in another's context", () => {
  test('a read, while another connection has work in its own', async () => {
    let other = 'first'
    const { seen, port } = await listening({
      message: (connection, message) =>
        storage.run(other, async () => {
          await delay(5)
          connection.send(message)
        }),
    })
    const [first, second] = [await connected(port), await connected(port)]
    seen.length = 0
    for (let count = 0; count < 20; count++) {
      other = `work ${count}`
      first.write(masked(TEXT, 'a'))
      second.write(masked(TEXT, 'b'))
      await delay(3)
    }
    await eventually(() => seen.length === 40, 'all messages')
    assert.deepEqual(new Set(seen), new Set(['message: undefined']))
  })

  test('a message that waited for the promise of the one before', async () => {
    const { seen, port } = await listening({
      pendingHandlers: 1,
      message: () => storage.run('the message before', () => delay(5)),
    })
    const client = await connected(port)
    client.write(Buffer.concat(Array.from({ length: 5 }, () => masked(TEXT, 'x'))))
    await eventually(() => seen.length === 6, 'all messages')
    assert.deepEqual(new Set(seen.slice(1)), new Set(['message: undefined']))
  })

  test('messages that waited until their sender had read what it was sent', async () => {
    let first = true
    const { seen, port } = await listening({
      outputLimit: 1000,
      message: (connection) => {
        if (!first) return
        first = false
        storage.run('whoever sent', () => {
          for (let sent = 0; sent < 300 && connection.bufferedAmount < 100_000; sent++)
            connection.send(Buffer.alloc(100_000))
        })
      },
    })
    const client = await connected(port)
    client.socket.pause()
    client.write(Buffer.concat(Array.from({ length: 4 }, () => masked(TEXT, 'x'))))
    await delay(100)
    // The other three have been read, and wait.
    assert.deepEqual(seen, ['open: undefined', 'message: undefined'])
    client.socket.resume()
    await eventually(() => seen.length === 5, 'all messages')
    assert.deepEqual(new Set(seen.slice(1)), new Set(['message: undefined']))
  })

  test("a stalled payload's error, although another's handler started the timer", async () => {
    const { seen, port } = await listening({
      payloadTimeout: 150,
      closeTimeout: 2000,
      // The first thing that needs the coarse timer happens in this context.
      message: (connection) => storage.run('the first connection', () => connection.close()),
    })
    const first = await connected(port)
    const second = await connected(port)
    await delay(250)
    first.write(masked(TEXT, 'close me'))
    await delay(20)
    seen.length = 0
    const payload = Buffer.alloc(200_000)
    second.write(
      Buffer.concat([header(0x80 | BINARY, 0x80, payload.length), Buffer.alloc(4), payload.subarray(0, 1000)]),
    )
    await eventually(() => seen.some((line) => line.startsWith('error')), 'the stall')
    assert.deepEqual(
      seen.filter((line) => line.startsWith('error')),
      ['error: undefined'],
    )
  })

  test('the close handler of a connection that is terminated, or closed by another', async () => {
    const { server, seen, port } = await listening()
    await connected(port)
    const second = await connected(port)
    seen.length = 0
    const [one, two] = server.connections
    storage.run('whoever terminates', () => one?.terminate())
    storage.run('whoever closes', () => two?.close())
    second.write(close(1000))
    second.socket.end()
    await eventually(() => seen.length === 2, 'both have ended')
    assert.deepEqual(seen, ['close: undefined', 'close: undefined'])
  })
})

describe('where there is no open handler, messages run in', () => {
  /** What the messages of three connections see, one after the other. */
  async function seenWith(options: ServerOptions): Promise<string[]> {
    const seen: string[] = []
    const message: ServerOptions['message'] = () => void seen.push(String(storage.getStore()))
    const server = await storage.run('the listener', () => serving(each, { ...options, message }))
    for (let count = 1; count <= 3; count++) {
      const client = await connected(server.address?.port ?? 0)
      client.write(masked(TEXT, 'x'))
      await eventually(() => seen.length === count, 'the message')
    }
    return seen
  }

  test('no context, where nobody has entered one', async () => {
    assert.deepEqual(await seenWith({}), ['undefined', 'undefined', 'undefined'])
  })

  test('what upgrade has entered', async () => {
    let count = 0
    const seen = await seenWith({ upgrade: () => storage.enterWith(`upgrade ${++count}`) })
    assert.deepEqual(seen, ['upgrade 1', 'upgrade 2', 'upgrade 3'])
  })

  test('what a subscriber of the channel has entered', async () => {
    const enter = (): void => storage.enterWith('the subscriber')
    subscribe('millrace:connection:open', enter)
    try {
      assert.deepEqual(await seenWith({}), ['the subscriber', 'the subscriber', 'the subscriber'])
    } finally {
      unsubscribe('millrace:connection:open', enter)
    }
  })
})

test('what is put off runs outside of every context, also where a handler of somebody loaded the module', async () => {
  // With a query it is loaded once more, as it is when an application loads the server on first use.
  const url = new URL('../../src/internals/context.js?again', import.meta.url).href
  const load = (): Promise<typeof import('../../src/internals/context.js')> => import(url)
  const { runOutside } = await storage.run('the loader', load)
  const seen: (string | undefined)[] = []
  runOutside(() => seen.push(storage.getStore()))
  storage.run('whoever puts it off', () => runOutside(() => seen.push(storage.getStore())))
  assert.deepEqual(seen, [undefined, undefined])
})
