// Several processes load by patterns whose connections know of each other: a fan-out, and a script.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import { loadBy } from '../../src/load/processes/loadBy.js'
import { sharesOf } from '../../src/load/processes/shares.js'
import { Sequence } from '../../src/load/sequence.js'
import { startTarget } from '../../src/target.js'
import { runCli } from '../command/cliProcess.js'
import { effort } from '../support/effort.js'
import { echoServer, options, programFile, room } from './peers.js'

const asked: Omit<LoadOptions, 'url'> = {
  connections: 5,
  size: 64,
  pipeline: 1,
  duration: effort({ quick: 1, full: 2 }),
  warmup: 0.05,
  kind: 'binary',
  verify: false,
  sequence: true,
  rate: 0,
  pattern: { name: 'fanout', topic: 'news' },
}

function loadOf(url: string, given: Partial<LoadOptions> = {}, processes = 2): Promise<LoadResult> {
  return loadBy(processes, { ...asked, ...given, url: new URL(url) })
}

const NONE = { lost: 0, doubled: 0, reordered: 0 }

describe('a fan-out over several processes', { concurrency: 2 }, () => {
  for (const [rate, kind, size] of [
    [0, 'binary', 64],
    [0, 'text', 6000],
    [50, 'utf8', 300],
  ] as const) {
    test(
      `${rate} per second, ${size} bytes of ${kind}: one sends, and the receivers of all get all`,
      options,
      async (t) => {
        const target = await startTarget({ port: 0 })
        t.after(() => target.close())
        const pipeline = rate > 0 ? 1 : 2
        const { error, disorder, disorderlyReceivers, messages, counts, latency } = await loadOf(
          target.url,
          { rate, kind, size, pipeline },
          3,
        )
        assert.deepEqual([error, disorder, disorderlyReceivers], [undefined, NONE, 0])
        const { published = 0, receivers, others } = counts ?? {}
        assert.deepEqual([receivers, others], [5, 0])
        assert.ok(published > 0 && messages > 0, `${messages} of 5 x ${published}`)
        // The clock of one process is that of the others.
        assert.ok(latency.p50 > 0 && latency.p50 < 2e6, `${latency.p50} us`)
        const { visits } = await target.statistics()
        assert.equal(visits['/topics/:topic'], 6)
      },
    )
  }

  test('the next batch is sent when the receivers of all processes have the last one', options, async (t) => {
    const url = await room(t, (receiver, message, { receiver: at }) => {
      // Three of the five are those of the second process, so one of these is always late.
      if (at < 2) receiver.send(message)
      else setTimeout(() => receiver.send(message), 20)
    })
    const { error, disorder, counts, seconds } = await loadOf(url, { duration: 0.5 })
    assert.deepEqual([error, disorder], [undefined, NONE])
    const published = counts?.['published'] ?? 0
    assert.ok(published > 0 && published <= seconds / 0.02 + 2, `${published} in ${seconds} s`)
  })

  test(
    'what is lost, doubled and reordered at any process is counted, and at how many receivers',
    options,
    async (t) => {
      const kept = new Map<WebSocket, Buffer>()
      const url = await room(t, (receiver, message, { n, receiver: at }) => {
        const [loses, doubles, turns] = [at === 0 && n === 3, at === 4 && n === 4, at === 2 && n === 5]
        if (turns) kept.set(receiver, message)
        if (loses || turns) return
        receiver.send(message)
        if (doubles) receiver.send(message)
        const late = kept.get(receiver)
        if (late !== undefined) receiver.send(late)
        kept.delete(receiver)
      })
      const { error, disorder, disorderlyReceivers } = await loadOf(url, { rate: 50, duration: 0.6 })
      assert.deepEqual([disorder, disorderlyReceivers], [{ lost: 1, doubled: 1, reordered: 1 }, 3])
      assert.equal(error, 'of the deliveries, 1 lost, 1 doubled, 1 reordered, at 3 of 5 receivers')
    },
  )

  test('what is missing in the end is lost, and charged for the time that it has waited', options, async (t) => {
    const url = await room(t, (receiver, message, { n }) => (n < 10 ? receiver.send(message) : undefined))
    const { error, disorder, latency } = await loadOf(url, { rate: 50, duration: 0.8 })
    const lost = disorder?.lost ?? 0
    assert.ok(lost >= 5 && lost % 5 === 0, `${lost}`)
    assert.equal(error, `of the deliveries, ${lost} lost, at 5 of 5 receivers`)
    assert.ok(latency.max > 50_000, `${latency.max} us`)
  })

  test('a message with a number that was never sent is an error', options, async (t) => {
    const url = await room(t, (receiver, message, { n }) => {
      if (n !== 2) return receiver.send(message)
      const forged = Buffer.from(message)
      forged.writeUInt32LE(1_000_000, 0)
      receiver.send(forged)
    })
    const { error } = await loadOf(url, { rate: 100 })
    assert.match(error ?? '', /never sent/)
  })

  test('a load that is stopped before its connections are open ends in all processes', options, async (t) => {
    const target = await startTarget({ port: 0 })
    t.after(() => target.close())
    const { error, messages } = await loadBy(3, { ...asked, url: new URL(target.url) }, AbortSignal.abort())
    assert.deepEqual([error, messages], [undefined, 0])
  })

  test('the command says so in a report like that of one process', options, async (t) => {
    const target = await startTarget({ port: 0 })
    t.after(() => target.close())
    const few = ['--connections', '4', '--duration', '200ms', '--warmup', '0', '--rate', '100']
    const { code, stdout, stderr } = await runCli('bench', target.url, '--fanout', 'x', '--processes', '2', ...few)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /counted {4}\d+ published, 4 receivers, 0 others\nerrors {5}none\n/)
  })
})

describe('a script in several processes', { concurrency: 2 }, () => {
  const program = `
const said = new Set()
export function open(connection, load) {
  connection.data.at = load.part.firstConnection + said.size
  said.add(connection)
  if (said.size > load.part.connections) throw new Error('more connections than it was told')
}
export function tick(connection, load, due) {
  connection.data.since = due
  connection.send(JSON.stringify({ ...load.part, at: connection.data.at }))
}
export function message(connection, message, load) {
  load.answered(connection.data.since)
}`

  test('each runs the file, and is told its part; the reports are one', options, async (t) => {
    const said = new Set<string>()
    const url = await room(t, () => undefined)
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    t.after(() => server.close())
    await once(server, 'listening')
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        said.add(String(data))
        socket.send('yes')
      })
    })
    const address = url.replace(/:\d+.*/, `:${Object(server.address()).port}`)
    const few = ['--connections', '5', '--duration', '500ms', '--warmup', '0', '--rate', '100', '--json']
    const { code, stdout, stderr } = await runCli(
      ...['bench', address, '--script', programFile(t, program), '--processes', '2', ...few],
    )
    assert.equal(code, 0, stderr)
    const { counts, messages, error, latency } = JSON.parse(stdout)
    assert.deepEqual([error, counts.received], [null, messages])
    assert.ok(counts.ticks > 0 && messages > 0 && latency.p50 > 0)
    const parts = [...said].map((text) => JSON.parse(text)).sort((a, b) => a.at - b.at)
    const first = { process: 0, processes: 2, connections: 2, firstConnection: 0 }
    const second = { process: 1, processes: 2, connections: 3, firstConnection: 2 }
    assert.deepEqual(
      parts,
      [first, first, second, second, second].map((part, at) => ({ ...part, at })),
    )
  })

  test('in one process, its part is all', options, async (t) => {
    const broken = programFile(t, 'export const open = (_, { part }) => { throw new Error(JSON.stringify(part)) }')
    const { code, stderr } = await runCli('bench', await echoServer(t), '--script', broken, '--connections', '7')
    assert.equal(code, 1)
    assert.ok(stderr.includes('{"process":0,"processes":1,"connections":7,"firstConnection":0}'), stderr)
  })

  test('what a hook of one process throws ends all, with one line', options, async (t) => {
    const broken = programFile(
      t,
      `export function open(connection, { part }) {
  if (part.process === 1) throw new Error('not here')
}`,
    )
    const { code, stderr } = await runCli('bench', await echoServer(t), '--script', broken, '--processes', '2')
    assert.equal(code, 1)
    assert.match(stderr, /^(measuring\n)?millrace: .*the script failed in open: not here\n$/)
  })

  test('ticks are no messages where another process has heard some', () => {
    const url = new URL('ws://x')
    const pattern = { name: 'script', script: {}, file: 'x.mjs' } as const
    const shares = sharesOf({ ...asked, url, connections: 4, rate: 100, pattern }, 4)
    assert.deepEqual(
      shares.map(({ rate }) => rate),
      [25, 25, 25, 25],
    )
  })
})

describe('the shares of a fan-out', () => {
  test('one process sends at all of the rate, and all know the same stamp', () => {
    const shares = sharesOf({ ...asked, url: new URL('ws://x'), rate: 100 }, 2)
    const parts = shares.map(({ pattern }) => (pattern?.name === 'fanout' ? pattern.part : undefined))
    assert.deepEqual(
      shares.map(({ rate, connections }) => [rate, connections]),
      [
        [100, 2],
        [100, 3],
      ],
    )
    const stamp = parts[0]?.stamp
    assert.deepEqual(parts, [
      { stamp, sends: true, elsewhere: 3 },
      { stamp, sends: false, elsewhere: 2 },
    ])
  })
})

test('a gap of any length is counted in an instant', () => {
  const sequence = new Sequence()
  sequence.add(2 ** 30)
  const began = performance.now()
  assert.equal(sequence.take(2 ** 30 - 1), 2 ** 30 - 1)
  assert.ok(performance.now() - began < 5000)
  assert.equal(sequence.lost, 2 ** 30 - 1)
  assert.equal(sequence.end(2 ** 30), true)
  assert.equal(sequence.end(5), false)
})
