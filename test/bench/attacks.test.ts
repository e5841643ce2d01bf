// The benchmark of attacks must go on working when the server changes: nobody runs it every day. What it measures is not
// tested, only that the attackers really do what their names say, that nobody is charged wrongly, and that all is printed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Attacker } from '../../bench/attacks/attacker.js'
import { catalogue } from '../../bench/attacks/catalogue.js'
import { Processes } from '../../bench/attacks/processes.js'
import { broken, GUIDE, manyTableOf, type Results, sectionOf, tableOf } from '../../bench/attacks/report.js'
import { fragments, frame, header, KEY } from '../../bench/attacks/wire.js'
import { withSection } from '../../bench/support/publish.js'
import { effort } from '../support/effort.js'
import { applyMask, BINARY, TEXT } from '../support/frames.js'
import { ReferenceParser } from '../support/referenceParser.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-attacks-'))
after(() => rmSync(folder, { recursive: true }))

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'attacks', ...args], { encoding: 'utf8', timeout: 60_000 })
}

describe('npm run bench:attacks', () => {
  it('finds every figure of an attack, of one and of many', () => {
    const file = join(folder, 'attacks.json')
    const { status, stdout, stderr } = run('--quick', '--json', file, '--only', 'echo-bytes')
    assert.equal(status, 0, stderr)
    const results: Results = JSON.parse(readFileSync(file, 'utf8'))
    const [row] = results.rows
    assert.deepEqual([...(row?.waiting.problems ?? ['none']), ...(row?.holding.problems ?? [])], [])
    assert.ok(Number(row?.waiting.beside[0]) > 0 && Number(row?.waiting.alone[0]) > 0)
    assert.ok(Number(row?.holding.sent) > 100_000, 'the attackers send')
    assert.ok(Number(row?.holding.resident) > 0)
    const many = results.many[0]?.many
    assert.deepEqual(many?.problems, [])
    assert.ok(Number(many?.connected) > 0 && Number(many?.sent) > 100_000)
    assert.ok(stdout.includes(tableOf(results)) && stdout.includes(manyTableOf(results)))
  })

  it('says what there is, and refuses what there is not', () => {
    const { status, stdout } = run('--help')
    assert.equal(status, 0)
    for (const { name } of catalogue) assert.ok(stdout.includes(name), name)
    const wrong = run('--only', 'nonsense')
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /there is no attack nonsense/)
  })
})

test('the attacks have names of their own, and there are at least twenty-five', () => {
  const names = catalogue.map(({ name }) => name)
  assert.deepEqual(names, [...new Set(names)])
  assert.ok(names.length >= 25)
  for (const { name } of catalogue) assert.match(name, /^[a-zA-Z0-9-]+$/)
})

describe('an honest peer', () => {
  it('is charged for the time in which the server stands still, from when its message was due', async (t) => {
    const { processes, server } = await stand(t)
    await processes.begin({ connections: 1, interval: 5, newcomers: 0 })
    await sleep(100)
    process.kill(server, 'SIGSTOP')
    await sleep(300)
    process.kill(server, 'SIGCONT')
    const { longest, late, unanswered, lost, echoes } = await processes.end(5000)
    assert.ok(longest >= 280, `${longest}`)
    assert.ok(late < longest)
    assert.deepEqual([unanswered, lost], [0, 0])
    assert.ok(echoes > 20)
  })

  it('is charged for messages that are never answered, and newcomers are told apart by their answers', async (t) => {
    const { processes, server } = await stand(t)
    await processes.begin({ connections: 2, interval: 10, newcomers: 20 })
    await sleep(200)
    process.kill(server, 'SIGSTOP')
    await sleep(100)
    const { longest, unanswered, newcomers } = await processes.end(200)
    process.kill(server, 'SIGKILL')
    assert.ok(unanswered > 4 && longest >= 280, `${unanswered}, ${longest}`)
    assert.ok(Number(newcomers.answers['101']) > 2 && Number(newcomers.answers['nothing']) > 0)
  })
})

async function stand(t: TestContext): Promise<{ processes: Processes; server: number }> {
  const processes = await Processes.open(root)
  t.after(() => processes.close())
  return { processes, server: processes.server }
}

describe('an attacker', () => {
  it('writes until it is hushed, stays, and leaves', async (t) => {
    const sockets: Socket[] = []
    let received = 0
    const server = createServer((socket) => {
      sockets.push(socket)
      socket
        .on('error', () => undefined)
        .on('data', ({ length }) => {
          received += length
        })
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const attacker = new Attacker({ plain: port, secure: port, proxied: port }, '127.0.0.1')
    const flood = attacker.flood(await attacker.dial(), Buffer.alloc(1000))
    await sleep(50)
    attacker.hush()
    await flood
    while (received < attacker.sent) await sleep(5)
    assert.ok(received > 1000)
    assert.equal(sockets[0]?.readableEnded, false, 'it stays')
    const ended = once(sockets[0] ?? server, 'close')
    attacker.leave()
    await ended
    assert.equal(received, attacker.sent)
  })
})

/** They connect, and say nothing that they count. */
const SILENT = ['silent', 'tls-churn']

test('every attack gets to its bytes', async (t) => {
  const { processes } = await stand(t)
  const stride = effort({ quick: 5, full: 1 })
  const chosen = catalogue.filter(({ name }, at) => at % stride === 0 && !SILENT.includes(name))
  for (const { name, one } of chosen) {
    const attacker = new Attacker(processes.ports, '127.0.0.1')
    let failure: unknown
    void one(attacker, 0).catch((error: unknown) => {
      failure = error
    })
    for (let turns = 0; attacker.sent === 0 && failure === undefined && turns < 1000; turns++) await sleep(2)
    assert.deepEqual([failure, attacker.sent > 0], [undefined, true], name)
    attacker.leave()
  }
})

test('the frames are what RFC 6455 says', () => {
  const lengths = [0, 1, 125, 126, 65_535, 65_536]
  const payloads = lengths.map((length) => Buffer.alloc(length, 'abcdefg').toString())
  const parser = new ReferenceParser({ masked: true, limit: 65_536 })
  const fragmented = fragments(TEXT, Buffer.from('abc'))
  const empty = fragments(BINARY, Buffer.alloc(2), true)
  const whole = payloads.map((payload) => frame(BINARY, payload))
  const apart = [header(BINARY, 3), applyMask(Buffer.from('xyz'), KEY)]
  for (const byte of Buffer.concat([...whole, fragmented, empty, ...apart])) parser.take(byte)
  assert.equal(parser.violation, undefined)
  assert.deepEqual(
    parser.events.map(({ opcode, payload }) => [opcode, payload.toString()]),
    [...payloads.map((payload) => [BINARY, payload]), [TEXT, 'abc'], [BINARY, ''], [BINARY, 'xyz']],
  )
  assert.equal(fragmented.length, 3 * 7, 'three frames of a byte')
  assert.equal(empty.length, 3 * 6, 'two empty frames and one more')
})

const results: Results = {
  quick: false,
  date: '2026-01-02T03:04:05Z',
  machine: { node: 'v20.0.0', cpu: 'a processor', cores: 2, memory: 0, system: '', pinned: true },
  rows: [
    {
      name: 'one',
      title: 'an attack',
      connections: 1,
      waiting: { alone: [3, 2], beside: [30, 25], late: [1, 1], sent: 0, problems: [] },
      holding: { sent: 4e6, resident: 9e6, live: 8e6, after: 5e6, connections: 3, freed: null, problems: ['it broke'] },
    },
    {
      name: 'another',
      title: 'another',
      connections: 100,
      waiting: { alone: [3], beside: [300], late: [1], sent: 0, problems: [] },
      holding: { sent: 0, resident: 0, live: 0, after: 0, connections: 0, freed: 60, problems: [] },
    },
  ],
  many: [
    {
      name: 'one',
      title: 'an attack',
      many: {
        ...{ attackers: 1000, sent: 1e6, connected: 20, newcomers: 1200, answers: { '101': 5, '503': 2 }, lost: 1 },
        ...{ late: 1, connections: 0, after: 0, freed: 1, problems: [] },
      },
    },
  ],
}

describe('the report', () => {
  it('gives the least of the rounds, and what is held by byte', () => {
    assert.match(
      tableOf(results),
      /^\| an attack \(\*\*it broke\*\*\) \| 2 \| 25 \| 4 \| 9 \| 8 \| 2 \| 5 MB, 3 connections \|$/m,
    )
    assert.match(tableOf(results), /^\| another \| 3 \| 300 \| 0 \| 0 \| 0 \| – \| nothing, 60 s later \|$/m)
    assert.match(manyTableOf(results), /^\| an attack \| 20 \| 1,200 \| 101: 5, 503: 2 \| 1 \| 1 \| nothing \|$/m)
  })

  it('says what is not as promised', () => {
    assert.deepEqual(broken(results), [
      'one: 25 ms instead of 20; something is held for ever; it broke',
      '1,000 × one: 1,200 ms instead of 1000',
    ])
  })

  it('replaces the section of the guide on limits and nothing else', () => {
    const guide = readFileSync(`${root}docs/limits.md`, 'utf8')
    const section = sectionOf(results)
    assert.match(section, /2026-01-02, Node\.js 20\.0\.0, a processor, 2 cores, server and clients on one each/)
    const published = withSection(withSection(guide, 'old', GUIDE), section, GUIDE)
    assert.ok(published.startsWith(guide.slice(0, guide.indexOf(GUIDE.command))))
    assert.ok(published.includes(section) && !published.includes('\nold\n'))
    assert.throws(() => withSection('no marks', section, GUIDE), /lacks its marks/)
  })
})
