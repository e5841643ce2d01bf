// How a WebSocket ends, and what its listeners are told of that, as a program written for ws sees it.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { BINARY, buildFrame, CLOSE, CONTINUATION, close, closeStatus, masked, PING, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'
import { engines, recorded, type Trial } from './engines.js'

const KEY = Buffer.of(1, 2, 3, 4)

/** What breaks which rule, and the close code and the error that say so. */
const BROKEN: readonly [rule: string, bytes: Buffer, code: number, error: string][] = [
  [
    'an unmasked frame',
    buildFrame({ opcode: TEXT, payload: 'x' }),
    1002,
    'RangeError WS_ERR_EXPECTED_MASK Invalid WebSocket frame: MASK must be set',
  ],
  [
    'RSV1',
    buildFrame({ opcode: TEXT, reserved: 4, key: KEY }),
    1002,
    'RangeError WS_ERR_UNEXPECTED_RSV_1 Invalid WebSocket frame: RSV1 must be clear',
  ],
  [
    'RSV2',
    buildFrame({ opcode: TEXT, reserved: 6, key: KEY }),
    1002,
    'RangeError WS_ERR_UNEXPECTED_RSV_2_3 Invalid WebSocket frame: RSV2 and RSV3 must be clear',
  ],
  [
    'RSV3',
    buildFrame({ opcode: TEXT, reserved: 1, key: KEY }),
    1002,
    'RangeError WS_ERR_UNEXPECTED_RSV_2_3 Invalid WebSocket frame: RSV2 and RSV3 must be clear',
  ],
  [
    'opcode 5',
    buildFrame({ opcode: 5, key: KEY }),
    1002,
    'RangeError WS_ERR_INVALID_OPCODE Invalid WebSocket frame: invalid opcode 5',
  ],
  [
    'a continuation of nothing',
    masked(CONTINUATION, 'x'),
    1002,
    'RangeError WS_ERR_INVALID_OPCODE Invalid WebSocket frame: invalid opcode 0',
  ],
  [
    'a message within a message',
    Buffer.concat([masked(TEXT, 'x', false), masked(BINARY, 'y')]),
    1002,
    'RangeError WS_ERR_INVALID_OPCODE Invalid WebSocket frame: invalid opcode 2',
  ],
  [
    'a fragmented ping',
    masked(PING, 'x', false),
    1002,
    'RangeError WS_ERR_EXPECTED_FIN Invalid WebSocket frame: FIN must be set',
  ],
  [
    'a long ping',
    masked(PING, Buffer.alloc(126)),
    1002,
    'RangeError WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH Invalid WebSocket frame: invalid payload length 126',
  ],
  [
    'a long ping without a mask',
    buildFrame({ opcode: PING, payload: Buffer.alloc(126) }),
    1002,
    'RangeError WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH Invalid WebSocket frame: invalid payload length 126',
  ],
  [
    'half of a close code',
    masked(CLOSE, 'x'),
    1002,
    'RangeError WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH Invalid WebSocket frame: invalid payload length 1',
  ],
  [
    'a close code that must not be sent',
    close(1006),
    1002,
    'RangeError WS_ERR_INVALID_CLOSE_CODE Invalid WebSocket frame: invalid status code 1006',
  ],
  [
    'text that is not UTF-8',
    masked(TEXT, Buffer.of(0xff)),
    1007,
    'Error WS_ERR_INVALID_UTF8 Invalid WebSocket frame: invalid UTF-8 sequence',
  ],
  [
    'a reason that is not UTF-8',
    masked(CLOSE, Buffer.of(0x03, 0xe8, 0xff)),
    1007,
    'Error WS_ERR_INVALID_UTF8 Invalid WebSocket frame: invalid UTF-8 sequence',
  ],
  [
    'a message that is too long',
    masked(BINARY, Buffer.alloc(101)),
    1009,
    'RangeError WS_ERR_UNSUPPORTED_MESSAGE_LENGTH Max payload size exceeded',
  ],
  [
    'a message of too many frames',
    Buffer.concat([1, 2, 3, 4].map((_, at) => masked(at === 0 ? TEXT : CONTINUATION, 'x', false))),
    1008,
    'RangeError WS_ERR_TOO_MANY_BUFFERED_PARTS Too many message fragments',
  ],
  [
    'a length beyond counting',
    Buffer.concat([buildFrame({ opcode: BINARY, key: KEY, announced: 2n ** 53n })]),
    1009,
    'RangeError WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH Unsupported WebSocket frame: payload length > 2^53 - 1',
  ],
]

async function until(log: string[], what: string): Promise<void> {
  await eventually(() => log.some((line) => line.startsWith(what)), what)
}

for (const { name, open } of engines) {
  describe(`over ${name}`, () => {
    test('a client that says Close is answered with its own code and reason', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      client.write(Buffer.concat([masked(TEXT, 'last'), close(4321, 'reason'), masked(TEXT, 'after')]))
      const frames = await client.frames(1)
      assert.deepEqual(closeStatus(frames[0]), { code: 4321, reason: 'reason' })
      assert.equal(ws.readyState, 2)
      await client.end()
      client.socket.end()
      await until(log, 'close')
      assert.deepEqual(log, ['message Buffer(last) false in 1', 'close 4321 Buffer(reason) in 3'])
    })

    test('a Close without a code is answered with one, and is 1005', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      client.write(close())
      const [frame] = await client.frames(1)
      assert.equal(frame?.payload.length, 0)
      client.socket.end()
      await until(log, 'close')
      assert.deepEqual(log, ['close 1005 Buffer() in 3'])
    })

    test('this side says Close, takes what still comes, and ends with what the client answers', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      let called: unknown
      ws.close(1001, Buffer.from('going'))
      ws.close(1002)
      assert.equal(ws.readyState, 2)
      ws.send('not sent', (error) => {
        called = error?.message
      })
      const frames = await client.frames(1)
      assert.deepEqual(closeStatus(frames[0]), { code: 1001, reason: 'going' })
      client.write(Buffer.concat([masked(TEXT, 'still'), masked(PING, 'p'), close(3000)]))
      await client.end()
      client.socket.end()
      await until(log, 'close')
      assert.deepEqual(log, ['message Buffer(still) false in 2', 'ping Buffer(p) in 2', 'close 3000 Buffer() in 3'])
      assert.equal(client.receivedFrames.length, 1)
      assert.equal(called, 'WebSocket is not open: readyState 2 (CLOSING)')
      assert.equal(ws.bufferedAmount, 8)
      ws.close()
      ws.terminate()
      ws.pause()
      ws.resume()
      await settle()
      assert.equal(log.length, 3)
    })

    for (const [rule, bytes, code, error] of BROKEN) {
      test(`${rule} is an error before the end, which has the code 1006`, async (t) => {
        const { ws, client } = await open(t, { maxPayload: 100, maxFragments: 3 })
        const log = recorded(ws)
        client.write(bytes)
        const [frame] = await client.frames(1)
        assert.deepEqual(closeStatus(frame), { code, reason: '' })
        await until(log, error.split(' ')[0] ?? '')
        assert.deepEqual(log, [`${error} in 2`])
        client.write(close(1000))
        await client.end()
        client.socket.end()
        await until(log, 'close')
        assert.deepEqual(log, [`${error} in 2`, 'close 1006 Buffer() in 3'])
      })
    }

    test('frames before a broken one are delivered, those after it are not', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      client.write(Buffer.concat([masked(TEXT, 'before'), masked(3, ''), masked(TEXT, 'after')]))
      await until(log, 'RangeError')
      await settle()
      assert.equal(log[0], 'message Buffer(before) false in 1')
      assert.equal(log.filter((line) => line.startsWith('message')).length, 1)
    })

    const ends: readonly [string, (trial: Trial) => void][] = [
      ['terminate', ({ ws }) => ws.terminate()],
      ['a client that half-closes', ({ client }) => client.socket.end()],
      ['a client that goes', ({ client }) => client.socket.destroy()],
      ['the destruction of its socket', ({ socket }) => socket.destroy()],
    ]
    for (const [what, end] of ends) {
      test(`${what} ends it with 1006, later, and without an error`, async (t) => {
        const trial = await open(t)
        const { ws, client } = trial
        const log = recorded(ws)
        end(trial)
        assert.deepEqual(log, [])
        await client.end().catch(() => undefined)
        client.socket.end()
        await until(log, 'close')
        assert.deepEqual(log, ['close 1006 Buffer() in 3'])
        const errors: unknown[] = []
        ws.send('late', (error) => errors.push(error?.message))
        ws.ping('late', undefined, (error) => errors.push(error?.message))
        assert.deepEqual(errors, [])
        await settle()
        assert.deepEqual(errors, Array(2).fill('WebSocket is not open: readyState 3 (CLOSED)'))
      })
    }

    test('callbacks of what has not left get an error before it closes', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      client.socket.pause()
      const big = Buffer.alloc(16 * 1024 * 1024)
      ws.send(big, () => log.push('first'))
      ws.send('second', (error) => log.push(`second ${error instanceof Error}`))
      ws.send('third', (error) => log.push(`third ${error instanceof Error}`))
      await settle()
      ws.terminate()
      await until(log, 'close')
      assert.deepEqual(
        log.filter((line) => line !== 'first'),
        ['second true', 'third true', 'close 1006 Buffer() in 3'],
      )
    })

    test('a client that does not answer Close has the close timeout', async (t) => {
      const { ws, client } = await open(t, { closeTimeout: 60 })
      const log = recorded(ws)
      ws.close(1000)
      await client.frames(1)
      await until(log, 'close')
      assert.deepEqual(log, ['close 1006 Buffer() in 3'])
    })

    test('mistakes of the caller are thrown, and change nothing', async (t) => {
      const { ws, client } = await open(t)
      const close = ws.close.bind(ws) as (...values: unknown[]) => void
      for (const code of ['1000', 1004, 1005, 1006, 999, 5000, null, Number.NaN])
        assert.throws(() => close(code), {
          name: 'TypeError',
          message: 'First argument must be a valid error code number',
        })
      assert.throws(() => close(1000, 'x'.repeat(124)), {
        name: 'RangeError',
        message: 'The message must not be greater than 123 bytes',
      })
      assert.throws(() => ws.ping('x'.repeat(126)), {
        name: 'RangeError',
        message: 'The data size must not be greater than 125 bytes',
      })
      assert.throws(() => ws.pong(Buffer.alloc(126)), RangeError)
      assert.throws(() => ws.send(Symbol('x')), TypeError)
      assert.throws(() => ws.send({}), TypeError)
      assert.throws(() => ws.send(true), TypeError)
      assert.equal(ws.readyState, 1)
      ws.send('fine')
      const [frame] = await client.frames(1)
      assert.equal(frame?.payload.toString(), 'fine')
    })
  })
}
