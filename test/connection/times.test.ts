// Time: pings after silence, and the ends of connections that are silent, unread or old. With real sockets, by both
// transports, and limits as small as the coarse timer allows.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { CLOSE, closeStatus, masked, PING, PONG, TEXT } from '../support/frames.js'
import { fill, pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { delay, eventually } from '../support/socketClient.js'

/**
 * No earlier than the limit, but for the resolution of the clocks; much later only where a machine is busy. What was `taken` is
 * counted from before the connection: a client on a busy machine learns late that it is open.
 */
function assertTook(taken: number, limit: number): void {
  assert.ok(taken >= limit - 5 && taken < limit + 20_000, `${taken} ms, of ${limit}`)
}

for (const { transport, publicApi } of transports) {
  describe(`by ${transport}`, { concurrency: true }, () => {
    test('pingInterval: a ping after each silence, none while something comes', async (t) => {
      const begin = performance.now()
      const { client } = await pairOf(t, { publicApi, pingInterval: 300 })
      const [ping] = await client.frames(1)
      assertTook(performance.now() - begin, 300)
      assert.equal(ping?.opcode, PING)
      assert.equal(ping.payload.length, 0)
      await client.frames(2)
      assertTook(performance.now() - begin, 600)
      const talking = performance.now() + 1200
      const before = (await client.frames(2)).length
      let longest = 0
      for (let last = performance.now(); performance.now() < talking; last = performance.now()) {
        client.write(masked(TEXT, 'x'))
        await delay(50)
        longest = Math.max(longest, performance.now() - last)
      }
      await client.response()
      const pings = client.receivedFrames.length - before
      if (longest < 250) assert.ok(pings <= 1, `${pings} pings`) // one that was on its way
    })

    test('idleTimeout: a silent peer gets 1008, with the limit; what this server sends it does not count', async (t) => {
      const errors: unknown[] = []
      const begin = performance.now()
      const { client, connection } = await pairOf(t, {
        publicApi,
        pingInterval: 0,
        idleTimeout: 400,
        error: (_, error) => void errors.push(error),
      })
      const sending = setInterval(() => connection.send('news'), 30)
      t.after(() => clearInterval(sending))
      await client.end()
      clearInterval(sending)
      assertTook(performance.now() - begin, 400)
      const [error] = errors
      assert.ok(error instanceof ProtocolViolation)
      assert.equal(error.code, 'IDLE')
      assert.match(error.message, /idleTimeout is 400 ms/)
      await client.response()
      const last = client.receivedFrames.at(-1)
      assert.deepEqual(closeStatus(last), { code: 1008, reason: error.message })
    })

    test('a peer that answers pings, or sends them, is not idle', async (t) => {
      for (const answer of [true, false]) {
        const { client, connection } = await pairOf(t, { publicApi, pingInterval: 100, idleTimeout: 600 })
        let answered = 0
        await client.response()
        const speaking = setInterval(() => {
          const frames = client.receivedFrames
          if (!answer) client.write(masked(PING))
          else for (; answered < frames.length; answered++) client.write(masked(PONG))
        }, 30)
        await delay(1800)
        clearInterval(speaking)
        assert.equal(connection.isOpen, true)
        await client.end()
      }
    })

    test('maxLifetime: closes with 1001, however busy; not as a violation', async (t) => {
      const errors: unknown[] = []
      const closes: number[] = []
      const begin = performance.now()
      const { client } = await pairOf(t, {
        publicApi,
        maxLifetime: 500,
        message: (connection, message) => connection.send(message),
        error: (_, error) => void errors.push(error),
        close: (_, code) => void closes.push(code),
      })
      const talking = setInterval(() => client.write(masked(TEXT, 'x')), 20)
      t.after(() => clearInterval(talking))
      await client.response()
      const closing = () => client.receivedFrames.find(({ opcode }) => opcode === CLOSE)
      await client.until(() => closing() !== undefined, 'Close')
      assertTook(performance.now() - begin, 500)
      clearInterval(talking)
      assert.deepEqual(closeStatus(closing()), { code: 1001, reason: 'maxLifetime is 500 ms' })
      client.write(masked(CLOSE, Buffer.from([3, 233])))
      client.socket.end()
      await eventually(() => closes.length === 1, 'the end')
      assert.deepEqual([closes, errors], [[1001], []])
    })

    test('0 is no limit', async (t) => {
      const { client, connection } = await pairOf(t, {
        publicApi,
        pingInterval: 0,
        idleTimeout: 0,
        pauseTimeout: 0,
        maxLifetime: 0,
      })
      connection.pause()
      await delay(700)
      connection.resume()
      await delay(700)
      assert.equal(connection.isOpen, true)
      const { head } = await client.response()
      assert.equal(client.received.length, head.length)
    })

    test('pauseTimeout: a peer that reads nothing is ended, also if this server goes on sending', async (t) => {
      const closes: number[] = []
      const pair = await pairOf(t, {
        publicApi,
        outputLimit: 10_000,
        pauseTimeout: 400,
        closeTimeout: 400,
        error: () => undefined,
        close: (_, code) => void closes.push(code),
      })
      await fill(pair)
      const { connection } = pair
      for (let n = 0; n < 10; n++) connection.send(Buffer.alloc(10_000))
      const sending = setInterval(() => connection.send('news'), 30)
      t.after(() => clearInterval(sending))
      await eventually(() => closes.length === 1, 'the end', 20_000)
      assert.deepEqual(closes, [1008])
    })
  })
}

for (const { transport, publicApi } of transports) {
  test(`by ${transport}: a slow reader that makes progress on one message of 16 MiB is not cut off`, async (t) => {
    const limits = { publicApi, outputLimit: 10_000, pauseTimeout: 1500, idleTimeout: 1500, pingInterval: 0 }
    const { connection, client } = await pairOf(t, limits)
    client.socket.pause()
    const length = 16 * 1024 * 1024
    connection.send(Buffer.alloc(length))
    await delay(20)
    assert.ok(connection.bufferedAmount > 0)
    // Longer than twice both limits, in steps of much less than one.
    for (let step = 0; step < 40; step++) {
      const had = client.received.length
      client.socket.resume()
      await client.until(() => client.received.length >= Math.min(had + 400_000, length), 'progress')
      client.socket.pause()
      await delay(80)
      assert.equal(connection.isOpen, true, `after step ${step}`)
    }
    client.socket.resume()
    const [frame] = await client.frames(1)
    assert.equal(frame?.payload.length, length)
  })

  test(`by ${transport}: many messages that a slow reader takes one by one count as progress too`, async (t) => {
    const limits = { publicApi, outputLimit: 10_000, pauseTimeout: 1500, idleTimeout: 1500, pingInterval: 0 }
    const pair = await pairOf(t, limits)
    const { connection, client } = pair
    await fill(pair)
    // More than the reader takes: what has left, and is not answered, is the silence of a client.
    for (let n = 0; n < 200; n++) connection.send(Buffer.alloc(65_536))
    for (let step = 0; step < 40; step++) {
      const had = client.received.length
      client.socket.resume()
      await client.until(() => client.received.length >= had + 200_000 || connection.bufferedAmount === 0, 'progress')
      client.socket.pause()
      connection.send('and more')
      await delay(80)
      assert.equal(connection.isOpen, true, `after step ${step}`)
    }
  })
}

for (const { transport, publicApi } of transports) {
  describe(`by ${transport}, what waits behind a long stream`, () => {
    const limits = { publicApi, outputLimit: 10_000, pauseTimeout: 300, pingInterval: 0 }
    const ways: Readonly<Record<string, (deadline: number) => AsyncGenerator<Buffer>>> = {
      async *'that the peer reads as fast as it comes'(deadline) {
        for (; performance.now() < deadline; await delay(0)) yield Buffer.alloc(65_536)
      },
      async *'whose source takes its time'(deadline) {
        yield Buffer.alloc(100)
        await delay(deadline - performance.now())
      },
    }
    for (const [way, rows] of Object.entries(ways)) {
      test(`${way} does not end the connection`, async (t) => {
        const { connection, client } = await pairOf(t, limits)
        await client.response()
        const sent = connection.sendStream(rows(performance.now() + 1500))
        for (let n = 0; n < 10; n++) connection.send(`${n} ${'.'.repeat(5000)}`)
        await sent
        const texts = () => client.receivedFrames.filter(({ opcode }) => opcode === TEXT)
        await client.until(() => texts().length === 10, 'what waited')
        assert.equal(connection.isOpen, true)
      })
    }
  })
}
