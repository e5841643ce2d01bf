// A load client is a client: it answers pings, says Close and answers it, and takes a greeting for what it is. A server
// that minds these is not to be blamed for what its client left undone.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { BINARY, buildFrame, CLOSE, PING, PONG, TEXT } from '../support/frames.js'
import { parseReference, type ReferenceEvent } from '../support/referenceParser.js'
import { options, shortLoad, upgradingServer } from './peers.js'

/** A server that echoes by hand, and does what it is told with each socket; resolves with what each socket was sent. */
async function echoing(t: TestContext, upgraded: (socket: Socket) => void, echo = true) {
  const received = new Map<Socket, Buffer[]>()
  const url = await upgradingServer(
    t,
    (socket, chunk) => {
      received.get(socket)?.push(chunk)
      const { events } = parseReference(Buffer.concat(received.get(socket) ?? []), { masked: true, limit: 2 ** 20 })
      const done = echoed.get(socket) ?? 0
      echoed.set(socket, events.length)
      for (const { opcode, payload } of events.slice(done)) {
        if (opcode < CLOSE && echo) socket.write(buildFrame({ opcode, payload }))
        if (opcode === CLOSE) socket.end(buildFrame({ opcode, payload }))
      }
    },
    (socket) => {
      received.set(socket, [])
      upgraded(socket)
    },
  )
  const echoed = new Map<Socket, number>()
  const events = (): ReferenceEvent[][] =>
    [...received.values()].map(
      (chunks) => parseReference(Buffer.concat(chunks), { masked: true, limit: 2 ** 20 }).events,
    )
  return { url, events }
}

const SLOW = { connections: 2, pipeline: 1, rate: 40, duration: 0.4 }

describe('a load', options, () => {
  for (const verify of [false, true]) {
    test(
      `answers pings with their payload, masked, and counts none${verify ? ', verified' : ''}`,
      options,
      async (t) => {
        const payloads = ['', 'ping', Buffer.alloc(125, 7).toString()]
        const { url, events } = await echoing(t, (socket) => {
          for (const payload of payloads) setTimeout(() => socket.write(buildFrame({ opcode: PING, payload })), 150)
          setTimeout(
            () => socket.write(Buffer.concat(payloads.map((payload) => buildFrame({ opcode: PING, payload })))),
            300,
          )
          setTimeout(() => socket.write(buildFrame({ opcode: PONG, payload: 'unasked' })), 320)
        })
        const { error, messages, greetings } = await shortLoad(url, { ...SLOW, verify })
        assert.deepEqual([error, greetings], [undefined, 0])
        for (const each of events()) {
          const pongs = each.filter(({ opcode }) => opcode === PONG).map(({ payload }) => payload.toString())
          // Of several at once, the latest has to be answered (section 5.5.3).
          assert.ok(pongs.length >= 2 && pongs.at(-1) === payloads[2], `${pongs}`)
          assert.ok(pongs.every((pong) => payloads.includes(pong)))
        }
        const echoes = events().flatMap((each) => each.filter(({ opcode }) => opcode === BINARY)).length
        assert.ok(messages <= echoes && messages > 0)
      },
    )
  }

  test('answers a ping that came before its first message, and one in pieces', options, async (t) => {
    const ping = buildFrame({ opcode: PING, payload: 'in pieces' })
    const { url, events } = await echoing(t, async (socket) => {
      socket.write(buildFrame({ opcode: PING, payload: 'early' }))
      await sleep(20)
      for (const byte of ping) {
        socket.write(Buffer.of(byte))
        await sleep(2)
      }
    })
    assert.equal((await shortLoad(url, SLOW)).error, undefined)
    for (const each of events()) {
      assert.deepEqual(
        each.filter(({ opcode }) => opcode === PONG).map(({ payload }) => payload.toString()),
        ['early', 'in pieces'],
      )
    }
  })

  test('answers pings while a large batch is on its way', options, async (t) => {
    let pongs = 0
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    t.after(() => server.close())
    server.on('connection', (socket) => {
      const timer = setInterval(() => socket.ping('busy?'), 5)
      socket.on('message', (data) => socket.send(data, { binary: true }))
      socket.on('pong', (payload) => {
        assert.equal(payload.toString(), 'busy?')
        pongs++
      })
      socket.on('close', () => clearInterval(timer))
    })
    await once(server, 'listening')
    const address = server.address()
    const url = `ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const { error, messages } = await shortLoad(url, { size: 2 ** 20, pipeline: 8, verify: true, duration: 0.5 })
    assert.equal(error, undefined)
    assert.ok(pongs > 0 && messages > 0)
  })

  test('says Close 1000 when it is over, and waits for the answer', options, async (t) => {
    const { url, events } = await echoing(t, () => undefined)
    const began = performance.now()
    assert.equal((await shortLoad(url)).error, undefined)
    assert.ok(performance.now() - began < 3000)
    for (const each of events()) {
      const last = each.at(-1)
      assert.deepEqual([last?.opcode, last?.payload], [CLOSE, Buffer.of(3, 232)])
    }
  })

  test('answers Close with its code', options, async (t) => {
    const { url, events } = await echoing(t, (socket) => {
      setTimeout(() => socket.write(buildFrame({ opcode: CLOSE, payload: Buffer.from('\x0f\xa1bye', 'latin1') })), 200)
    })
    const { error } = await shortLoad(url, { ...SLOW, connections: 1, duration: 20 })
    assert.equal(error, 'the server sent Close 4001 bye')
    const last = events()[0]?.at(-1)
    assert.deepEqual([last?.opcode, last?.payload], [CLOSE, Buffer.of(0x0f, 0xa1)])
  })
})

// Each waits most of its time for its server's words.
describe('a greeting', { ...options, concurrency: 2 }, () => {
  const echoLike = buildFrame({ opcode: BINARY, payload: Buffer.alloc(16) })
  const welcome = buildFrame({ opcode: TEXT, payload: 'welcome' })
  for (const verify of [false, true]) {
    for (const [name, bytes, delay] of [
      ['in the segment of the 101', welcome, 0],
      ['a little later', welcome, 60],
      ['that looks like an echo', echoLike, 0],
      ['of several messages, with a ping', Buffer.concat([welcome, buildFrame({ opcode: PING }), welcome]), 20],
    ] as const) {
      test(`${name} passes, is told and not counted${verify ? ', verified' : ''}`, options, async (t) => {
        const { url, events } = await echoing(t, (socket) => void setTimeout(() => socket.write(bytes), delay))
        const result = await shortLoad(url, { verify, connections: 3, warmup: 0 })
        assert.equal(result.error, undefined)
        assert.equal(result.greetings, 3 * (bytes.length > welcome.length && bytes !== echoLike ? 2 : 1))
        const sent = events().flatMap((each) => each.filter(({ opcode }) => opcode === BINARY)).length
        assert.ok(result.messages > 0 && result.messages <= sent, `${result.messages} of ${sent}`)
      })
    }
  }

  test('that comes after the first message is no greeting', options, async (t) => {
    const { url } = await echoing(t, (socket) => void setTimeout(() => socket.write(welcome), 500))
    const { error } = await shortLoad(url, { connections: 1, duration: 20 })
    assert.equal(error, 'an echo is not what was sent (7 bytes came, 16 were sent)')
  })

  test('that never ends does not keep the load from beginning', options, async (t) => {
    const { url } = await echoing(t, (socket) => {
      const timer = setInterval(() => socket.write(welcome), 10)
      socket.on('close', () => clearInterval(timer))
    })
    const began = performance.now()
    const { error, greetings } = await shortLoad(url, { connections: 1, duration: 20 })
    assert.match(error ?? '', /7 bytes came, 16 were sent/)
    assert.ok(greetings > 10 && performance.now() - began < 5000)
  })
})
