// The search for a rate finds the knee of servers whose knee is known, blames whom it must, and tells each step.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseBenchArguments } from '../../src/command/bench/arguments.js'
import { UsageError } from '../../src/command/options.js'
import { Latencies } from '../../src/load/latencies.js'
import type { LoadResult } from '../../src/load/load.js'
import { type Found, findRate, type SearchStep } from '../../src/load/search.js'
import { runCli } from '../command/cliProcess.js'
import { echoServer, options, wsEchoServer } from './peers.js'

const BOUND = 5000

/** What a load would tell of a rate. */
interface Simulated {
  readonly p99: number
  readonly late?: number
  readonly answered?: number
  readonly error?: string
}

function resultOf(rate: number, seconds: number, { p99, late = 0, answered = 1, error }: Simulated): LoadResult {
  const none = new Latencies()
  return {
    messages: Math.round(rate * seconds * answered),
    seconds,
    messagesPerSecond: rate * answered,
    megabytesPerSecond: 0,
    receivedMegabytesPerSecond: 0,
    sentMegabytesPerSecond: 0,
    negotiated: undefined,
    greetings: 0,
    latency: { p50: p99 / 2, p90: p99, p99, p999: p99, max: p99 },
    histogram: [],
    disorder: undefined,
    latencies: none,
    connecting: none,
    lateness: none,
    intervals: [],
    generator: { cpu: 1, loopDelay: 0, late, limit: undefined },
    error,
  }
}

async function search(server: (rate: number, seconds: number, times: number) => Simulated): Promise<Found> {
  const times = new Map<number, number>()
  return findRate({
    bound: BOUND,
    duration: 10,
    measure: async (rate, seconds) => {
      const before = times.get(rate) ?? 0
      times.set(rate, before + 1)
      return resultOf(rate, seconds, server(rate, seconds, before))
    },
  })
}

describe('a search', () => {
  for (const knee of [3, 400, 1000, 12_345, 987_654]) {
    test(`finds a knee at ${knee} per second within 5 %, and confirms it by the longer load`, async () => {
      const { rate, limit, above, steps, result } = await search((at) => ({ p99: at <= knee ? 800 : 90_000 }))
      assert.ok(rate <= knee && rate >= Math.floor(knee / 1.05) && above > knee, `${rate} ${above}`)
      assert.equal(limit, 'server')
      assert.deepEqual([steps.at(-1)?.confirms, steps.at(-1)?.seconds, steps.at(-1)?.rate], [true, 10, rate])
      assert.ok(steps.slice(0, -1).every(({ seconds, confirms }) => seconds === 2 && !confirms))
      assert.equal(result.messages, rate * 10)
    })
  }

  test('is not ended by one hiccup', async () => {
    const { rate } = await search((at, _, times) => ({ p99: at <= 9000 && (at !== 2000 || times > 0) ? 800 : 90_000 }))
    assert.ok(rate > 8500)
  })

  test('goes lower where the longer load does not hold', async () => {
    const { rate, above } = await search((at, seconds) => ({ p99: at <= (seconds > 2 ? 5000 : 8000) ? 800 : 90_000 }))
    assert.ok(rate > 4400 && rate <= 5000 && above > 5000, `${rate}`)
  })

  test('names the load generator where that sent late, and not the server', async () => {
    const { rate, limit } = await search((at) => (at <= 30_000 ? { p99: 800 } : { p99: 90_000, late: 40 }))
    assert.ok(rate > 28_000)
    assert.equal(limit, 'generator')
    const lost = await search((at) => (at <= 30_000 ? { p99: 800 } : { p99: 800, late: 40, answered: 0.5 }))
    assert.equal(lost.limit, 'generator')
  })

  test('takes no rate that was not answered in time', async () => {
    const { rate, limit } = await search((at) => ({ p99: 800, answered: at <= 30_000 ? 1 : 0.9 }))
    assert.ok(rate <= 30_000 && rate > 28_000)
    assert.equal(limit, 'server')
  })

  test('finds nothing where nothing holds, and says so', async () => {
    const { rate, limit, steps } = await search(() => ({ p99: 90_000 }))
    assert.deepEqual([rate, limit, steps.at(-1)?.rate], [0, 'server', 1])
  })

  test('ends where a server that never answers has failed', async () => {
    const { rate, steps } = await search(() => ({ p99: 0, answered: 0, error: 'the server ended the connection' }))
    assert.deepEqual([rate, steps.length, steps[0]?.reason], [0, 1, 'the server ended the connection'])
  })

  test('says that there was no larger rate to try', async () => {
    const { limit, above } = await search(() => ({ p99: 800 }))
    assert.deepEqual([limit, above], ['none', 0])
  })
})

describe('--find-rate', { concurrency: 2 }, () => {
  const SHORT = ['--connections', '4', '--duration', '150ms', '--warmup', '50ms', '--find-rate']

  test('needs --p99, and neither a rate nor messages in flight', () => {
    const parse = (args: string) => parseBenchArguments(['ws://x', ...args.split(' ')])
    const command = parse('--find-rate --p99 5ms')
    assert.ok(command.name === 'bench' && command.find === 5000)
    const finer = parse('--find-rate --p99 0.5ms')
    assert.ok(finer.name === 'bench' && finer.find === 500)
    for (const [args, said] of [
      ['--find-rate', /--find-rate needs what the rate must hold, such as --p99 5ms/],
      ['--p99 5ms', /--p99 belongs to --find-rate/],
      ['--find-rate --p99 0', /--p99 must be more than 0/],
      ['--find-rate --p99 5ms --rate 100', /leave --rate out/],
      ['--find-rate --p99 5ms --pipeline 2', /leave --pipeline out/],
      ['--find-rate --p99 5ms --churn 10', /leave --churn out/],
      ['--find-rate --p99 fast', /--p99: "fast" is not a time such as 5ms, 0.5ms or 800us/],
    ] as const) {
      assert.throws(
        () => parse(args),
        (error) => error instanceof UsageError && said.test(error.message),
      )
    }
  })

  test('tells each step of a real server, and the load that confirms what it has found', {
    timeout: 90_000,
  }, async (t) => {
    const url = await echoServer(t)
    const searched = () => runCli('bench', url, ...SHORT, '--p99', '1s', '--json')
    let outcome = await searched()
    // Where the machine is busy with something else, no rate may be confirmed.
    for (let again = 0; again < 2 && outcome.code !== 0; again++) outcome = await searched()
    const { code, stdout, stderr } = outcome
    const {
      search,
      rate,
      messages,
      error,
    }: { search: Found & { bound: number }; rate: number; messages: number; error: null } = JSON.parse(stdout)
    assert.equal(code, 0, stderr)
    assert.deepEqual([search.bound, search.rate, error], [1_000_000, rate, null])
    assert.ok(messages > 0 && search.steps.length >= 2)
    const confirming = search.steps.at(-1) as SearchStep
    assert.deepEqual([confirming.verdict, confirming.rate], ['holds', rate])
    for (const { rate: at } of search.steps) assert.match(stderr, new RegExp(` ${at.toLocaleString('en-US')}/s  p50 `))
    assert.match(stderr, /messages\/s|at least/)
  })

  test('finds nothing where the bound is below any answer, with 1', options, async (t) => {
    const { code, stderr } = await runCli(
      'bench',
      await wsEchoServer(t),
      ...SHORT,
      '--p99',
      '0.001ms',
      '--processes',
      '2',
    )
    assert.equal(code, 1)
    assert.match(stderr, /^millrace: ws:\S+ no rate was found that holds p99 within 1 µs \(/m)
  })
})
