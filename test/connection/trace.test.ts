// NODE_DEBUG=millrace is for the worst hour of somebody who can't see what a server does: it must say what came and went,
// in order, and in which state that left the connection. It must say nothing that was not asked for.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { traced, tracing } from '../../src/connection/trace.js'
import { BINARY, close, header, masked, PING, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { MemoryTransport } from '../support/memoryTransport.js'
import { SocketClient } from '../support/socketClient.js'

const PROGRAM = fileURLToPath(new URL('traceProgram.js', import.meta.url))
const options = { timeout: 30_000 }

/** A server in a process of its own, and what it prints on standard error. */
async function serving(t: TestContext, env: Readonly<Record<string, string>>): Promise<Told> {
  const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, ...env }, stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const [line] = await once(child.stdout, 'data')
  const port = Number(line)
  return {
    connect: async (early = '') => {
      const client = await SocketClient.open(port)
      client.write(upgradeRequest() + early)
      assert.equal((await client.response()).status, 101)
      return client
    },
    end: async () => {
      child.stdin.end()
      await once(child, 'close')
      return printed
    },
  }
}

interface Told {
  connect(early?: string): Promise<SocketClient>
  end(): Promise<string>
}

/** The lines of one connection, without what is before its number. */
function linesOf(printed: string, connection: number): string[] {
  const lines = printed.trimEnd().split('\n')
  for (const line of lines) assert.match(line, /^MILLRACE \d+: connection \d+ \w/)
  return lines.flatMap((line) => new RegExp(`connection ${connection} (.*)$`).exec(line)?.[1] ?? [])
}

for (const [transport, publicApi] of [
  ['a handle', '0'],
  ['a Duplex', '1'],
] as const) {
  describe(`over ${transport}, NODE_DEBUG=millrace prints`, () => {
    const env = { NODE_DEBUG: 'millrace', MILLRACE_PUBLIC_API: publicApi }

    test('each frame header that comes and goes, and each state', options, async (t) => {
      const server = await serving(t, env)
      const client = await server.connect(masked(TEXT, 'early').toString('latin1'))
      await client.frames(1)
      // Headers are cut by the ends of reads.
      const begin = Buffer.concat([masked(BINARY, 'a', false), masked(PING, 'b')])
      await client.writePieces([begin.subarray(0, 1), begin.subarray(1, 9), begin.subarray(9)])
      await client.frames(2)
      const end = masked(0, Buffer.alloc(70_000))
      await client.writePieces([end.subarray(0, 5), end.subarray(5)])
      await client.frames(3)
      client.write(close(1000))
      await client.end()
      await client.destroy()
      assert.deepEqual(linesOf(await server.end(), 1), [
        'open',
        'in: text fin masked, 5 bytes',
        'out: text fin, 5 bytes',
        'in: binary masked, 1 byte',
        'in: ping fin masked, 1 byte',
        'out: pong fin, 1 byte',
        'in: continuation fin masked, 70000 bytes',
        'out: binary fin, 70001 bytes',
        'in: close fin masked, 2 bytes',
        'ending',
        'out: close fin, 2 bytes',
        'gone, 1000',
      ])
    })

    test('why reading stops, and when it goes on', options, async (t) => {
      const server = await serving(t, env)
      const client = await server.connect()
      client.write(masked(TEXT, 'pause'))
      client.write(masked(TEXT, 'a'))
      await client.frames(1)
      await client.destroy()
      const lines = linesOf(await server.end(), 1)
      const stops = lines.indexOf('reading stops: application')
      assert.ok(stops > 0, lines.join('\n'))
      assert.ok(lines.indexOf('reading goes on') > stops, lines.join('\n'))
      assert.equal(lines.at(-1), 'gone, 1006')
    })

    test('what went wrong, each connection by its number', options, async (t) => {
      const server = await serving(t, env)
      const [first, second] = [await server.connect(), await server.connect()]
      first.write(masked(TEXT, 'fail'))
      await first.end()
      second.write(header(0x83, 0x80, 0))
      await second.end()
      await Promise.all([first.destroy(), second.destroy()])
      const printed = await server.end()
      const failed = ['error: without a code', 'ending', 'out: close fin, 2 bytes', 'gone, 1011']
      assert.deepEqual(linesOf(printed, 1), ['open', 'in: text fin masked, 4 bytes', ...failed])
      const lines = linesOf(printed, 2).filter((line) => !line.startsWith('in: '))
      assert.deepEqual(lines.slice(0, 3), ['open', 'error: RESERVED_OPCODE', 'ending'])
      assert.equal(lines.at(-1), 'gone, 1002')
    })
  })
}

test('a server that closes says so: closing, ending, gone', options, async (t) => {
  const server = await serving(t, { NODE_DEBUG: 'http2,MILLRACE' })
  const client = await server.connect()
  const printed = server.end()
  await client.frames(1)
  client.write(close(1001))
  await client.end()
  await client.destroy()
  assert.deepEqual(linesOf(await printed, 1), [
    'open',
    'closing',
    'out: close fin, 2 bytes',
    'in: close fin masked, 2 bytes',
    'ending',
    'gone, 1001',
  ])
})

test('without it nothing is printed, and nothing stands between a connection and its transport', options, async (t) => {
  const server = await serving(t, { NODE_DEBUG: 'http2' })
  const client = await server.connect()
  client.write(masked(TEXT, 'a'))
  await client.frames(1)
  await client.destroy()
  assert.equal(await server.end(), '')
  assert.equal(tracing, false)
  const transport = new MemoryTransport()
  assert.equal(traced(transport), transport)
})
