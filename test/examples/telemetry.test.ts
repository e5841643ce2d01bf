// The example for OpenTelemetry makes the spans that it promises, and the dashboard for Grafana names only metrics that
// there are.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createServer } from '../../src/index.js'
import { prometheus } from '../../src/metrics.js'
import { close, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { PrometheusText } from '../support/prometheusText.js'
import { eventually, SocketClient } from '../support/socketClient.js'
import { Program, ROOT } from './program.js'

/** Why the example can't run here; in CI it always runs, and fails without. */
const missing =
  process.env['CI'] === 'true' || existsSync(join(ROOT, 'node_modules/@opentelemetry/sdk-trace-base'))
    ? false
    : 'OpenTelemetry is not installed'

test('examples/opentelemetry.mjs makes a span for each connection, with its errors, and for refusals', {
  skip: missing,
  timeout: 30_000,
}, async (t) => {
  const program = await Program.start(['examples/opentelemetry.mjs'])
  t.after(() => program.kill())
  const spans = (): string[] => program.output.split(/^\{/m).slice(1)
  const refused = await SocketClient.open(program.port)
  refused.write(upgradeRequest({}, 'GET /private HTTP/1.1'))
  assert.equal((await refused.response()).status, 403)
  await refused.destroy()
  for (const bytes of [close(1000), masked(TEXT, 'fail'), masked(3)]) {
    const client = await SocketClient.upgraded(program.port)
    client.write(bytes)
    await client.end()
    await client.destroy()
  }
  await eventually(() => spans().length === 4, 'four spans')
  const [handshake = '', well = '', failed = '', violated = ''] = spans()
  assert.match(handshake, /'websocket handshake'.*'http.response.status_code': 403/s)
  assert.match(well, /'websocket connection'.*'url.path': '\/chat'.*'websocket.close_code': 1000.*code: 0/s)
  assert.match(failed, /'websocket.close_code': 1011.*code: 2, message: 'the application has failed'.*events: \[/s)
  assert.match(violated, /'websocket.close_code': 1002.*'exception.type': 'RESERVED_OPCODE'/s)
})

test('each metric and each label that examples/grafana/millrace.json names exists, and each metric is on it', async () => {
  const { registry } = prometheus(createServer())
  const text = new PrometheusText(await registry.metrics())
  const names = new Set(text.samples.map(({ name }) => name))
  const dashboard = readFileSync(join(ROOT, 'examples/grafana/millrace.json'), 'utf8')
  const own = [...names].filter((name) => !/^millrace_process_/.test(name))
  const perProcess = [...text.types.keys()].filter((name) => /^millrace_process_/.test(name))
  const named = new Set(dashboard.match(/\bmillrace_\w+/g))
  assert.ok(named.size > 30)
  for (const name of named) assert.ok(names.has(name) || perProcess.includes(name), name)
  for (const name of [...own, ...perProcess])
    assert.ok(named.has(name) || /_(?:sum|count)$/.test(name), `${name} is nowhere`)
  const labels = new Set(text.samples.flatMap((sample) => Object.keys(sample.labels)))
  for (const [, by = ''] of dashboard.matchAll(/sum by \(([^)]*)\)/g)) {
    for (const label of by.split(', ')) assert.ok(labels.has(label), label)
  }
})
