// Several processes load as one: what they are asked for adds up to what was asked for, and what they tell to one result.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { parseBenchArguments } from '../../src/command/bench/arguments.js'
import { UsageError } from '../../src/command/options.js'
import { createServer } from '../../src/index.js'
import { limitOf } from '../../src/load/generator.js'
import { Latencies } from '../../src/load/latencies.js'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import { loadBy } from '../../src/load/processes/loadBy.js'
import { sharesOf } from '../../src/load/processes/shares.js'
import { CliProcess, runCli } from '../command/cliProcess.js'
import { listening } from '../support/serving.js'
import { echoServer, options, tcpServer, wsEchoServer } from './peers.js'

const asked: Omit<LoadOptions, 'url'> = {
  connections: 5,
  size: 64,
  pipeline: 2,
  duration: 0.2,
  warmup: 0.05,
  kind: 'binary',
  verify: true,
  sequence: true,
  rate: 0,
}

function loadOf(url: string, given: Partial<LoadOptions> = {}, processes = 2): Promise<LoadResult> {
  return loadBy(processes, { ...asked, ...given, url: new URL(url) })
}

function parsed(args: string): number {
  const command = parseBenchArguments(args.split(' '))
  assert.equal(command.name, 'bench')
  return command.name === 'bench' ? command.processes : 0
}

describe('the shares of processes', () => {
  for (const [connections, processes] of [
    [5, 2],
    [7, 7],
    [1000, 3],
  ] as const) {
    test(`${connections} connections of ${processes} processes are numbered through, and so is their rate`, () => {
      const shares = sharesOf({ ...asked, url: new URL('ws://x'), connections, rate: 1000 }, processes)
      let next = 0
      for (const { connections: those, firstConnection, rate } of shares) {
        assert.equal(firstConnection, next)
        assert.ok(those > 0 && Math.abs(rate / those - 1000 / connections) < 1e-9)
        next += those
      }
      assert.equal(next, connections)
    })
  }

  test('connections that open at a rate share that, too', () => {
    const pattern = { name: 'churn', rate: 100, ramp: 2 } as const
    const shares = sharesOf({ ...asked, url: new URL('ws://x'), connections: 4, pattern }, 3)
    assert.deepEqual(
      shares.map((share) => share.pattern),
      [25, 25, 50].map((rate) => ({ ...pattern, rate })),
    )
  })

  test('--processes is 1, a number that has connections enough, or auto', () => {
    assert.equal(parsed('ws://x'), 1)
    assert.equal(parsed('ws://x --processes 4'), 4)
    assert.equal(parsed('ws://x --processes auto'), availableParallelism())
    assert.equal(parsed('ws://localhost --processes auto'), Math.max(1, availableParallelism() - 1))
    assert.equal(parsed('ws://x --processes auto --connections 1'), 1)
    assert.equal(parsed('ws://x --processes 2 --fanout x'), 2)
    assert.equal(parsed('ws://x --processes 3 --script x'), 3)
    for (const wrong of ['--processes 0', '--processes x', '--processes 3 --connections 2', '--processes 1025']) {
      assert.throws(() => parsed(`ws://x ${wrong}`), UsageError)
    }
  })
})

describe('several processes', { concurrency: 2 }, () => {
  test('are one load: connections, messages, latencies and intervals of all', options, async (t) => {
    const seen = new Set<number>()
    let most = 0
    const server = await listening(
      t,
      createServer({
        open: () => {
          most = Math.max(most, server.connections.size)
        },
        // The stamp of a binary message ends with the number of its connection.
        message: (connection, message) => {
          seen.add(Buffer.from(message.view).readUInt32LE(4))
          connection.send(message)
        },
      }),
    )
    const result = await loadOf(`ws://127.0.0.1:${server.address?.port}`)
    assert.deepEqual([result.error, result.disorder], [undefined, { lost: 0, doubled: 0, reordered: 0 }])
    assert.deepEqual([most, [...seen].sort()], [5, [0, 1, 2, 3, 4]])
    // A batch of two has one latency.
    assert.equal(
      result.latencies.count,
      result.histogram.reduce((sum, [, count]) => sum + count, 0),
    )
    assert.ok(Math.abs(result.latencies.count - result.messages / 2) <= 5)
    assert.equal(result.connecting.count, 5)
    assert.ok(result.intervals.length >= 2 && result.seconds > 0.18)
    const inIntervals = result.intervals.reduce(
      (sum, { messagesPerSecond, seconds }) => sum + messagesPerSecond * seconds,
      0,
    )
    assert.ok(Math.abs(inIntervals - result.messages) < 0.5 * result.messages, `${inIntervals}, ${result.messages}`)
  })

  test('send the rate that was asked for, all together', options, async (t) => {
    const url = await wsEchoServer(t)
    let best = 0
    // The least disturbed of several.
    for (let round = 0; round < 5 && best < 0.6; round++) {
      const { messages, seconds, error, lateness } = await loadOf(url, { rate: 200, pipeline: 1, duration: 0.4 })
      assert.equal(error, undefined)
      // If each sent all of it, it would be twice as much.
      assert.ok(messages <= 200 * (seconds + 0.3) && lateness.count > 0, `${messages} in ${seconds} s`)
      best = Math.max(best, messages / (200 * seconds))
    }
    assert.ok(best >= 0.6, `${best}`)
  })

  test('add up what a pattern counts, by name', options, async (t) => {
    const pattern = { name: 'connect', rate: 50 } as const
    const { error, counts, latencies } = await loadOf(await echoServer(t), { pattern, connections: 6, duration: 0.1 })
    assert.equal(error, undefined)
    assert.deepEqual(counts, { opened: 6, refused: 0, ended: 0, held: 6 })
    assert.equal(latencies.count, 6)
  })

  test('count together what is lost', options, async (t) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    t.after(() => server.close())
    let connections = 0
    server.on('connection', (socket) => {
      const loses = connections++ < 5
      let n = 0
      socket.on('message', (data) => (n++ !== 4 || !loses ? socket.send(data) : undefined))
    })
    await once(server, 'listening')
    const address = server.address()
    const { error, disorder } = await loadOf(`ws://127.0.0.1:${Object(address).port}`)
    assert.equal(error, 'of the messages, 5 lost')
    assert.deepEqual(disorder, { lost: 5, doubled: 0, reordered: 0 })
  })

  test('end with the first whose server fails, and say why', options, async (t) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    t.after(() => server.close())
    let connections = 0
    server.on('connection', (socket) => {
      const fails = connections++ === 4
      socket.on('message', (data) => (fails ? socket.close(1011, 'enough') : socket.send(data)))
    })
    await once(server, 'listening')
    const began = performance.now()
    const { error } = await loadOf(`ws://127.0.0.1:${Object(server.address()).port}`, { duration: 20 })
    assert.equal(error, 'the server sent Close 1011 enough')
    assert.ok(performance.now() - began < 15_000)
  })

  test('reject if the server can’t be reached, as one does', options, async (t) => {
    const url = await tcpServer(t, (socket) => socket.destroy())
    await assert.rejects(loadOf(url), /ended the connection during the opening handshake/)
  })

  test('are ended by their signal', options, async (t) => {
    const url = await echoServer(t)
    const over = new AbortController()
    const told: string[] = []
    const result = await loadBy(
      2,
      { ...asked, url: new URL(url), duration: 20 },
      over.signal,
      () => {
        told.push('measuring')
        setTimeout(() => over.abort(), 200)
      },
      () => told.push('measured'),
    )
    assert.deepEqual([result.error, told], [undefined, ['measuring', 'measured']])
    assert.ok(result.messages > 0 && result.seconds < 10)
  })

  test('end with one line if one of them dies, and leave none behind', {
    ...options,
    skip: process.platform !== 'linux',
  }, async (t) => {
    const url = await echoServer(t)
    const cli = new CliProcess(['bench', url, '--processes', '2', '--json', '--connections', '4'])
    while (!cli.stderr.includes('measuring')) await once(cli.child.stderr, 'data')
    const { stdout } = spawnSync('pgrep', ['-P', String(cli.child.pid)], { encoding: 'utf8' })
    const children = stdout.trim().split('\n').map(Number)
    assert.equal(children.length, 2)
    process.kill(children[1] ?? 0, 'SIGKILL')
    const { code, stderr } = await cli.outcome
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^measuring\nmillrace: process [12] of 2 of the load has ended with SIGKILL: the load can't go on\n$/,
    )
    for (const child of children) assert.throws(() => process.kill(child, 0), { code: 'ESRCH' })
  })

  test('are told of in the line of JSON', options, async (t) => {
    const short = ['--connections', '4', '--duration', '100ms', '--warmup', '0', '--json']
    const { code, stdout } = await runCli('bench', await echoServer(t), '--processes', '2', ...short)
    assert.equal(code, 0)
    const { processes, connections, messages, lateness } = JSON.parse(stdout)
    assert.deepEqual([processes, connections, lateness], [2, 4, undefined])
    assert.ok(messages > 0)
  })
})

describe('the load generator as the limit', () => {
  test('is judged over all processes', () => {
    assert.equal(limitOf(0, [0.95], 0), 'it kept its core 95 % busy')
    assert.equal(limitOf(0, [0.5, 1.02, 0.93], 0), '2 of its 3 processes kept a core 100 % busy')
    assert.equal(limitOf(0, [0.5], 0), undefined)
    const cores = availableParallelism()
    const halves = Array.from({ length: 2 * cores }, () => 0.48)
    assert.equal(limitOf(0, halves, 0), `its processes kept all ${cores} cores busy`)
    assert.equal(
      limitOf(
        0,
        halves.map(() => 0.2),
        0,
      ),
      undefined,
    )
    assert.equal(limitOf(100, [1, 1], 0.5), undefined)
    assert.equal(limitOf(100, [1, 1], 1.5), 'it sent messages up to 1.5 ms late (p99)')
  })
})

test('latencies since a copy, added to others, are all of them', () => {
  const [all, before, merged] = [new Latencies(), new Latencies(), new Latencies()]
  for (const value of [5, 1000, 123_456_789]) all.record(value)
  before.copy(all)
  for (const value of [5, 7_000_000, 2 ** 40]) all.record(value)
  merged.add(before.recorded)
  merged.add(all.recordedSince(before))
  assert.deepEqual(merged.recorded, all.recorded)
  assert.equal(all.recordedSince(all).steps.length, 0)
})
