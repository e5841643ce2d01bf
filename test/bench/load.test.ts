// The autocannon suite: its frame counter must be right wherever TCP cuts a stream, or its figures mean nothing; and the
// suite itself must go on working when the server or autocannon changes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { AutocannonRun } from '../../bench/load/autocannonRun.js'
import { FrameCounter } from '../../bench/support/frameCounter.js'
import { tiers } from '../../bench/support/tiers.js'
import { CliProcess } from '../command/cliProcess.js'
import { onlyInFull } from '../support/effort.js'
import { BINARY, buildFrame, CLOSE, CONTINUATION, PING, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-load-'))
after(() => rmSync(folder, { recursive: true }))

/** The lengths of the messages that the counter finds; Close is -1. */
function count(chunks: Iterable<Buffer>): number[] {
  const found: number[] = []
  const counter = new FrameCounter((length, isClose) => found.push(isClose ? -1 : length))
  for (const chunk of chunks) counter.feed(chunk)
  return found
}

/** Each kind of frame a server sends: short ones of all header forms, an empty one, fragments with a ping between. */
const stream = Buffer.concat([
  buildFrame({ opcode: TEXT, payload: 'abc' }),
  buildFrame({ opcode: BINARY, payload: Buffer.alloc(0) }),
  buildFrame({ opcode: BINARY, payload: Buffer.alloc(126, 0x81) }),
  buildFrame({ opcode: TEXT, payload: 'de', fin: false }),
  buildFrame({ opcode: PING, payload: 'ping' }),
  buildFrame({ opcode: CONTINUATION, payload: '', fin: false }),
  buildFrame({ opcode: CONTINUATION, payload: 'fgh' }),
  buildFrame({ opcode: BINARY, payload: 'long form', form: 64 }),
  buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 232) }),
])
const expected = [3, 0, 126, 5, 9, -1]

describe('the frame counter', () => {
  it('is right when the stream is cut at any two places', () => {
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
        assert.deepEqual(count(chunks), expected, `cut at ${first} and ${second}`)
      }
    }
  })

  it('is right when every byte comes alone', () => {
    assert.deepEqual(count(Array.from(stream, (byte) => Buffer.of(byte))), expected)
  })

  it('reports a message with its last byte, and an empty one with its header', () => {
    const found: number[] = []
    const counter = new FrameCounter((length) => found.push(length))
    counter.feed(Buffer.of(0x82, 2, 1))
    assert.deepEqual(found, [])
    counter.feed(Buffer.of(2))
    assert.deepEqual(found, [2])
    counter.feed(Buffer.of(0x82, 0))
    assert.deepEqual(found, [2, 0])
  })

  it('is right for all tiers, cut at random', () => {
    const random = new Random(seed)
    const lengths = tiers.filter(({ length }) => length <= 1024 * 1024).map(({ length }) => length)
    const frames = Buffer.concat(
      lengths.map((length) => buildFrame({ opcode: BINARY, payload: Buffer.alloc(length, 0xff) })),
    )
    for (let round = 0; round < 20; round++) {
      const chunks: Buffer[] = []
      for (let at = 0, end = 0; at < frames.length; at = end) {
        end = at + random.between(1, random.chance(0.5) ? 20 : 200_000)
        chunks.push(frames.subarray(at, end))
      }
      assert.deepEqual(count(chunks), lengths)
    }
  })

  it('refuses a masked frame, and forgets a cut one when it is told to', () => {
    assert.throws(() => count([buildFrame({ opcode: TEXT, payload: 'a', key: Buffer.of(1, 2, 3, 4) })]), /masked/)
    const found: number[] = []
    const counter = new FrameCounter((length) => found.push(length))
    counter.feed(stream.subarray(0, 4))
    counter.reset()
    counter.feed(stream)
    assert.deepEqual(found, [3, 0, 126, 5, 9, 0])
  })
})

/** Runs the suite, and checks what it writes. */
function runSuite(...args: string[]): AutocannonRun[] {
  const file = join(folder, `${args.length}.json`)
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'load', '--quick', '--json', file, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(status, 0, stderr)
  const { quick, runs }: { quick: boolean; runs: AutocannonRun[] } = JSON.parse(readFileSync(file, 'utf8'))
  assert.equal(quick, true)
  return runs
}

describe('npm run bench:load -- --quick', () => {
  it('measures each length up to 1 MiB, the HTTP lane and the handshake', () => {
    const runs = runSuite()
    const echoes = tiers.filter(({ length }) => length <= 1024 * 1024).map(({ label }) => `echo ${label}`)
    assert.deepEqual(
      runs.map(({ name }) => name),
      [...echoes, 'GET /', 'refused, 426', 'handshake'],
    )
    for (const { name, answers, answersPerSecond, failures, latency } of runs) {
      assert.ok(answers > 0 && answersPerSecond > 0, name)
      assert.equal(failures, 0, name)
      const { p50, p97_5, p99, max } = latency
      assert.ok(p50 > 0 && p50 <= p97_5 && p97_5 <= p99 && p99 <= max, `${name}: ${JSON.stringify(latency)}`)
    }
  })

  it('measures a server that runs already', { skip: onlyInFull }, async () => {
    const server = await CliProcess.start()
    try {
      assert.equal(runSuite('--url', server.url).length, 12)
    } finally {
      await server.close()
    }
  })
})
