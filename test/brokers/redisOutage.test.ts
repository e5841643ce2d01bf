// Redis goes away and comes back, under load. Nobody waits, publishing resumes by itself, memory stays bounded, and
// what was lost is counted on both sides, so that the sums are those of what was published.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { redisMissing } from '../support/redis.js'
import { delay, eventually } from '../support/socketClient.js'
import { Machine, reach, redis } from './machine.js'

const options = { timeout: 90_000, skip: redisMissing() }
const MiB = 1024 * 1024
const payload = Buffer.alloc(1000)

/** Publishes `perTurn` times 1000 bytes on 'x' every millisecond or two, until `stop`. */
function load({ broker }: Machine, perTurn: number): { stop(): void } {
  const timer = setInterval(() => {
    for (let count = 0; count < perTurn; count++) broker.publish('x', payload, false)
  }, 1)
  return { stop: () => clearInterval(timer) }
}

/** Publishes until it arrives: then `reader` knows of all that is missing. */
async function last(writer: Machine, reader: Machine): Promise<void> {
  await eventually(() => writer.broker.statistics.connected && reader.broker.statistics.connected, 'both are back')
  for (let attempt = 1; attempt <= 20; attempt++) {
    const text = `last ${attempt}`
    writer.publish('x', text)
    for (let look = 0; look < 20; look++) {
      if (reader.received.at(-1)?.payload.equals(Buffer.from(text))) return
      await delay(50)
    }
  }
  assert.fail('nothing arrives any more')
}

describe('Redis under load', options, () => {
  test('is killed and started three times: publishing resumes by itself, and what is lost adds up', async (t) => {
    const server = await redis(t)
    const errors: Error[] = []
    const writer = await Machine.connected(server.url, { error: (error) => errors.push(error) })
    const reader = await Machine.connected(server.url, { error: () => undefined })
    await reach(writer, reader, 'x')
    const base = writer.broker.statistics.published - reader.broker.statistics.received
    const { stop } = load(writer, 20)
    t.after(stop)
    for (let outage = 1; outage <= 3; outage++) {
      await delay(200)
      await server.kill()
      await eventually(() => !writer.broker.statistics.connected, 'it is noticed')
      const { dropped } = writer.broker.statistics
      await delay(300)
      assert.ok(writer.broker.statistics.dropped > dropped, 'it goes on publishing')
      assert.equal(errors.length, outage, 'one error for each outage')
      await server.start()
      const { received } = reader.broker.statistics
      await eventually(() => reader.broker.statistics.received > received + 100, 'it goes on by itself', 20_000)
      reader.received.length = 0
      await eventually(() => writer.broker.statistics.connected, 'both connections are back')
    }
    stop()
    await last(writer, reader)
    const { published, dropped, unconfirmed } = writer.broker.statistics
    const { received, missed } = reader.broker.statistics
    t.diagnostic(JSON.stringify({ published, dropped, unconfirmed, received, missed }))
    assert.equal(received + missed, published - base, 'what is missing is known to the last one')
    assert.ok(missed >= dropped, 'what was dropped is missed')
    assert.ok(dropped > 0)
  })

  test('does not answer: memory is bounded, and what is dropped is what is missed', async (t) => {
    const server = await redis(t)
    const [writer, reader] = [
      await Machine.connected(server.url, { maxBuffered: MiB }),
      await Machine.connected(server.url),
    ]
    await reach(writer, reader, 'x')
    const base = writer.broker.statistics.published - reader.broker.statistics.received
    server.freeze()
    t.after(() => server.thaw())
    const before = process.memoryUsage().arrayBuffers
    for (let turn = 0; turn < 500; turn++) {
      for (let count = 0; count < 100; count++) writer.broker.publish('x', payload, false)
      await delay(0)
    }
    const more = process.memoryUsage().arrayBuffers - before
    assert.ok(more < 20 * MiB, `${more} bytes more are held, of 50,000,000 published`)
    assert.ok(writer.broker.statistics.dropped > 40_000)
    assert.equal(writer.broker.statistics.connected, true)
    server.thaw()
    await last(writer, reader)
    const { published, dropped, unconfirmed } = writer.broker.statistics
    const { received, missed } = reader.broker.statistics
    assert.deepEqual([missed, unconfirmed], [dropped, 0])
    assert.equal(received + missed, published - base)
  })

  test('does not answer for longer than the timeout: it is away, until it answers', async (t) => {
    const server = await redis(t)
    const errors: Error[] = []
    const writer = await Machine.connected(server.url, { timeout: 500, error: (error) => errors.push(error) })
    const reader = await Machine.connected(server.url, { timeout: 500, error: () => undefined })
    await reach(writer, reader, 'x')
    const base = writer.broker.statistics.published - reader.broker.statistics.received
    server.freeze()
    t.after(() => server.thaw())
    for (let count = 0; count < 10; count++) writer.broker.publish('x', payload, false)
    await eventually(() => !writer.broker.statistics.connected, 'it is noticed')
    await eventually(() => writer.broker.statistics.unconfirmed === 10, 'what was sent is not confirmed')
    assert.match(String(errors), /^Error: Redis has not answered for 500 ms$/)
    writer.broker.publish('x', payload, false)
    server.thaw()
    await last(writer, reader)
    const { published } = writer.broker.statistics
    const { received, missed } = reader.broker.statistics
    assert.equal(received + missed, published - base)
  })
})

describe('closing', options, () => {
  test('leaves nothing behind that was published', async (t) => {
    const { url } = await redis(t)
    const [writer, reader] = [await Machine.connected(url), await Machine.connected(url)]
    await reach(writer, reader, 'x')
    for (let count = 0; count < 1000; count++) writer.broker.publish('x', payload, false)
    await writer.broker.close()
    await eventually(() => reader.count === 1000, 'all arrive')
    assert.equal(writer.broker.statistics.connected, false)
    writer.publish('x', 'late')
    assert.equal(writer.broker.statistics.dropped, 1)
  })

  test('takes bounded time when Redis does not answer, and counts what it left', async (t) => {
    const server = await redis(t)
    const writer = await Machine.connected(server.url)
    server.freeze()
    t.after(() => server.thaw())
    writer.publish('x', 'one')
    const start = performance.now()
    await writer.broker.close()
    assert.ok(performance.now() - start < 10_000)
    assert.equal(writer.broker.statistics.unconfirmed, 1)
  })

  for (const [when, silent] of [
    ['while nobody is there', false],
    ['while somebody accepts and says nothing', true],
  ] as const) {
    test(`lets the process end, ${when}`, { timeout: 60_000 }, async (t) => {
      const mute = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1')
      await once(mute, 'listening')
      t.after(() => mute.close())
      const address = mute.address()
      const port = silent && typeof address === 'object' && address !== null ? address.port : 1
      const module = new URL('../../src/brokers/redisBroker.js', import.meta.url)
      const program = `import { redisBroker } from '${module}'
const broker = redisBroker('redis://127.0.0.1:${port}', { error() {} })
broker.attach(() => {})
broker.subscribe('x')
setTimeout(async () => {
  broker.publish('x', Buffer.from('lost'), true)
  await broker.close()
  const end = performance.now()
  process.on('exit', () => console.log(performance.now() - end < 5000 && broker.statistics.dropped))
}, 300)`
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      t.after(() => child.kill('SIGKILL'))
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk
      })
      const [code] = await once(child, 'close')
      assert.deepEqual([code, output], [0, '1\n'])
    })
  }
})
