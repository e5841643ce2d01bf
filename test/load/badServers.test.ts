// A benchmark of a server that doesn't echo measures nothing: whatever a server gets wrong must end the load and be named.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { BINARY, CLOSE, type FrameParts, buildFrame as frameOf, TEXT } from '../support/frames.js'
import { options, shortLoad, tcpServer, upgradingServer } from './peers.js'

/** Text stands for its bytes: a close code can't be written in UTF-8. */
function buildFrame(parts: FrameParts): Buffer {
  const { payload } = parts
  return frameOf(typeof payload === 'string' ? { ...parts, payload: Buffer.from(payload, 'latin1') } : parts)
}

const ECHO_FRAMES = 6 + 16
/** What payloadOf gives for 16 bytes. */
const payload = Buffer.from(Uint8Array.from({ length: 16 }, (_, at) => (at * 131) & 0xff))
const echo = buildFrame({ opcode: BINARY, payload })

/** Answers each message of 16 bytes; `answer` says with what. */
function answering(answer: (socket: Socket, message: number) => Uint8Array | undefined) {
  const bytes = new WeakMap<Socket, number>()
  const messages = new WeakMap<Socket, number>()
  return (socket: Socket, chunk: Buffer): void => {
    let read = (bytes.get(socket) ?? 0) + chunk.length
    for (; read >= ECHO_FRAMES; read -= ECHO_FRAMES) {
      const message = messages.get(socket) ?? 0
      messages.set(socket, message + 1)
      const frame = answer(socket, message)
      if (frame !== undefined) socket.write(frame)
    }
    bytes.set(socket, read)
  }
}

function notSent(came: number): string {
  return `an echo is not what was sent (${came} bytes came, 16 were sent)`
}

const LONG = { connections: 2, duration: 20, pipeline: 1 }

describe('a server that is no echo server', options, () => {
  test('this one is, so the others are refused for what they do', options, async (t) => {
    const url = await upgradingServer(
      t,
      answering(() => echo),
    )
    const { error, messages } = await shortLoad(url, { verify: true, pipeline: 1 })
    assert.equal(error, undefined)
    assert.ok(messages > 0)
  })

  const wrong = Buffer.from(payload)
  wrong[15] = (wrong[15] ?? 0) ^ 1
  for (const [name, frame, expected] of [
    ['another last byte', buildFrame({ opcode: BINARY, payload: wrong }), /^an echo is not what was sent \(16 bytes/],
    ['a byte less', buildFrame({ opcode: BINARY, payload: payload.subarray(1) }), /\(15 bytes came, 16 were sent\)/],
    ['nothing', buildFrame({ opcode: BINARY }), /\(0 bytes came/],
    ['text', buildFrame({ opcode: TEXT, payload: 'a'.repeat(16) }), /^an echo came back as another kind of message$/],
    ['reserved bits', buildFrame({ opcode: BINARY, payload, reserved: 4 }), /^the server broke the protocol: /],
    ['masked', buildFrame({ opcode: BINARY, payload, key: Buffer.of(1, 2, 3, 4) }), /^the server broke the protocol: /],
    ['Close', buildFrame({ opcode: CLOSE, payload: Buffer.from('\x03\xf3why', 'latin1') }), /sent Close 1011 why$/],
  ] as const) {
    test(`verified, the hundredth answer: ${name}`, options, async (t) => {
      const url = await upgradingServer(
        t,
        answering((_, message) => (message === 99 ? frame : echo)),
      )
      const { error } = await shortLoad(url, { ...LONG, verify: true })
      assert.match(error ?? '', expected)
    })
  }

  const broke = 'the server broke the protocol:'
  for (const [name, frame, expected] of [
    [
      'masked',
      buildFrame({ opcode: BINARY, payload, key: Buffer.of(1, 2, 3, 4) }),
      `${broke} masked frame from a server`,
    ],
    ['Close', buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 232) }), 'the server sent Close 1000'],
    ['Close with words', buildFrame({ opcode: CLOSE, payload: '\x03\xf3why' }), 'the server sent Close 1011 why'],
    ['Close without', buildFrame({ opcode: CLOSE }), 'the server sent Close without a code'],
    ['a wrong Close', buildFrame({ opcode: CLOSE, payload: '\x03' }), `${broke} Close frame with half a close code`],
    ['two for one', Buffer.concat([echo, echo]), 'the server sent more messages than it got'],
    [
      'reserved bits',
      buildFrame({ opcode: BINARY, payload, reserved: 4 }),
      `${broke} a reserved bit is set that no extension uses`,
    ],
    ['a reserved opcode', buildFrame({ opcode: 3, payload }), `${broke} reserved opcode`],
    ['a byte less', buildFrame({ opcode: BINARY, payload: payload.subarray(1) }), notSent(15)],
    ['a byte more', buildFrame({ opcode: BINARY, payload: Buffer.concat([payload, payload]) }), notSent(32)],
    ['nothing', buildFrame({ opcode: BINARY }), notSent(0)],
    ['a terabyte', buildFrame({ opcode: BINARY, announced: 2n ** 40n }), notSent(2 ** 40)],
  ] as const) {
    for (const rate of name === 'masked' || name === 'Close' || name === 'two for one' ? [0, 2000] : [0]) {
      test(`counted${rate > 0 ? ', on schedule' : ''}: ${name}`, options, async (t) => {
        const url = await upgradingServer(
          t,
          answering((_, message) => (message === 99 ? frame : echo)),
        )
        // Alone on its connection, so that no other message makes up for the one too many.
        const { error, messages } = await shortLoad(url, { ...LONG, warmup: 0, rate: rate / 10 })
        assert.equal(error, expected)
        assert.ok(messages > 0)
      })
    }
  }

  for (const how of ['destroy', 'end', 'resetAndDestroy'] as const) {
    test(`dies mid-run by ${how}: what was measured stays`, options, async (t) => {
      const deaths = answering((socket, message) => {
        if (message === 200) socket[how]()
        return message < 200 ? echo : undefined
      })
      const began = performance.now()
      const { error, messages, seconds } = await shortLoad(await upgradingServer(t, deaths), { ...LONG, warmup: 0 })
      assert.match(error ?? '', /^the (server ended the connection|connection broke)$/)
      assert.ok(messages > 0 && seconds > 0)
      assert.ok(performance.now() - began < 5000)
    })
  }

  test('ends every connection as soon as it is open', options, async (t) => {
    const url = await upgradingServer(
      t,
      () => undefined,
      (socket) => socket.end(),
    )
    const { error, messages } = await shortLoad(url, { ...LONG, connections: 100 })
    assert.equal(error, 'the server ended the connection')
    assert.equal(messages, 0)
  })

  test('refuses the last of many connections: none is left open', options, async (t) => {
    const open = new Set<Socket>()
    let asked = 0
    const url = await tcpServer(t, (socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      asked++
      if (asked === 40) socket.once('data', () => socket.end('HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n'))
      else socket.resume() // and never answers
    })
    const began = performance.now()
    await assert.rejects(shortLoad(url, { connections: 60 }), (error: Error) => {
      assert.equal(Reflect.get(error, 'code'), 'ERR_CONNECT_REFUSED')
      assert.match(error.message, /refused: 503 Full$/)
      return true
    })
    assert.ok(performance.now() - began < 5000, 'it waited for those that never answer')
    for (let waited = 0; open.size > 0 && waited < 100; waited++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(open.size, 0)
  })
})
