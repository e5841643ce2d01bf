// What a server writes is shown to a person, and must not act on that person's terminal: not from a reason phrase, a
// header, a close reason or an error text. And a server that writes without end must find an end.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { dial } from '../../src/load/dial.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { printable } from '../../src/protocol/printable.js'
import { runCli } from '../command/cliProcess.js'
import { effort } from '../support/effort.js'
import { BINARY, buildFrame, CLOSE } from '../support/frames.js'
import { options, shortLoad, tcpServer, upgradingServer } from './peers.js'

const EVIL = '\x1b]0;owned\x07\x1b[2J\u009b31m\u202egnp.exe'
const SHORT = ['--connections', '2', '--duration', '200ms', '--warmup', '0']

/** Whether a terminal shows it as it is. */
function isHarmless(text: string): boolean {
  return !/[^\P{C}\n]/u.test(text)
}

/** Reads a request's head, then does what the test wants. */
function asked(answer: (socket: Socket, key: string) => void) {
  return (socket: Socket): void => {
    socket.once('data', (head) => answer(socket, /sec-websocket-key: (\S+)/i.exec(String(head))?.[1] ?? ''))
  }
}

function upgrade(key: string, more = ''): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${more}Sec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`
}

describe('printable', () => {
  test('leaves what a terminal shows, in any language', () => {
    for (const text of ['', 'going away', 'Zoë, 水車, Москва 😀', 'a\\b']) assert.equal(printable(text), text)
  })

  test('escapes what acts on one, and what can not be seen', () => {
    assert.equal(printable('\x1b[2J\r\n\t\x00\x7f'), '\\u{1b}[2J\\u{d}\\u{a}\\u{9}\\u{0}\\u{7f}')
    assert.equal(printable('\u009b\u202e\u200b\u2028\ufeff'), '\\u{9b}\\u{202e}\\u{200b}\\u{2028}\\u{feff}')
    assert.equal(printable('\ud83d'), '\\u{d83d}')
    for (let code = 0; code < 0x3000; code++) assert.ok(isHarmless(printable(String.fromCodePoint(code))), `${code}`)
  })

  test('is bounded', () => {
    assert.equal(printable('x'.repeat(400)), `${'x'.repeat(300)}…`)
    assert.ok(printable('\x00'.repeat(1e6)).length < 3000)
  })
})

describe('what is printed', options, () => {
  const forms = [[], ['--json']]
  const latin1 = Buffer.from(EVIL, 'latin1').toString('latin1')
  for (const [at, [name, server]] of (
    [
      [
        'a reason phrase',
        asked((socket) => socket.end(`HTTP/1.1 403 ${latin1}\r\nContent-Length: 0\r\n\r\n`, 'latin1')),
      ],
      [
        'an extension',
        asked((socket, key) => socket.write(upgrade(key, `Sec-WebSocket-Extensions: \u009b31m\r\n`), 'latin1')),
      ],
      [
        'a subprotocol',
        asked((socket, key) => socket.write(upgrade(key, `Sec-WebSocket-Protocol: \u009b31m\r\n`), 'latin1')),
      ],
      ['what is no HTTP', asked((socket) => socket.end(EVIL))],
      [
        'a close reason',
        asked((socket, key) => {
          socket.write(upgrade(key))
          socket.write(buildFrame({ opcode: CLOSE, payload: Buffer.concat([Buffer.of(3, 243), Buffer.from(EVIL)]) }))
        }),
      ],
    ] as const
  ).entries()) {
    for (const json of effort({ quick: forms.slice(at % 2, (at % 2) + 1), full: forms })) {
      test(`is harmless, from ${name}${json.length > 0 ? ', for a program' : ''}`, options, async (t) => {
        const { code, stdout, stderr } = await runCli('bench', await tcpServer(t, server), ...SHORT, ...json)
        assert.equal(code, 1)
        assert.ok(isHarmless(stdout) && isHarmless(stderr), JSON.stringify([stdout, stderr]))
        assert.match(stderr, /^(measuring\n)?millrace: [^\n]+\n$/)
      })
    }
  }

  test('is a close reason as it was said, otherwise', options, async (t) => {
    const close = buildFrame({ opcode: CLOSE, payload: Buffer.concat([Buffer.of(3, 233), Buffer.from('Zoë geht\n')]) })
    const url = await upgradingServer(t, (socket) => socket.write(close))
    assert.equal((await shortLoad(url, { duration: 20 })).error, 'the server sent Close 1001 Zoë geht\\u{a}')
  })
})

describe('a response', options, () => {
  /** How dialling ends. */
  async function problem(url: string): Promise<string> {
    const error = await dial(new URL(url), undefined, 5000).then(
      ({ stream }) => stream.destroy(),
      (error: Error) => error,
    )
    return error instanceof Error ? error.message : 'none'
  }

  for (const [name, answer, expected] of [
    [
      'one header without an end',
      (socket: Socket) => pour(socket, 'HTTP/1.1 101 x\r\nA: ', 'a'),
      /a head of more than 16384 bytes/,
    ],
    [
      'headers without an end',
      (socket: Socket) => pour(socket, 'HTTP/1.1 101 x\r\n', 'A: a\r\n'),
      /a head of more than 16384 bytes/,
    ],
    [
      'a reason without an end',
      (socket: Socket) => pour(socket, 'HTTP/1.1 403 ', 'x'),
      /a head of more than 16384 bytes|in time/,
    ],
    ['a body without an end', (socket: Socket) => pour(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'x'), /refused: 200 OK/],
    ['103 for ever', (socket: Socket) => pour(socket, '', 'HTTP/1.1 103 Early\r\n\r\n'), /without end/],
  ] as const) {
    test(`with ${name} ends`, options, async (t) => {
      const before = process.memoryUsage().rss
      assert.match(await problem(await tcpServer(t, asked(answer))), expected)
      assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20)
    })
  }

  test('must name the upgrade in Connection, and no subprotocol that nobody asked for', options, async (t) => {
    const protocol = await tcpServer(
      t,
      asked((socket, key) => socket.write(upgrade(key, 'Sec-WebSocket-Protocol: chat\r\n'))),
    )
    assert.match(await problem(protocol), /a subprotocol that was not asked for: chat$/)
  })

  test('may come byte by byte, with a frame after it', options, async (t) => {
    const url = await tcpServer(
      t,
      asked(async (socket, key) => {
        socket.setNoDelay(true)
        for (const byte of Buffer.concat([
          Buffer.from(upgrade(key)),
          buildFrame({ opcode: BINARY, payload: 'hello' }),
        ])) {
          socket.write(Buffer.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
        socket.on('data', (chunk: Buffer) => {
          for (let at = 0; at + 22 <= chunk.length; at += 22) {
            const [key, body] = [chunk.subarray(at + 2, at + 6), chunk.subarray(at + 6, at + 22)]
            if ((chunk[at] ?? 0) !== 0x82) return
            socket.write(buildFrame({ opcode: BINARY, payload: body.map((value, n) => value ^ (key[n % 4] ?? 0)) }))
          }
        })
      }),
    )
    const { error, greetings, messages } = await shortLoad(url, { connections: 2, pipeline: 1, verify: true })
    assert.deepEqual([error, greetings], [undefined, 2])
    assert.ok(messages > 0)
  })

  test('may bring the greeting in its own segment, at every cut', options, async (t) => {
    let cut = 0
    const url = await tcpServer(
      t,
      asked(async (socket, key) => {
        socket.setNoDelay(true)
        const bytes = Buffer.concat([Buffer.from(upgrade(key)), buildFrame({ opcode: BINARY, payload: 'hello' })])
        const at = bytes.length - cut++
        socket.write(bytes.subarray(0, at))
        await new Promise((resolve) => setTimeout(resolve, 5))
        socket.write(bytes.subarray(at))
      }),
    )
    const { error, greetings } = await shortLoad(url, { connections: 12, rate: 12 })
    assert.deepEqual([error, greetings], [undefined, 12])
  })
})

/** Writes without an end, as fast as it is read. */
function pour(socket: Socket, first: string, more: string): void {
  socket.write(first)
  const piece = more.repeat(10_000)
  const next = (): void => {
    while (!socket.destroyed && socket.write(piece));
    socket.once('drain', next)
  }
  next()
}
