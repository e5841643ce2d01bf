// Metrics of a load by OpenTelemetry's own exporter, taken by a receiver as a collector is one.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CliProcess, type Outcome } from '../command/cliProcess.js'
import { echoServer } from '../load/peers.js'
import { ecosystem, ecosystemMissing } from '../support/ecosystem.js'
import { OtlpReceiver } from '../support/otlpReceiver.js'

const options = { skip: ecosystemMissing(), timeout: 60_000 }

function bench(url: string, ...args: string[]): Promise<Outcome> {
  const few = ['--connections', '3', '--warmup', '0', '--rate', '100', '--json']
  return new CliProcess(['bench', url, ...few, ...args], { NODE_PATH: join(ecosystem, 'node_modules') }).outcome
}

describe('--otlp', () => {
  test('sends the metrics of a load, which grow until they are those of its report', options, async (t) => {
    const receiver = await OtlpReceiver.open(t)
    const { code, stdout, stderr } = await bench(await echoServer(t), '--duration', '2500ms', '--otlp', receiver.url)
    assert.equal(code, 0, stderr)
    assert.ok(receiver.requests.length >= 2)
    assert.deepEqual([...new Set(receiver.paths)], ['/v1/metrics'])
    const { messages } = JSON.parse(stdout)
    const counted = receiver.requests.map((request) => request.get('millrace.load.messages')?.sum?.dataPoints[0])
    const counts = counted.map((point) => point?.asDouble ?? 0)
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    )
    assert.equal(counts.at(-1), messages)
    assert.equal(new Set(counted.map((point) => point?.startTimeUnixNano)).size, 1)
    const last = receiver.requests.at(-1)
    assert.equal(last?.get('millrace.load.messages')?.sum?.isMonotonic, true)
    const latency = last?.get('millrace.load.latency')
    assert.equal(latency?.unit, 's')
    // What is due is charged, also where its answer comes after the end: there is a latency, and no message.
    const measured = latency?.histogram?.dataPoints[0]?.count ?? 0
    assert.ok(measured >= messages && measured < 1.5 * messages, `${measured} latencies of ${messages} messages`)
    assert.equal(last?.get('millrace.load.connections')?.gauge?.dataPoints[0]?.asDouble, 3)
    assert.ok(JSON.stringify(receiver.resources[0]).includes('millrace-bench'))
  })

  test('says what a receiver answers that takes nothing', options, async (t) => {
    const receiver = await OtlpReceiver.open(t, 400)
    const { code, stdout, stderr } = await bench(await echoServer(t), '--duration', '300ms', '--otlp', receiver.url)
    assert.equal(code, 1)
    assert.ok(JSON.parse(stdout).messages > 0)
    assert.match(stderr, /millrace: 127\.0\.0\.1:\d+ did not take the metrics of --otlp: \S.*\n$/)
  })
})
