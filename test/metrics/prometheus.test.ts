// What Prometheus fetches is what was sent, summed over all acceptors whichever of them answers, and no counter falls when
// acceptors end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Registry } from 'prom-client'
import { createServer, type ServerMetrics } from '../../src/index.js'
import { prometheus } from '../../src/metrics.js'
import { Inbox } from '../clients/inbox.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { PrometheusText } from '../support/prometheusText.js'
import { serving } from '../support/serving.js'
import { delay, SocketClient } from '../support/socketClient.js'

const PROGRAM = fileURLToPath(new URL('./program.js', import.meta.url))

interface Said {
  readonly port: number
  readonly metrics: ServerMetrics
}

async function fetched(port: number): Promise<PrometheusText> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  return new PrometheusText(await response.text())
}

test('metrics are well formed, with the types and units of their names', async (t) => {
  const server = await serving(t, { request: (request, response) => exported.handle(request, response) })
  const exported = prometheus(server)
  const text = await fetched(server.port ?? 0)
  for (const [name, type] of text.types) {
    assert.match(name, /^millrace_[a-z_]+$/)
    assert.match(text.helps.get(name) ?? '', /^[A-Z].+\.$/, name)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    assert.doesNotMatch(name, /milliseconds|_ms|kib|percent/)
  }
  const buckets = text.samples.filter(({ name }) => name === 'millrace_event_loop_delay_seconds_bucket')
  const counts = buckets.map(({ value }) => value)
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  )
  assert.equal(buckets.at(-1)?.labels['le'], '+Inf')
  assert.equal(text.sum('millrace_event_loop_delay_seconds_count'), buckets.at(-1)?.value)
  const wrong = await fetch(`http://127.0.0.1:${server.port}/metrics`, { method: 'POST' })
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD'])
})

test('metrics share a registry with those of the application, and what is no option, or no server, throws', async () => {
  const registry = new Registry()
  const server = createServer()
  const exported = prometheus(server, { registry })
  assert.equal(exported.registry, registry)
  assert.match(await registry.metrics(), /^millrace_connections_open 0$/m)
  assert.throws(() => prometheus(server, { registry }), /already been registered/)
  assert.throws(() => prometheus(server, Object({ register: registry })), { name: 'TypeError', message: /registry/ })
  assert.throws(() => prometheus(Object({})), { code: 'ERR_ARGUMENT_KIND' })
})

const options = { timeout: 60_000, skip: process.platform === 'win32' }

test('two acceptors tell together what was sent to both, and go on from there when they end', options, async (t) => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = new Inbox<Said>()
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)))
  t.after(async () => {
    child.kill('SIGTERM')
    await once(child, 'close')
  })
  const { port } = await said.next()
  const clients = await Promise.all(Array.from({ length: 12 }, () => SocketClient.upgraded(port)))
  for (const [at, client] of clients.entries()) {
    for (let message = 0; message <= at; message++) client.write(masked(TEXT, 'hello'))
    client.write(masked(BINARY, Buffer.alloc(70_000)))
  }
  await Promise.all(clients.map((client, at) => client.frames(at + 2)))
  const expected = (text: PrometheusText): void => {
    for (const direction of ['received', 'sent']) {
      const messages = `millrace_messages_${direction}_total`
      assert.equal(text.sum(messages, { tier: '7bit', opcode: 'text' }), 78)
      assert.equal(text.sum(messages, { tier: '64bit', opcode: 'binary' }), 12)
      assert.equal(text.sum(`millrace_${direction}_bytes_total`, { tier: '7bit', opcode: 'text' }), 390)
      assert.equal(text.sum(`millrace_${direction}_bytes_total`, { tier: '64bit' }), 840_000)
    }
    assert.equal(text.sum('millrace_handshakes_total', { status: '101' }), 12)
    assert.equal(text.sum('millrace_connections_opened_total'), 12)
  }
  // Each answer is of one acceptor: several of them are of both.
  const texts = await Promise.all(Array.from({ length: 6 }, () => fetched(port)))
  for (const text of texts) {
    expected(text)
    assert.equal(text.sum('millrace_connections_open'), 12)
    const pids = text.samples.filter(({ name }) => name === 'millrace_process_cpu_seconds_total')
    assert.equal(pids.length, 2)
    assert.equal(text.sum('millrace_process_connections'), 12)
  }
  child.stdin.write('say\n')
  const { metrics } = await said.next()
  assert.deepEqual([metrics.messagesReceived['7bit'].text, metrics.processes.length], [78, 2])

  await fetch(`http://127.0.0.1:${port}/end`).catch(() => undefined)
  await delay(700)
  expected(await fetched(port))
  child.stdin.write('reload\n')
  await said.next()
  for (const client of clients) client.socket.destroy()
  for (let tries = 0; tries < 100 && (await fetched(port)).sum('millrace_connections_open') > 0; tries++)
    await delay(50)
  await delay(700)
  const text = await fetched(port)
  expected(text)
  assert.equal(text.sum('millrace_acceptor_deaths_total'), 1)
  assert.equal(text.sum('millrace_connections_open'), 0)
})
