// Publications between machines, by a real Redis server: what arrives, where, and in which form.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { redisBroker } from '../../src/brokers/redisBroker.js'
import { Random, seed } from '../support/random.js'
import { redisMissing } from '../support/redis.js'
import { delay, eventually } from '../support/socketClient.js'
import { closeMachines, Machine, reach, redis, settled } from './machine.js'

const options = { timeout: 60_000, skip: redisMissing() }

describe('two machines', options, () => {
  test('get what the other publishes, text and binary, and not what they publish themselves', async (t) => {
    const { url } = await redis(t)
    const [a, b] = [await Machine.connected(url), await Machine.connected(url)]
    await reach(a, b, 'x')
    await reach(b, a, 'x')
    await settled(b)
    b.received.length = 0
    const bytes = new Random(seed).bytes(3_000_000)
    a.publish('x', 'für b')
    a.broker.publish('x', bytes, false)
    a.broker.publish('x', new Uint8Array(0), false)
    b.publish('x', 'für a')
    await eventually(() => b.count === 3 && a.count === 1, 'all arrive')
    assert.deepEqual(a.texts(), ['für a'])
    assert.deepEqual(b.received[0], { topic: 'x', payload: Buffer.from('für b'), isText: true })
    assert.ok(b.received[1]?.payload.equals(bytes))
    assert.deepEqual(
      b.received.map(({ isText }) => isText),
      [true, false, false],
    )
    for (const { broker } of [a, b]) {
      const { connected, dropped, missed, unconfirmed } = broker.statistics
      assert.deepEqual(
        { connected, dropped, missed, unconfirmed },
        { connected: true, dropped: 0, missed: 0, unconfirmed: 0 },
      )
    }
  })

  test('get only the topics that they subscribe, in order', async (t) => {
    const { url } = await redis(t)
    const [a, b] = [await Machine.connected(url), await Machine.connected(url)]
    const topics = ['x', 'y/€', '*']
    for (const topic of [...topics, 'gone']) await reach(a, b, topic)
    b.broker.unsubscribe('gone')
    b.broker.unsubscribe('never')
    await delay(50)
    for (let at = 0; at < 1000; at++) {
      for (const topic of [...topics, 'gone', 'z']) a.publish(topic, `${at}`)
      if (at % 100 === 0) await delay(1)
    }
    await eventually(() => b.count === 3000, 'all arrive')
    await settled(b)
    const numbers = Array.from({ length: 1000 }, (_, at) => `${at}`)
    for (const topic of topics) assert.deepEqual(b.texts(topic), numbers)
    assert.equal(b.count, 3000)
    assert.deepEqual([b.broker.statistics.missed, a.broker.statistics.dropped], [0, 0])
  })

  test('with different prefixes know nothing of each other', async (t) => {
    const { url } = await redis(t)
    const [a, b] = [await Machine.connected(url, { prefix: 'a:' }), await Machine.connected(url, { prefix: 'a:' })]
    const other = await Machine.connected(url)
    other.broker.subscribe('x')
    await reach(a, b, 'x')
    a.publish('x', '1')
    await eventually(() => b.count === 1, 'it arrives')
    await delay(50)
    assert.equal(other.count, 0)
  })

  test('may subscribe and unsubscribe as fast as they like', async (t) => {
    const { url } = await redis(t)
    const [a, b] = [await Machine.connected(url), await Machine.connected(url)]
    const random = new Random(seed)
    await reach(a, b, 'end')
    const wanted = new Set<string>()
    for (let step = 0; step < 4000; step++) {
      const topic = `${random.below(20)}`
      if (random.chance(0.5)) wanted.add(topic)
      else wanted.delete(topic)
      if (wanted.has(topic)) b.broker.subscribe(topic)
      else b.broker.unsubscribe(topic)
      if (random.chance(0.02)) await delay(0)
    }
    for (const topic of wanted) await reach(a, b, topic)
    b.received.length = 0
    for (let at = 0; at < 20; at++) a.publish(`${at}`, 'x')
    a.publish('end', 'x')
    await settled(b)
    assert.deepEqual(b.received.map(({ topic }) => topic).toSorted(), [...wanted, 'end'].toSorted())
  })

  test('may be two processes', async (t) => {
    const { url } = await redis(t)
    const program = fileURLToPath(new URL('redisProgram.js', import.meta.url))
    const child = spawn(process.execPath, [program, url], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    await eventually(() => output === 'ready\n', 'it is ready', 20_000)
    const here = await Machine.connected(url)
    here.broker.subscribe('answer')
    for (const end = performance.now() + 20_000; here.count === 0; await delay(20)) {
      assert.ok(performance.now() < end, 'no answer')
      here.publish('question', 'hello')
    }
    await settled(here)
    here.received.length = 0
    const bytes = new Random(seed).bytes(100_000)
    here.broker.publish('question', bytes, false)
    here.publish('question', 'text')
    await eventually(() => here.count === 2, 'both are answered')
    assert.ok(here.received[0]?.payload.equals(bytes))
    assert.deepEqual(here.received[1], { topic: 'answer', payload: Buffer.from('text'), isText: true })
    child.stdin.end()
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    const { received, published, dropped, missed, unconfirmed } = JSON.parse(output.slice('ready\n'.length))
    assert.equal(published, received)
    assert.deepEqual([dropped, missed, unconfirmed], [0, 0, 0])
  })
})

describe('the address', () => {
  test('is refused when it is none', () => {
    for (const url of ['', 'localhost', 'http://localhost', 'redis://', 'redis://user:secret@host:port', 'unix:///x']) {
      assert.throws(
        () => redisBroker(url),
        (error) => {
          assert.ok(error instanceof TypeError)
          assert.match(error.message, /^the address of the Redis server is wrong: /)
          assert.doesNotMatch(error.message, /secret/)
          return true
        },
      )
    }
  })

  test('has options that are refused when they are none', () => {
    for (const value of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => redisBroker('redis://localhost', { maxBuffered: value }), RangeError)
      assert.throws(() => redisBroker('redis://localhost', { timeout: value }), RangeError)
    }
  })

  test('may have a password; a wrong one is told once', options, async (t) => {
    const { port } = await redis(t, ['--requirepass', 'right'])
    const errors: Error[] = []
    const wrong = new Machine(`redis://:wrong@127.0.0.1:${port}`, { error: (error) => errors.push(error) })
    const right = await Machine.connected(`redis://:right@127.0.0.1:${port}`)
    const other = await Machine.connected(`redis://default:right@127.0.0.1:${port}`)
    await reach(right, other, 'x')
    await eventually(() => errors.length > 0, 'it is told')
    await delay(500)
    assert.match(String(errors), /WRONGPASS/)
    assert.equal(errors.length, 1)
    assert.equal(wrong.broker.statistics.connected, false)
  })

  test('may belong to nobody: a warning tells so, once', async (t) => {
    const warnings: Error[] = []
    const listen = (warning: Error): void => {
      if (warning.name === 'MillraceWarning') warnings.push(warning)
    }
    process.on('warning', listen)
    t.after(async () => {
      await closeMachines()
      process.off('warning', listen)
    })
    const machine = new Machine('redis://127.0.0.1:1')
    await eventually(() => warnings.length > 0, 'it is told')
    machine.publish('x', 'lost')
    await delay(300)
    assert.match(String(warnings), /do not reach other machines: .*ECONNREFUSED/)
    assert.equal(warnings.length, 1)
    const { connected, published, dropped } = machine.broker.statistics
    assert.deepEqual({ connected, published, dropped }, { connected: false, published: 1, dropped: 1 })
  })
})
