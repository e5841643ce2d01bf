// Servers that answer requests by their ids: the load knows answers by a field of their JSON, in whatever order they come.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { LoadOptions } from '../../src/load/load.js'
import { numberWithin, templateOf } from '../../src/load/patterns/matchedMessages.js'
import { BINARY, buildFrame, TEXT } from '../support/frames.js'
import { options, shortLoad, upgradingServer, wsServer } from './peers.js'

/** A server of requests: `answer` is given the n-th of a connection, parsed. */
function requests(
  t: TestContext,
  answer: (socket: WebSocket, request: { id: number; method?: string }, n: number) => unknown,
): Promise<string> {
  return wsServer(t, (socket) => {
    let n = 0
    socket.on('message', (data, isBinary) => {
      assert.equal(isBinary, false)
      answer(socket, JSON.parse(String(data)), n++)
    })
  })
}

function matched(more: Partial<LoadOptions> = {}): Partial<LoadOptions> {
  return { pattern: { name: 'match', field: 'id' }, connections: 2, warmup: 0, duration: 0.2, pipeline: 4, ...more }
}

const NONE = { lost: 0, doubled: 0, reordered: 0 }

describe('--match', { concurrency: 4 }, () => {
  for (const rate of [0, 200]) {
    const pace = { rate, pipeline: rate > 0 ? 1 : 4 }
    const loop = rate > 0 ? 'open' : 'closed'

    test(`answers of other lengths, among messages of the server's own, in the ${loop} loop`, options, async (t) => {
      const url = await requests(t, (socket, { id }, n) => {
        if (n % 3 === 0) socket.send('{"event":"tick"}')
        socket.send(JSON.stringify({ result: 'x'.repeat(n % 300), id }))
        if (n % 4 === 0) socket.send('not JSON')
      })
      const { error, disorder, messages, counts, latency } = await shortLoad(url, matched(pace))
      assert.deepEqual([error, disorder], [undefined, NONE])
      assert.ok(messages > 3 && (counts?.['others'] ?? 0) > 0)
      assert.ok(latency.p50 > 0)
    })

    test(`answers in any order are counted, and no failure, in the ${loop} loop`, options, async (t) => {
      const kept: { id: number }[] = []
      const url = await requests(t, (socket, request, n) => {
        kept.push(request)
        if (n % 2 === 1) for (const { id } of kept.splice(0).reverse()) socket.send(`{"id":"${id}"}`)
      })
      const given = matched({ ...pace, connections: 1, duration: 0.3 })
      const { error, disorder, messages } = await shortLoad(url, given)
      assert.match(error ?? '', /^(?:of the messages, 1 lost)?$/) // the load may end between two
      assert.ok(messages > 3 && (disorder?.reordered ?? 0) > 0, JSON.stringify(disorder))
    })

    test(`what is lost or doubled is, in the ${loop} loop`, options, async (t) => {
      const url = await requests(t, (socket, { id }, n) => {
        const times = n === 2 ? 0 : n === 3 ? 2 : 1
        for (let time = 0; time < times; time++) socket.send(`{"id":${id}}`)
      })
      const { error, disorder, messages } = await shortLoad(url, matched({ ...pace, connections: 1, duration: 0.3 }))
      assert.equal(error, 'of the messages, 1 lost, 1 doubled')
      assert.deepEqual([disorder?.lost, disorder?.doubled], [1, 1])
      assert.ok(messages > 3)
    })
  }

  test('each latency is that of its own answer', options, async (t) => {
    const url = await requests(t, async (socket, { id }, n) => {
      if (n % 2 === 1) await sleep(100)
      socket.send(`{"id":${id}}`)
    })
    const { latency, messages } = await shortLoad(url, matched({ rate: 100, pipeline: 1, duration: 0.5 }))
    assert.ok(messages > 8)
    assert.ok(latency.p50 < 100_000 || latency.p90 >= 95_000, JSON.stringify(latency))
    assert.ok(latency.p90 >= 95_000)
  })

  test('a message of your own, with the field in a member', options, async (t) => {
    const seen = new Set<string>()
    const url = await requests(t, (socket, request) => {
      const { id, ...rest } = Object(request).meta
      seen.add(JSON.stringify({ ...request, meta: rest }))
      socket.send(JSON.stringify({ meta: { id, took: 1 } }))
    })
    const pattern = { name: 'match', field: 'meta.id', message: '{"method":"ping","meta":{"v":1}}' } as const
    const { error, messages } = await shortLoad(url, matched({ pattern }))
    assert.equal(error, undefined)
    assert.ok(messages > 3)
    assert.deepEqual([...seen], ['{"method":"ping","meta":{"v":1}}'])
  })

  test('messages of our own have the length that was asked for', options, async (t) => {
    const lengths = new Set<number>()
    const url = await upgradingServer(t, (socket, chunk) => {
      lengths.add((chunk[1] ?? 0) & 0x7f)
      socket.end()
    })
    await shortLoad(url, matched({ size: 100, connections: 1, pipeline: 1 }))
    assert.deepEqual([...lengths], [100])
  })

  for (const [name, frame, expected] of [
    [
      'a message that never ends',
      buildFrame({ opcode: TEXT, announced: 2n ** 40n }),
      /^the server sent a message of more than 16777216 bytes$/,
    ],
    ['a reserved bit', buildFrame({ opcode: BINARY, reserved: 4 }), /a reserved bit is set/],
    ['a mask', buildFrame({ opcode: TEXT, payload: '{}', key: Buffer.of(1, 2, 3, 4) }), /masked frame from a server/],
  ] as const) {
    test(`${name} ends the load`, options, async (t) => {
      const filler = Buffer.alloc(2 ** 20, '1')
      const url = await upgradingServer(t, (socket) => {
        socket.write(frame)
        if (name === 'a message that never ends') {
          const more = (): void => {
            while (!socket.destroyed && socket.write(filler));
            if (!socket.destroyed) socket.once('drain', more)
          }
          more()
        }
      })
      const { error } = await shortLoad(url, matched({ duration: 20 }))
      assert.match(error ?? '', expected)
    })
  }
})

describe('messages that are matched', () => {
  test('have the number where the field is', () => {
    const message = (field: string, size: number, given?: string): string => {
      const { before, after } = templateOf(field, size, given)
      return `${before}7${after}`
    }
    assert.equal(message('id', 0), '{"id":7}')
    assert.equal(message('id', 20).length, 20)
    assert.deepEqual(JSON.parse(message('id', 20)), { id: 7 })
    assert.equal(message('a.b', 0, '{"a":{"c":1},"d":"é"}'), '{"a":{"c":1,"b":7},"d":"é"}')
    assert.equal(message('id', 100, '{"id":"old"}'), '{"id":7}')
    assert.equal(message('__proto__.x', 0), '{"__proto__":{"x":7}}')
  })

  test('are read where it is a whole number, or text of one', () => {
    for (const [text, field, expected] of [
      ['{"id":7}', 'id', 7],
      ['{"id":"7"}', 'id', 7],
      ['[{"id":7}]', '0.id', 7],
      ['{"a":{"b":7}}', 'a.b', 7],
      ['{"id":7.5}', 'id', undefined],
      ['{"id":null}', 'id', undefined],
      ['{"id":[7]}', 'id', undefined],
      ['7', 'id', undefined],
      ['null', 'id', undefined],
      ['{"id":7', 'id', undefined],
      ['{"id":1e400}', 'id', undefined],
      ['{}', 'toString.length', undefined],
    ] as const) {
      assert.equal(numberWithin(text, field), expected, text)
    }
  })

  test('are refused where there is no place for the field', () => {
    for (const [field, message] of [
      ['', undefined],
      ['a..b', undefined],
      ['id', '[]'],
      ['id', '7'],
      ['id', '{'],
    ] as const) {
      assert.throws(() => templateOf(field, 0, message), TypeError)
    }
  })
})
