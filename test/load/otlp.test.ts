// What --otlp hands to OpenTelemetry's exporter, and what happens without it. The exporter itself is tried in test/ecosystem.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { parseBenchArguments } from '../../src/command/bench/arguments.js'
import { UsageError } from '../../src/command/options.js'
import { CliProcess, type Outcome } from '../command/cliProcess.js'
import { onlyInFull } from '../support/effort.js'
import { echoServer, options } from './peers.js'

/** Writes down what it is asked to send, a line for each; it fails if its address says so. */
const EXPORTER = `
const { appendFileSync } = require('node:fs')
exports.OTLPMetricExporter = class {
  constructor({ url }) { this.url = url }
  export(metrics, told) {
    appendFileSync(process.env.WRITTEN, JSON.stringify({ url: this.url, ...metrics }) + '\\n')
    const fails = this.url.includes('fails')
    if (this.url.includes('throws')) throw new Error('no such thing')
    if (this.url.includes('silent')) return
    setTimeout(() => told(fails ? { code: 1, error: new Error('nobody is there\\n  at x') } : { code: 0 }), 10)
  }
  async shutdown() { appendFileSync(process.env.WRITTEN, '"over"\\n') }
}`

/** What the exporter was asked to send. */
interface Export {
  readonly url: string
  readonly resource: { readonly attributes: Readonly<Record<string, string>> }
  readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[]
}
interface Metric {
  readonly descriptor: { readonly name: string }
  readonly dataPoints: readonly { readonly value: number & Histogram }[]
}
interface Histogram {
  readonly count: number
  readonly sum: number
  readonly max: number
  readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] }
}

/** A load with that exporter in place of the real one; returns also what was written down. */
async function loaded(t: TestContext, ...args: string[]): Promise<Outcome & { ended: boolean; written: Export[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const exporter = join(folder, '@opentelemetry/exporter-metrics-otlp-http')
  mkdirSync(exporter, { recursive: true })
  writeFileSync(join(exporter, 'index.js'), EXPORTER)
  const written = join(folder, 'written')
  writeFileSync(written, '')
  const cli = new CliProcess(['bench', await echoServer(t), '--connections', '3', '--warmup', '0', '--json', ...args], {
    NODE_PATH: folder,
    WRITTEN: written,
  })
  const outcome = await cli.outcome
  const lines = readFileSync(written, 'utf8').trim().split('\n')
  return { ...outcome, ended: lines.pop() === '"over"', written: lines.map((line) => JSON.parse(line)) }
}

/** A metric of an export: a number, or a histogram. */
function valueIn(sent: Export | undefined, name: string): number & Histogram {
  const metrics = sent?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
  const value = metrics.find(({ descriptor }) => descriptor.name === `millrace.load.${name}`)?.dataPoints[0]?.value
  assert.ok(value !== undefined, name)
  return value
}

/** A load that sends its metrics at least once before the end. */
const SHORT = ['--duration', '1500ms', '--rate', '50']

describe('--otlp', { concurrency: 2 }, () => {
  for (const processes of ['1', '2']) {
    test(`what ${processes} measured is sent meanwhile and in the end, as in the report`, options, async (t) => {
      const args = ['--duration', '2500ms', '--rate', '200', '--processes', processes]
      const { code, stdout, stderr, written, ended } = await loaded(t, ...args, '--otlp', 'http://collector:4318')
      assert.equal(code, 0, stderr)
      assert.equal(ended, true, 'the exporter is shut down')
      assert.ok(written.length >= 2, `${written.length} exports`)
      const { messages, messagesPerSecond, latency } = JSON.parse(stdout)
      const [first, last] = [written[0], written.at(-1)]
      assert.ok(valueIn(first, 'messages') > 0 && valueIn(first, 'messages') < messages)
      assert.deepEqual(
        ['messages', 'errors', 'connections'].map((name) => valueIn(last, name)),
        [messages, 0, 3],
      )
      assert.equal(valueIn(last, 'rate'), messagesPerSecond)
      const { count, sum, max, buckets } = valueIn(last, 'latency')
      // What is due is charged, also where its answer comes after the end: there is a latency, and no message.
      assert.ok(count >= messages && count < 1.5 * messages, `${count} latencies of ${messages} messages`)
      assert.ok(sum > 0 && sum <= count * max && Math.abs(max * 1e6 - latency.max) <= 0.01 * latency.max)
      assert.equal(buckets.counts.length, buckets.boundaries.length + 1)
      assert.equal(
        buckets.counts.reduce((all, one) => all + one, 0),
        count,
      )
      // The median lies in the bucket that holds it.
      const at = buckets.boundaries.findIndex((bound) => latency.p50 / 1e6 <= bound)
      assert.ok((buckets.counts[at] ?? 0) > 0)
      assert.equal(first?.url, 'http://collector:4318/v1/metrics')
      assert.equal(first?.resource.attributes['service.name'], 'millrace-bench')
      assert.deepEqual(
        new Set(written.map((one) => one.resource.attributes['service.instance.id'])).size,
        1,
        'one load is one instance',
      )
    })
  }

  test('a collector that takes nothing does not change the report, but the exit code', options, async (t) => {
    const { code, stdout, stderr } = await loaded(t, '--duration', '200ms', '--otlp', 'http://collector/fails')
    assert.equal(code, 1)
    assert.ok(JSON.parse(stdout).messages > 0)
    assert.match(stderr, /\nmillrace: collector did not take the metrics of --otlp: nobody is there\n$/)
  })

  test('an exporter that throws does not end the load', options, async (t) => {
    const { code, stdout, stderr } = await loaded(t, ...SHORT, '--otlp', 'http://x/throws')
    assert.equal(code, 1)
    assert.ok(JSON.parse(stdout).messages > 0)
    assert.match(stderr, /\nmillrace: x did not take the metrics of --otlp: no such thing\n$/)
  })

  test('an exporter that never tells holds the end up for seconds only', {
    ...options,
    skip: onlyInFull,
  }, async (t) => {
    const { code, stdout, stderr } = await loaded(t, ...SHORT, '--otlp', 'http://x/silent')
    assert.equal(code, 1)
    assert.ok(JSON.parse(stdout).messages > 0)
    assert.match(stderr, /\nmillrace: x did not take the metrics of --otlp: there was no whole answer within \d s\n$/)
  })

  test('without the package, the load does not begin, and the error names it', options, async (t) => {
    const cli = new CliProcess(['bench', await echoServer(t), '--otlp', 'http://127.0.0.1:4318'], { NODE_PATH: '' })
    const { code, stdout, stderr } = await cli.outcome
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(
      stderr,
      /--otlp needs the package @opentelemetry\/exporter-metrics-otlp-http, which is not installed here: npm install @/,
    )
  })

  test('its address is one of HTTP', () => {
    for (const wrong of ['collector', 'ws://x', '']) {
      assert.throws(() => parseBenchArguments(['ws://x', `--otlp=${wrong}`]), UsageError)
    }
  })
})
