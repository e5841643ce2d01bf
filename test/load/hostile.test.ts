// Whatever a server does to a pattern of the load, it ends: in time, in little memory, with one line that says why.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import type { LoadOptions } from '../../src/load/load.js'
import type { Pattern } from '../../src/load/pattern.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { runCli } from '../command/cliProcess.js'
import { effort } from '../support/effort.js'
import { BINARY, buildFrame } from '../support/frames.js'
import { options, shortLoad, tcpServer } from './peers.js'

const PATTERNS: Readonly<Record<Pattern['name'], Partial<LoadOptions>>> = {
  reply: { pattern: { name: 'reply', answers: 1 } },
  fanout: { pattern: { name: 'fanout', topic: 'x' } },
  connect: { pattern: { name: 'connect', rate: 100 }, connections: 10 },
  churn: { pattern: { name: 'churn', rate: 50 }, sequence: true, pipeline: 1, connections: 5 },
  match: { pattern: { name: 'match', field: 'id' } },
  script: {
    pattern: {
      name: 'script',
      script: {
        open: (connection) => void connection.send('x'),
        message: (connection) => void connection.send('x'),
      },
    },
  },
}
const NAMES = Object.keys(PATTERNS) as Pattern['name'][]

type Act = (socket: Socket, key: string) => void

function accepted(act: (socket: Socket) => void): Act {
  return (socket, key) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
    )
    act(socket)
  }
}

/** Writes for ever, as fast as the other side reads. */
function endless(socket: Socket, chunk: Buffer): void {
  const more = (): void => {
    for (let written = 0; written < 64 && !socket.destroyed && socket.write(chunk); written++);
    if (!socket.destroyed) setImmediate(more)
  }
  more()
}

/** What the server does when it is asked, and the patterns that have nothing against it. */
const SERVERS: Readonly<Record<string, readonly [act: Act, fine?: readonly Pattern['name'][]]>> = {
  'resets when it is asked': [(socket) => socket.resetAndDestroy()],
  'ends when it is asked': [(socket) => socket.end()],
  'answers with another accept': [(socket) => accepted(() => undefined)(socket, 'other')],
  'answers with a head without end': [
    (socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n')
      endless(socket, Buffer.from(`X: ${'x'.repeat(1000)}\r\n`))
    },
  ],
  'answers with no HTTP': [(socket) => socket.end('SSH-2.0-x\r\n')],
  'resets when it is open': [accepted((socket) => socket.resetAndDestroy())],
  'resets at the first message': [
    accepted((socket) => socket.once('data', () => socket.resetAndDestroy())),
    ['connect'],
  ],
  'ends at the first message': [accepted((socket) => socket.once('data', () => socket.end())), ['connect']],
  'sends a frame without end': [
    accepted((socket) => {
      socket.write(buildFrame({ opcode: BINARY, announced: 2n ** 40n }))
      endless(socket, Buffer.alloc(65_536))
    }),
    ['connect'],
  ],
  'sends fragments without end': [
    accepted((socket) => {
      socket.write(buildFrame({ opcode: BINARY, payload: 'x', fin: false }))
      endless(socket, buildFrame({ opcode: 0, payload: Buffer.alloc(16_000), fin: false }))
    }),
    ['connect'],
  ],
  'sends empty fragments without end': [
    accepted((socket) => {
      socket.write(buildFrame({ opcode: BINARY, payload: 'x', fin: false }))
      endless(socket, Buffer.concat(Array(8000).fill(buildFrame({ opcode: 0, payload: '', fin: false }))))
    }),
    ['connect'],
  ],
  'sends messages without end': [
    accepted((socket) => endless(socket, Buffer.concat(Array(100).fill(buildFrame({ opcode: BINARY, payload: 'x' }))))),
    ['connect', 'script'],
  ],
  'sends nonsense': [accepted((socket) => socket.write(Buffer.alloc(100, 0xff)))],
  'is silent once it is open': [accepted(() => undefined), ['connect']],
}

/** What became of a load: the line that says what went wrong, or nothing. */
async function lineOf(url: string, given: Partial<LoadOptions>): Promise<string | undefined> {
  try {
    const { error, messages } = await shortLoad(url, given)
    return error ?? (messages === 0 ? 'nothing was answered' : undefined)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function server(t: TestContext, act: Act): Promise<string> {
  return tcpServer(t, (socket) => {
    socket.once('data', (head) => act(socket, /sec-websocket-key: (\S+)/i.exec(String(head))?.[1] ?? ''))
  })
}

/** Where several tests run at once, each is charged for all. */
const AT_ONCE = effort({ quick: 4, full: 1 })
const MOST_MEMORY = 96 * AT_ONCE * 2 ** 20

describe('a server that', { concurrency: AT_ONCE }, () => {
  for (const [at, [name, [act, fine = []]]] of Object.entries(SERVERS).entries()) {
    // Each server meets some of the patterns, and with the full suite all of them.
    const met = effort({ quick: NAMES.filter((_, n) => n === at % NAMES.length), full: NAMES })
    test(`${name}: ${met.join(', ')}`, options, async (t) => {
      const url = await server(t, act)
      for (const pattern of met) {
        const before = process.memoryUsage().rss
        const began = performance.now()
        const line = await lineOf(url, { connections: 3, duration: 0.2, warmup: 0, ...PATTERNS[pattern] })
        const took = performance.now() - began
        assert.ok(took < 8000, `${pattern} took ${took} ms`)
        if (fine.includes(pattern)) assert.equal(line, undefined, pattern)
        else assert.match(line ?? '', /^[^\n]{5,400}$/, pattern)
        assert.ok(process.memoryUsage().rss - before < MOST_MEMORY, pattern)
      }
    })
  }

  for (const pattern of effort({ quick: [], full: NAMES })) {
    test(`says nothing when it is asked: ${pattern}`, options, async (t) => {
      const began = performance.now()
      const line = await lineOf(await server(t, () => undefined), PATTERNS[pattern])
      assert.match(line ?? '', /gave no answer within 10000 ms$/)
      assert.ok(performance.now() - began < 15_000)
    })
  }
})

describe('millrace bench', { concurrency: 2 }, () => {
  const [reset] = SERVERS['resets when it is open'] ?? []
  for (const pattern of effort({
    quick: ['--churn 50'],
    full: ['--churn 50', '--connect 50', '--reply 2', '--fanout x', '--match json:id'],
  })) {
    test(`${pattern} has one line for that, and 1`, options, async (t) => {
      const url = await server(t, reset ?? (() => undefined))
      const given = [...pattern.split(' '), '--connections', '5', '--duration', '300ms']
      const { code, stderr } = await runCli('bench', url, ...given)
      assert.equal(code, 1)
      assert.match(stderr, /^millrace: [^\n]+\n$/)
    })
  }
})
