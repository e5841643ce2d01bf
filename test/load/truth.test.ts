// What a load says must be true of servers that are not: answers that are lost, doubled, reordered or of somebody else are told apart
// and counted, whatever pieces they come in.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { Latencies } from '../../src/load/latencies.js'
import type { LoadOptions } from '../../src/load/load.js'
import { Sequence } from '../../src/load/sequence.js'
import { BINARY, buildFrame } from '../support/frames.js'
import { echoServer, options, shortLoad, tcpServer, upgradingServer, wsEchoServer } from './peers.js'

/** A server that answers the n-th message of a connection, counted from 0, as it likes. */
async function answering(
  t: { after(hook: () => void): void },
  answer: (socket: WebSocket, message: Buffer, n: number) => void,
): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  server.on('connection', (socket) => {
    let n = 0
    socket.on('message', (data: Buffer) => answer(socket, data, n++))
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return `ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

const numbered: Partial<LoadOptions> = { sequence: true, connections: 2, warmup: 0, duration: 0.15 }

describe('sequence numbers', { concurrency: 4 }, () => {
  for (const kind of ['binary', 'text', 'utf8'] as const) {
    for (const size of [26, 125, 126, 70_000]) {
      test(`${kind} of ${size} bytes, compared: an echo server loses nothing`, options, async (t) => {
        const { error, disorder, messages } = await shortLoad(await echoServer(t), {
          ...numbered,
          kind,
          size,
          verify: true,
        })
        assert.deepEqual([error, disorder], [undefined, { lost: 0, doubled: 0, reordered: 0 }])
        assert.ok(messages > 0)
      })
    }
  }

  test('come back from ws, in both loops', options, async (t) => {
    const url = await wsEchoServer(t)
    for (const rate of [0, 500]) {
      const { error, disorder } = await shortLoad(url, {
        ...numbered,
        rate,
        pipeline: rate > 0 ? 1 : 4,
        kind: 'text',
        size: 40,
      })
      assert.deepEqual([error, disorder], [undefined, { lost: 0, doubled: 0, reordered: 0 }])
    }
  })

  for (const rate of [0, 400]) {
    const loop = rate > 0 ? 'open' : 'closed'
    test(`what is lost is counted, and the ${loop} loop goes on`, options, async (t) => {
      const url = await answering(t, (socket, message, n) => {
        if (n % 10 !== 3) socket.send(message)
      })
      const given = { ...numbered, rate, pipeline: rate > 0 ? 1 : 8, duration: 0.3 }
      const { error, disorder, messages } = await shortLoad(url, given)
      assert.match(error ?? '', /^of the messages, \d+ lost$/)
      assert.ok((disorder?.lost ?? 0) >= 3, JSON.stringify(disorder))
      assert.ok(messages > 10, `${messages}`)
    })

    test(`what is doubled is counted in the ${loop} loop, and is no answer`, options, async (t) => {
      let all = 0
      const url = await answering(t, (socket, message, n) => {
        all++
        socket.send(message)
        if (n % 10 === 3) socket.send(message)
      })
      const { error, disorder, messages } = await shortLoad(url, { ...numbered, rate, pipeline: rate > 0 ? 1 : 8 })
      assert.match(error ?? '', /^of the messages, \d+ doubled$/)
      assert.ok((disorder?.doubled ?? 0) >= 1 && messages <= all)
    })

    test(`what is reordered is counted in the ${loop} loop, and is not lost`, options, async (t) => {
      let kept: Buffer | undefined
      const url = await answering(t, (socket, message, n) => {
        if (n % 8 === 3) kept = message
        else socket.send(message)
        if (n % 8 === 4 && kept !== undefined) socket.send(kept)
      })
      const given = { ...numbered, connections: 1, rate, pipeline: rate > 0 ? 1 : 8, duration: 0.3 }
      const { error, disorder } = await shortLoad(url, given)
      // The load may end between the two.
      assert.match(error ?? '', /^of the messages, (?:1 lost, )?\d+ reordered$/)
      assert.ok((disorder?.reordered ?? 0) >= 1)
    })
  }

  test('of another connection are none of ours', options, async (t) => {
    const sockets: WebSocket[] = []
    const url = await answering(t, (socket, message) => {
      if (!sockets.includes(socket)) sockets.push(socket)
      for (const other of sockets) if (other !== socket) other.send(message)
    })
    const { error } = await shortLoad(url, { ...numbered, duration: 5 })
    assert.match(error ?? '', /its sequence number was never sent on this connection/)
  })

  test('that nobody sent are refused', options, async (t) => {
    const wrong = buildFrame({ opcode: BINARY, payload: Buffer.alloc(16, 7) })
    const url = await upgradingServer(t, (socket) => socket.write(wrong))
    const { error } = await shortLoad(url, { ...numbered, duration: 5 })
    assert.match(error ?? '', /its sequence number was never sent/)
  })

  test('are found in fragments, and in pieces of any length, between pings', options, async (t) => {
    const url = await upgradingServer(t, (socket, chunk) => void inPieces(socket, chunk))
    const given = { ...numbered, connections: 1, pipeline: 3, size: 200, verify: true, duration: 0.4 }
    const { error, disorder, messages } = await shortLoad(url, given)
    assert.deepEqual([error, disorder], [undefined, { lost: 0, doubled: 0, reordered: 0 }])
    assert.ok(messages > 3)
  })

  test('do without where there is no room', options, async (t) => {
    const { error, disorder } = await shortLoad(await echoServer(t), { ...numbered, size: 7 })
    assert.deepEqual([error, disorder], [undefined, undefined])
  })

  test('a byte that differs is found beside them', options, async (t) => {
    const url = await answering(t, (socket, message) => {
      message[12] = (message[12] ?? 0) ^ 1
      socket.send(message)
    })
    const { error } = await shortLoad(url, { ...numbered, verify: true, duration: 5 })
    assert.match(error ?? '', /16 bytes came, 16 were sent; byte 12 differs/)
  })
})

/** Echoes whole masked frames of 200 bytes as three fragments with a ping between them, some bytes at a time. */
async function inPieces(socket: Socket, chunk: Buffer): Promise<void> {
  const frame = 8 + 200
  for (let at = 0; at + frame <= chunk.length; at += frame) {
    if ((chunk[at] ?? 0) !== 0x82 || (chunk[at + 1] ?? 0) !== 0xfe) return
    const key = chunk.subarray(at + 4, at + 8)
    const body = chunk.subarray(at + 8, at + frame).map((value, n) => value ^ (key[n % 4] ?? 0))
    const bytes = Buffer.concat([
      buildFrame({ opcode: BINARY, payload: body.subarray(0, 3), fin: false }),
      buildFrame({ opcode: 9, payload: 'x' }),
      buildFrame({ opcode: 0, payload: body.subarray(3, 9), fin: false }),
      buildFrame({ opcode: 0, payload: body.subarray(9) }),
    ])
    for (let from = 0; from < bytes.length; from += 7) {
      if (socket.destroyed) return
      socket.write(bytes.subarray(from, from + 7))
      if (from % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

describe('Sequence', () => {
  test('counts what is passed over, late and double', () => {
    const sequence = new Sequence()
    sequence.add(10)
    assert.deepEqual([sequence.take(2), sequence.lost], [2, 2])
    assert.deepEqual([sequence.take(0), sequence.take(0), sequence.take(2)], [-1, -1, -1])
    assert.deepEqual([sequence.lost, sequence.reordered, sequence.doubled], [1, 1, 2])
    assert.equal(sequence.take(10), undefined)
    assert.equal(sequence.outstanding, 7)
  })

  test('goes on where numbers wrap', () => {
    const sequence = new Sequence()
    sequence.add(2 ** 32 - 1)
    sequence.next = 2 ** 32 - 2
    sequence.add(3)
    assert.equal(sequence.take(0), 2)
    assert.deepEqual([sequence.take(2 ** 32 - 1), sequence.take(2)], [-1, undefined])
    assert.deepEqual([sequence.lost, sequence.reordered, sequence.outstanding], [1, 1, 1])
  })

  test('holds little, however much is lost', () => {
    const sequence = new Sequence()
    sequence.add(200_000)
    sequence.take(199_999)
    assert.equal(sequence.lost, 199_999)
    assert.deepEqual([sequence.take(0), sequence.doubled], [-1, 1]) // it is forgotten
  })
})

describe('Latencies', () => {
  test('tell values within a tenth of a percent, from 1 ns to days', () => {
    for (const value of [1, 2047, 2048, 4095, 4096, 123_456, 2 ** 31 - 1, 2 ** 31, 3e9, 8.64e13]) {
      const latencies = new Latencies()
      latencies.record(value)
      latencies.record(value * 2)
      const told = latencies.percentile(50)
      assert.ok(told >= value && told <= value * 1.001, `${value}: ${told}`)
      assert.equal(latencies.percentile(100), value * 2)
      assert.ok(latencies.min <= value && latencies.min >= value * 0.999)
    }
  })

  test('are merged, and told since an earlier moment', () => {
    const [a, b, before] = [new Latencies(), new Latencies(), new Latencies()]
    for (let value = 1; value <= 1000; value++) a.record(value)
    for (let value = 1001; value <= 2000; value++) b.record(value)
    a.add(JSON.parse(JSON.stringify(b.recorded)))
    assert.deepEqual([a.count, a.max, a.mean, a.percentile(75)], [2000, 2000, 1000.5, 1500])
    before.copy(a)
    for (let times = 0; times < 10; times++) a.record(5)
    assert.deepEqual(a.percentiles([50, 99], before), [5, 5])
  })
})

test('a server that takes connections and says nothing loses all, within a second more', options, async (t) => {
  const url = await upgradingServer(t, () => undefined)
  const began = performance.now()
  const { messages, error } = await shortLoad(url, numbered)
  assert.deepEqual([messages, error], [0, undefined]) // the command says that nothing was answered
  assert.ok(performance.now() - began < 4000)
})

test('TCP servers that are no WebSocket servers do not matter to numbers', options, async (t) => {
  const url = await tcpServer(t, (socket) => socket.end('nonsense\r\n\r\n'))
  await assert.rejects(shortLoad(url, numbered))
})
