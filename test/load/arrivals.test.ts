// Connections that open at a rate: the rate is kept whatever the server answers, refusals are told by status, and what the server
// does not keep is counted.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import { arrival, keepPace } from '../../src/load/pace.js'
import { Refusals } from '../../src/load/patterns/refusals.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { startTarget } from '../../src/target.js'
import { buildFrame, CLOSE, PING, PONG, TEXT } from '../support/frames.js'
import { parseReference } from '../support/referenceParser.js'
import { echoServer, options, shortLoad, tcpServer, wsEchoServer } from './peers.js'

/** A server that does with the n-th connection as it likes, from its request on. */
function handshakes(t: TestContext, asked: (socket: Socket, key: string, n: number) => void): Promise<string> {
  let n = 0
  return tcpServer(t, (socket) => {
    socket.once('data', (head) => {
      asked(socket, /sec-websocket-key: (\S+)/i.exec(String(head))?.[1] ?? '', n++)
    })
  })
}

function accept(socket: Socket, key: string): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
  )
}

function refuse(socket: Socket, status: number): void {
  socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
}

function connecting(rate: number, more: Partial<LoadOptions> = {}): Partial<LoadOptions> {
  return { pattern: { name: 'connect', rate }, connections: 40, duration: 0.1, ...more }
}

function churning(rate: number, more: Partial<LoadOptions> = {}): Partial<LoadOptions> {
  const pattern = { name: 'churn', rate } as const
  return { pattern, sequence: true, connections: 20, pipeline: 1, warmup: 0, duration: 0.5, ...more }
}

/** On a busy machine, little may happen in a short time: then the load takes longer, twice at most. */
async function enough(url: string, given: Partial<LoadOptions>, least = 5): Promise<LoadResult> {
  let result = await shortLoad(url, { ...given, duration: 0.4 })
  for (const duration of [1.5, 5]) {
    if (result.error !== undefined || result.messages >= least) break
    result = await shortLoad(url, { ...given, duration })
  }
  assert.ok(result.messages >= least, `${result.messages} messages`)
  return result
}

function plausible({ latency, connecting, messages, histogram }: LoadResult): void {
  assert.ok(messages > 0 && latency.p50 > 0 && latency.p50 <= latency.max && connecting.count > 0)
  assert.ok(histogram.reduce((sum, [, count]) => sum + count, 0) >= messages)
}

describe('arrivals', () => {
  test('are due at a rate, to which they may rise', () => {
    assert.deepEqual(
      [0, 1, 10].map((n) => arrival(n, 100)),
      [0, 10, 100],
    )
    // In two seconds of rising to 100 per second come 100, and then one each 10 ms.
    assert.equal(Math.round(arrival(100, 100, 2)), 2000)
    assert.equal(Math.round(arrival(150, 100, 2)), 2500)
    assert.equal(Math.round(arrival(25, 100, 2)), 1000)
    for (let n = 1; n < 300; n++) assert.ok(arrival(n, 100, 2) > arrival(n - 1, 100, 2))
  })

  test('happen when they are due, whatever holds them up', options, async () => {
    const ending = new AbortController()
    const due: number[] = []
    const began = performance.now()
    await new Promise<void>((resolve) => {
      const act = (at: number): void => {
        due.push(at - began)
        if (due.length === 10) for (const until = performance.now() + 50; performance.now() < until; );
        if (due.length === 100) resolve()
      }
      keepPace({ dueAt: (n) => (n < 100 ? n : Infinity), act, late() {} }, ending.signal)
    })
    assert.equal(due.length, 100)
    for (const [n, at] of due.entries()) assert.ok(Math.abs(at - (due[0] ?? 0) - n) < 1e-6, `${n}: ${at}`)
    assert.ok(performance.now() - began < 5000)
  })
})

describe('--connect', { concurrency: 4 }, () => {
  test('opens at a rate, and holds them: the server agrees', options, async (t) => {
    const target = await startTarget({ port: 0 })
    t.after(() => target.close())
    let open = 0
    const measured = (): void => void target.statistics().then(({ connections }) => (open = connections))
    const began = performance.now()
    const result = await shortLoad(
      target.url,
      connecting(200, { connections: 100, duration: 0.3 }),
      undefined,
      undefined,
      measured,
    )
    assert.deepEqual(result.counts, { opened: 100, refused: 0, ended: 0, held: 100 })
    assert.equal(result.error, undefined)
    plausible(result)
    assert.equal(open, 100)
    assert.ok(result.messagesPerSecond <= 210 && result.seconds >= 0.48, JSON.stringify(result.seconds))
    assert.ok(performance.now() - began > 750) // and it held them
    assert.equal((await target.statistics()).handshakes, 101) // with the one that looked whether anybody is there
  })

  test('what it rises to takes its time', options, async (t) => {
    const pattern = { name: 'connect', rate: 200, ramp: 0.5 } as const
    const result = await shortLoad(await echoServer(t), { ...connecting(200), pattern, connections: 60 })
    assert.equal(result.error, undefined)
    // Fifty in the half second of rising, and ten more.
    assert.ok(result.seconds >= 0.54, `${result.seconds}`)
  })

  test('refusals are told by status, and the others are held', options, async (t) => {
    const url = await handshakes(t, (socket, key, n) => {
      if (n % 4 === 1) refuse(socket, 503)
      else if (n % 4 === 2) refuse(socket, 429)
      else accept(socket, key)
    })
    const { counts, refusals, error } = await shortLoad(url, connecting(400))
    assert.deepEqual(counts, { opened: 20, refused: 20, ended: 0, held: 20 })
    assert.deepEqual(refusals, { 503: 10, 429: 10 })
    assert.match(error ?? '', /^of 40 connections, 20 failed \(most of them by (503|429)\)$/)
  })

  test('a server that refuses everybody', options, async (t) => {
    const { messages, refusals, error } = await shortLoad(
      await handshakes(t, (socket) => refuse(socket, 403)),
      connecting(400),
    )
    assert.deepEqual([messages, refusals, error], [0, { 403: 40 }, 'of 40 connections, 40 failed (403)'])
  })

  test('what the server does not keep is counted, and why', options, async (t) => {
    const url = await handshakes(t, (socket, key, n) => {
      accept(socket, key)
      if (n === 5) socket.resetAndDestroy()
      if (n === 6 || n === 7) socket.end(buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 243) }))
      if (n === 8) socket.write(buildFrame({ opcode: 3 }))
    })
    const { counts, refusals, error } = await shortLoad(url, connecting(400, { duration: 0.3 }))
    assert.deepEqual(counts, { opened: 40, refused: 0, ended: 4, held: 36 })
    assert.equal(refusals?.['the server sent Close 1011'], 2)
    assert.equal(refusals?.['the server broke the protocol: reserved opcode'], 1)
    assert.match(error ?? '', /^of 40 connections, 4 failed \(most of them by the server sent Close 1011\)$/)
  })

  test('pings are answered while they are idle, and what is said is a greeting', options, async (t) => {
    const pongs: string[] = []
    const url = await handshakes(t, (socket, key, n) => {
      accept(socket, key)
      if (n !== 3) return
      const received: Buffer[] = []
      socket.on('data', (chunk) => {
        received.push(chunk)
        const { events } = parseReference(Buffer.concat(received), { masked: true, limit: 2 ** 20 })
        for (const { opcode, payload } of events.slice(pongs.length)) if (opcode === PONG) pongs.push(String(payload))
      })
      setTimeout(() => socket.write(buildFrame({ opcode: PING, payload: 'there?' })), 50)
      socket.write(buildFrame({ opcode: TEXT, payload: 'hello' }))
    })
    const { error, greetings } = await shortLoad(url, connecting(400, { duration: 0.3 }))
    assert.deepEqual([error, greetings, pongs], [undefined, 1, ['there?']])
  })

  test('a load that is stopped ends all of them', options, async (t) => {
    const url = await echoServer(t)
    const ending = new AbortController()
    setTimeout(() => ending.abort(), 200)
    const began = performance.now()
    const { messages, error } = await shortLoad(
      url,
      connecting(100, { connections: 1000, duration: 60 }),
      ending.signal,
    )
    assert.ok(messages > 0 && messages < 1000)
    assert.equal(error, undefined)
    assert.ok(performance.now() - began < 5000)
  })
})

describe('--churn', { concurrency: 4 }, () => {
  for (const [name, server] of [
    ['this server', echoServer],
    ['ws', wsEchoServer],
  ] as const) {
    test(`opens, exchanges and closes at a rate: ${name}`, options, async (t) => {
      const result = await enough(await server(t), churning(100))
      assert.deepEqual([result.error, result.refusals], [undefined, undefined])
      plausible(result)
      // Those that were due before it was measured may end then.
      assert.ok(result.messages <= 100 * result.seconds + 20, `${result.messages}`)
      assert.equal(result.counts?.['completed'], result.messages)
    })
  }

  for (const [name, given] of [
    ['compared', { verify: true, size: 200 }],
    ['compressed', { kind: 'deflate', size: 200 }],
    ['text with a stamp', { kind: 'text', size: 200 }],
    ['nothing to stamp', { size: 0 }],
    ['large', { size: 100_000 }],
  ] as const) {
    test(`${name}`, options, async (t) => {
      const deflate = name === 'compressed' ? { perMessageDeflate: { threshold: 0 } } : {}
      const { error } = await enough(await wsEchoServer(t, deflate), churning(60, given))
      assert.equal(error, undefined)
    })
  }

  test('the server sees as many connections, and each ends', options, async (t) => {
    const target = await startTarget({ port: 0 })
    t.after(() => target.close())
    const { counts } = await shortLoad(target.url, churning(100))
    while ((await target.statistics()).connections > 0) await sleep(10)
    const { handshakes } = await target.statistics()
    assert.ok(handshakes >= (counts?.['completed'] ?? 0))
  })

  test('a greeting is no answer where there is room for a stamp', options, async (t) => {
    const url = await handshakes(t, (socket, key) => {
      accept(socket, key)
      socket.write(buildFrame({ opcode: TEXT, payload: 'welcome' }))
      socket.on('data', (chunk: Buffer) => {
        if ((chunk[0] ?? 0) === 0x88) {
          socket.end(buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 232) }))
          return
        }
        const body = chunk.subarray(6, 22).map((value, at) => value ^ (chunk[2 + (at % 4)] ?? 0))
        setTimeout(() => socket.write(buildFrame({ opcode: 2, payload: body })), 50)
      })
    })
    const { latency, error } = await enough(url, churning(40))
    assert.equal(error, undefined)
    assert.ok(latency.p50 >= 48_000, `${latency.p50}`)
  })

  test('what is due waits while there are as many as may be, and is charged for it', options, async (t) => {
    let open = 0
    let most = 0
    const url = await handshakes(t, (socket, key) => {
      most = Math.max(most, ++open)
      socket.on('close', () => open--)
      setTimeout(() => accept(socket, key), 30)
      socket.on('data', (chunk: Buffer) => {
        if ((chunk[0] ?? 0) === 0x88) socket.end(buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 232) }))
        else socket.write(buildFrame({ opcode: 2, payload: 'x' }))
      })
    })
    const { latency, error } = await shortLoad(url, churning(200, { connections: 2, sequence: false, duration: 0.8 }))
    assert.equal(error, undefined)
    assert.ok(most <= 3, `${most}`) // the server may see the next one before the end of the last one
    assert.ok(latency.max > 150_000, `${latency.max}`)
  })

  test('what fails is counted, and why', options, async (t) => {
    const url = await handshakes(t, (socket, key, n) => {
      if (n % 3 === 1) return refuse(socket, 503)
      accept(socket, key)
      if (n % 3 === 2) socket.write(buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 243) }))
      else
        socket.on('data', (chunk: Buffer) => {
          if ((chunk[0] ?? 0) === 0x88) socket.end(buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 232) }))
          else socket.write(buildFrame({ opcode: 2, payload: 'x' }))
        })
    })
    const { refusals = {}, error } = await shortLoad(url, churning(100, { sequence: false, duration: 0.8 }))
    assert.ok((refusals['503'] ?? 0) > 1 && (refusals['the server sent Close 1011'] ?? 0) > 1, JSON.stringify(refusals))
    assert.match(error ?? '', /^of \d+ connections, \d+ failed \(most of them by /)
  })

  test('a server that does not answer Close is told', options, async (t) => {
    const url = await handshakes(t, (socket, key) => {
      accept(socket, key)
      socket.once('data', () => socket.write(buildFrame({ opcode: 2, payload: 'x' })))
    })
    const { refusals, messages } = await shortLoad(url, churning(50, { sequence: false, duration: 1.5 }))
    assert.equal(messages, 0)
    assert.deepEqual(Object.keys(refusals ?? {}), ['Close is not answered'])
  })
})

test('servers may say what they like: reasons are bounded', () => {
  const refusals = new Refusals()
  for (let n = 0; n < 1000; n++) refusals.add(`reason ${n}`)
  assert.equal(refusals.total, 1000)
  const { 'other reasons': others, ...known } = refusals.byReason ?? {}
  assert.deepEqual([Object.keys(known).length, others], [32, 968])
})
