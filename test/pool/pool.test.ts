// Large messages go to the application's module in a pool of threads. Whatever that module does, throws, loops or
// exits, ends its own connection at most; the order of a connection holds; and no memory stays behind.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { createServer, type ServerOptions } from '../../src/index.js'
import { WsClient } from '../clients/wsClient.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { eachTest, serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'
import { PADDING } from './largeModule.js'

const module = new URL('./largeModule.js', import.meta.url)
const errors: string[] = []

const each = eachTest()

afterEach(() => {
  errors.length = 0
})

async function connected(options: Partial<ServerOptions> = {}, large = {}): Promise<{ open(): Promise<WsClient> }> {
  const server = await serving(each, {
    message: (connection, message) => connection.send(message),
    error: (_, error) => void errors.push(error instanceof Error ? error.message : String(error)),
    ...options,
    large: { module, threads: 2, ...large },
  })
  return { open: () => WsClient.open(`ws://127.0.0.1:${server.address?.port}`) }
}

for (const publicApi of [false, true]) {
  describe(publicApi ? 'on the public transport' : 'on the handle', () => {
    test('replies of every kind', async () => {
      const client = await (await connected({ publicApi })).open()
      client.socket.send(`say hello${PADDING}`)
      assert.equal(await client.messages.next(), 'say hello 70009')
      const bytes = Buffer.alloc(200_000, 7)
      client.socket.send(bytes)
      assert.deepEqual(await client.messages.next(), bytes)
      client.socket.send(`hash ${PADDING}`)
      assert.deepEqual(await client.messages.next(), createHash('sha256').update(`hash ${PADDING}`).digest())
      client.socket.send(`nothing ${PADDING}`)
      client.socket.send('small')
      assert.equal(await client.messages.next(), 'small')
    })

    test('a thousand messages of random sizes on 20 connections come back as they were', async () => {
      const place = await connected({ publicApi })
      const random = new Random(seed)
      const before = heapOfThread().used
      const clients = await Promise.all(Array.from({ length: 20 }, () => place.open()))
      await Promise.all(
        clients.map(async (client) => {
          const sent = Array.from({ length: 50 }, () =>
            Buffer.alloc(random.pick([20, 1000, 65_535, 65_536, random.between(70_000, 400_000)]), random.below(256)),
          )
          for (const payload of sent) client.socket.send(payload)
          for (const payload of sent) assert.deepEqual(await client.messages.next(), payload)
          await client.close()
        }),
      )
      await eventually(() => heapOfThread().used <= before, 'every region is free')
    })
  })
}

test('a small message after a large one waits for it, and other connections go on', async () => {
  const place = await connected()
  const [first, second] = [await place.open(), await place.open()]
  first.socket.send(`wait 300${PADDING}`)
  first.socket.send('behind')
  second.socket.send('beside')
  assert.equal(await second.messages.next(), 'beside')
  assert.equal(await first.messages.next(), 'wait 300 70008')
  assert.equal(await first.messages.next(), 'behind')
})

test('also when an earlier handler is done meanwhile', async () => {
  const place = await connected({
    async message(connection, message) {
      const text = message.text()
      if (text === 'slow') await delay(100)
      connection.send(text)
    },
  })
  const client = await place.open()
  client.socket.send('slow')
  client.socket.send(`wait 400${PADDING}`)
  client.socket.send('behind')
  assert.equal(await client.messages.next(), 'slow')
  assert.equal(await client.messages.next(), 'wait 400 70008')
  assert.equal(await client.messages.next(), 'behind')
})

test('unless it need not, by option', async () => {
  const client = await (await connected({}, { ordered: false })).open()
  client.socket.send(`wait 1500${PADDING}`)
  client.socket.send('behind')
  assert.equal(await client.messages.next(), 'behind')
  assert.equal(await client.messages.next(), 'wait 1500 70009')
})

/** Milliseconds that a thread loops for: all of a processor. */
const LOOP = effort({ quick: 1000, full: 3000 })

const deaths: readonly (readonly [command: string, error: RegExp])[] = [
  ['throw', /^as asked$/],
  ['loop', new RegExp(`longer than large\\.timeout, ${LOOP} ms`)],
  ['exit', /exited with code: 5/],
  ['number', /cannot send number/],
]
for (const [command, error] of deaths) {
  test(`a module that does this ends its connection with 1011, and nothing else: ${command}`, async () => {
    const before = heapOfThread().used
    const place = await connected({}, { timeout: command === 'loop' ? LOOP : 3000 })
    const [other, client] = [await place.open(), await place.open()]
    client.socket.send(`${command} ${PADDING}`)
    assert.equal((await client.ended).code, 1011)
    assert.match(errors[0] ?? '', error)
    other.socket.send(`say on${PADDING}`)
    assert.equal(await other.messages.next(), 'say on 70006')
    await other.close()
    await eventually(() => heapOfThread().used <= before, 'every region is free')
  })
}

test('a message that is no JSON, where a module lets the error through, is the peer’s fault: 1007', async () => {
  const client = await (await connected()).open()
  client.socket.send(`parse ${PADDING}`)
  const { code, reason } = await client.ended
  assert.equal(code, 1007)
  assert.equal(reason.toString(), 'text is not JSON')
  assert.deepEqual(errors, ['text is not JSON'])
})

test('a module that throws the error of another message makes a mistake of its own: 1011', async () => {
  const place = await connected({}, { threads: 1 })
  const [sender, other] = [await place.open(), await place.open()]
  sender.socket.send(`catch ${PADDING}`)
  assert.equal(await sender.messages.next(), 'catch  70006')
  other.socket.send(`caught ${PADDING}`)
  assert.equal((await other.ended).code, 1011)
  assert.match(errors[0] ?? '', /JSON/)
  assert.notEqual(errors[0], 'text is not JSON')
})

test('a connection that ends while its message is with the pool leaves nothing behind', async () => {
  const before = heapOfThread().used
  const client = await (await connected()).open()
  client.socket.send(`wait 300${PADDING}`)
  await delay(100)
  client.socket.terminate()
  await eventually(() => heapOfThread().used <= before, 'every region is free')
  assert.deepEqual(errors, [])
})

test('a message that is kept throws after its function has returned', async () => {
  const client = await (await connected({}, { threads: 1 })).open()
  client.socket.send(`keep ${PADDING}`)
  client.socket.send(`kept ${PADDING}`)
  await client.messages.next()
  assert.match(String(await client.messages.next()), /the message is gone/)
})

test('the module is told what the option makes of the connection', async () => {
  const client = await (await connected({}, { context: () => ({ user: 'anna' }) })).open()
  client.socket.send(`context ${PADDING}`)
  assert.equal(await client.messages.next(), '{"user":"anna"}')
})

test('largeResult gets what the module returns', async () => {
  const results: unknown[] = []
  const client = await (await connected({ largeResult: (_, result) => void results.push(result) })).open()
  client.socket.send(`number ${PADDING}`)
  await eventually(() => results.length === 1, 'a result')
  assert.deepEqual(results, [42])
})

test('a module that can not be loaded is told at once', async () => {
  assert.throws(() => createServer({ large: { module: '/nowhere/module.js' } }), /large\.module does not exist/)
  assert.throws(() => createServer({ large: { module, threshold: 100 } }), /large\.threshold must be a whole number/)
  const server = createServer({ large: { module: new URL('../support/random.js', import.meta.url) } })
  await assert.rejects(server.listen({ host: '127.0.0.1' }), /no function as its default export/)
  await server.close()
})
