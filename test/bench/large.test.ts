// The benchmarks of large messages must go on working when the server changes: nobody runs them every day. And their
// loads must not make figures of a server that owes them answers.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type WebSocket, WebSocketServer } from 'ws'
import { crossoverCharts } from '../../bench/large/charts.js'
import type { Point } from '../../bench/large/crossover.js'
import { digestOf, masked, repeated } from '../../bench/large/pattern.js'
import { met, type Section, textOf } from '../../bench/large/section.js'
import { works } from '../../bench/large/work.js'
import { documents, volley } from '../../bench/support/loads.js'
import { effort } from '../support/effort.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-large-'))
after(() => rmSync(folder, { recursive: true }))

function runBench(...args: string[]): { status: number | null; stderr: string; stdout: string; sections: Section[] } {
  const file = join(folder, 'large.json')
  const { status, stderr, stdout } = spawnSync(process.execPath, [MAIN, 'large', '--quick', '--json', file, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  const sections: Section[] = status === 0 ? JSON.parse(readFileSync(file, 'utf8')).sections : []
  return { status, stderr, stdout, sections }
}

describe('npm run bench:large -- --quick', () => {
  it('finds a figure for each part', () => {
    const { status, stderr, stdout, sections } = runBench(...effort({ quick: ['--only', 'streamed-out'], full: [] }))
    assert.equal(status, 0, stderr)
    const ids = ['echoing', 'parsing', 'peak', 'streamed-in', 'streamed-out', 'crossover', 'settings']
    assert.deepEqual(
      sections.map(({ id }) => id),
      effort({ quick: ['streamed-out'], full: ids }),
    )
    for (const { id, head, rows, title } of sections) {
      assert.ok(stdout.includes(title), id)
      assert.ok(rows.length > 0, id)
      for (const row of rows) assert.equal(row.length, head.length, `${id}: ${row}`)
      const millrace = rows.filter(([name]) => id !== 'echoing' && name === 'millrace')
      for (const row of millrace) assert.ok(!row.includes('–'), `${id}: ${row}`)
    }
    const crossover = sections.find(({ id }) => id === 'crossover')
    assert.deepEqual([...new Set(crossover?.rows.map(([work]) => work))], effort({ quick: [], full: [...works] }))
  })

  it('runs what it is asked for, and refuses what there is not', () => {
    // The quick suite has asked for one of them above.
    for (const wanted of effort({ quick: [], full: [['streamed-in', 'streamed-out']] })) {
      const { sections } = runBench('--only', wanted.join())
      assert.deepEqual(
        sections.map(({ id }) => id),
        wanted,
      )
    }
    const { status, stderr } = runBench('--only', 'nonsense')
    assert.equal(status, 1)
    assert.match(stderr, /there is no nonsense/)
  })
})

async function serve(t: TestContext, answer: (socket: WebSocket, message: Buffer) => void): Promise<URL> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  server.on('connection', (socket) => socket.on('message', (message: Buffer) => answer(socket, message)))
  await once(server, 'listening')
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

const PACE = { duration: 0.05, warmup: 0.02 }

describe('the load of documents', () => {
  it('sends JSON of the length that was asked for, and counts the answers of the measured time', async (t) => {
    let answered = 0
    const counts: number[] = []
    const url = await serve(t, (socket, message) => {
      assert.equal(message.length, 70_000)
      assert.ok(Array.isArray(JSON.parse(message.toString())))
      answered++
      socket.send('parsed')
    })
    const note = (): void => void counts.push(answered)
    const { messages, latency } = await documents({ url, connections: 1, size: 70_000, ...PACE }, note, note)
    const [before = 0, later = 0] = counts
    assert.ok(before > 0 && later > before)
    assert.ok(Math.abs(messages - (later - before)) <= 1, `${messages}, but the server says ${later - before}`)
    assert.ok(latency.p50 > 0 && latency.p50 <= latency.max)
  })

  it('rejects when the server ends a connection', async (t) => {
    const url = await serve(t, (socket) => socket.terminate())
    await assert.rejects(documents({ url, connections: 2, size: 70_000, ...PACE }), /ended the connection|broke/)
  })
})

describe('the volley', () => {
  it('is one message of each connection, and no more', async (t) => {
    let got = 0
    const url = await serve(t, (socket, message) => {
      got++
      socket.send(message)
    })
    const { messages } = await volley({ url, connections: 7, size: 100_000, ...PACE })
    assert.equal(messages, 7)
    assert.equal(got, 7)
  })

  it('rejects when one of them is not answered', async (t) => {
    let got = 0
    const url = await serve(t, (socket, message) => {
      if (++got === 3) socket.terminate()
      else socket.send(message)
    })
    await assert.rejects(volley({ url, connections: 5, size: 100_000, ...PACE }), /ended the connection|broke/)
  })
})

describe('what is streamed', () => {
  it('has exactly the length that was asked for, and the same hash however it is cut', () => {
    for (const length of [0, 1, 1_048_575, 1_048_576, 3_000_000]) {
      const blocks = [...repeated(Buffer.alloc(1_048_576), length)]
      assert.equal(
        blocks.reduce((sum, { length: bytes }) => sum + bytes, 0),
        length,
      )
    }
    assert.notEqual(digestOf(5), digestOf(6))
  })

  it('is masked as RFC 6455 says, wherever the block stands', () => {
    const key = Buffer.of(1, 2, 3, 4)
    const once = masked(key)
    assert.notDeepEqual(once, masked(Buffer.of(0, 0, 0, 0)))
    const plain = masked(Buffer.of(0, 0, 0, 0))
    for (const at of [0, 1, 2, 3, 1_048_575]) assert.equal(once[at], (plain[at] ?? 0) ^ (key[at % 4] ?? 0))
    assert.equal(once.length % 4, 0)
  })
})

describe('what people read', () => {
  const goal = { what: 'memory', value: 100, limit: 120 }
  const section: Section = {
    id: 'a',
    title: 'A title',
    note: 'A note',
    head: ['', '', 'MB'],
    rows: [['millrace', '', '100']],
    goals: [goal, { ...goal, what: 'rate', least: true }],
    raw: undefined,
  }

  it('says which figures were reached', () => {
    assert.equal(met(goal), true)
    assert.equal(met({ ...goal, value: 121 }), false)
    assert.equal(met({ ...goal, least: true }), false)
    assert.match(textOf(section, true), /memory: 100 \(at most 120\): met\n.*rate: 100 \(at least 120\): MISSED$/)
    assert.doesNotMatch(textOf(section, false), /MISSED|met/)
  })

  it('draws the crossover in both themes', () => {
    const cost = { mainThread: 40, cpu: 80, answer: 120, rate: 10, beside: 300 }
    const points = [65_536, 1_048_576].flatMap((size) =>
      works.map((work): Point => ({ work, size, inline: cost, pool: { ...cost, mainThread: 50 } })),
    )
    const charts = crossoverCharts(points)
    const kinds = ['crossover-cpu', 'crossover-answer']
    assert.deepEqual(
      [...charts.keys()],
      kinds.flatMap((kind) => [`${kind}-light.svg`, `${kind}-dark.svg`]),
    )
    for (const [name, svg] of charts) {
      assert.ok(svg.startsWith('<svg'), name)
      for (const label of ['64 KiB', '1 MiB', 'JSON.parse, pool']) assert.ok(svg.includes(label), `${name}: ${label}`)
    }
  })
})
