// What a target tells of itself, at /metrics and /dashboard/live: only where its operator allows that, to no page of
// another origin, and the same whichever way it is asked.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:http2'
import { test } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { isForeign } from '../../src/target/paths/insight.js'
import { startTarget, type Target, type TargetOptions } from '../../src/target.js'
import { WsClient } from '../clients/wsClient.js'
import { PrometheusText } from '../support/prometheusText.js'
import { delay, eventually } from '../support/socketClient.js'

async function started(t: { after(end: () => Promise<void>): void }, options: TargetOptions = {}): Promise<Target> {
  const target = await startTarget(options)
  t.after(() => target.close())
  return target
}

function ask(
  port: number | undefined,
  path: string,
  headers = {},
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** The status with which a WebSocket is answered: 101 if it opens. */
function knock(port: number | undefined, options: ClientOptions = {}): Promise<number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/dashboard/live`, options)
  return new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.once('open', () => resolve(101))
    socket.once('unexpected-response', (_, response: IncomingMessage) => resolve(response.statusCode))
  }).finally(() => socket.terminate()) as Promise<number | undefined>
}

test('/metrics has what the target has counted', async (t) => {
  const target = await started(t)
  const client = await WsClient.open(`${target.url}/echo`)
  client.socket.send('hello')
  await client.messages.next()
  const { status, body } = await ask(target.port, '/metrics')
  assert.equal(status, 200)
  assert.equal(new PrometheusText(body).sum('millrace_messages_received_total', { tier: '7bit', opcode: 'text' }), 1)
  await client.close()
})

test('/dashboard/live tells once a second, to all who watch, and nothing when nobody does', async (t) => {
  const target = await started(t)
  const looks: number[] = []
  const { metrics } = target.server
  target.server.metrics = () => {
    looks.push(performance.now())
    return metrics.call(target.server)
  }
  await delay(100)
  assert.deepEqual(looks, [])
  const viewers = await Promise.all([1, 2].map(() => WsClient.open(`${target.url}/dashboard/live`)))
  for (const viewer of viewers) {
    const told = [await viewer.messages.next(), await viewer.messages.next(), await viewer.messages.next()]
    const numbers = told.map((text) => JSON.parse(String(text)))
    assert.ok(numbers.every(({ at, connectionsOpen }) => at > 0 && connectionsOpen >= 1))
    assert.equal(numbers.at(-1).connectionsOpen, 2)
    viewer.socket.send('12.5')
    await eventually(() => viewer.messages.left > 0, 'an answer')
  }
  await Promise.all(viewers.map((viewer) => viewer.close()))
  await eventually(() => target.server.connections.size === 0, 'nobody watches')
  const { length } = looks
  assert.ok(length >= 3 && length <= 8, `${length} looks`)
  await delay(1200)
  assert.equal(looks.length, length)
})

test('where the operator does not allow it, neither answers, and the page has no dashboard', async (t) => {
  const target = await started(t, { admin: false })
  assert.equal((await ask(target.port, '/metrics')).status, 403)
  assert.equal(await knock(target.port), 403)
  const plain = (await ask(target.port, '/')).body
  assert.doesNotMatch(plain, /dashboard|uPlot/)
  assert.match((await ask((await started(t)).port, '/')).body, /id="dashboard-title"/)
})

test('with an admin port, that one tells of the target, and the target itself does not', async (t) => {
  const target = await started(t, { adminPort: 0 })
  assert.equal((await ask(target.port, '/metrics')).status, 403)
  const client = await WsClient.open(`${target.url}/echo`)
  const { status, body } = await ask(target.adminPort, '/metrics')
  assert.equal(status, 200)
  assert.equal(new PrometheusText(body).sum('millrace_connections_open'), 1)
  assert.equal(await knock(target.adminPort), 101)
  assert.match((await ask(target.adminPort, '/')).body, /id="dashboard-title"/)
  await client.close()
})

test('pages of other origins can not watch, and none whose name points to this machine', async (t) => {
  const target = await started(t)
  const own = `127.0.0.1:${target.port}`
  assert.equal(await knock(target.port, { origin: `http://${own}` }), 101)
  assert.equal(await knock(target.port, { origin: 'http://evil.example' }), 403)
  const rebound = { origin: `http://evil.example:${target.port}`, headers: { host: `evil.example:${target.port}` } }
  assert.equal(await knock(target.port, rebound), 403)
  const local = { origin: `http://localhost:${target.port}`, headers: { host: `localhost:${target.port}` } }
  assert.equal(await knock(target.port, local), 101)
  assert.equal((await ask(target.port, '/metrics', { host: `evil.example:${target.port}` })).status, 403)
})

test('over HTTP/2, the authority is the host', async (t) => {
  const target = await started(t, { http2: 'cleartext' })
  const session = connect(`http://127.0.0.1:${target.port}`)
  t.after(() => session.destroy())
  for (const [authority, status] of [
    [`evil.example:${target.port}`, 403],
    [`localhost:${target.port}`, 200],
  ] as const) {
    const stream = session.request({ ':path': '/metrics', ':authority': authority })
    const [headers] = await once(stream, 'response')
    stream.resume()
    assert.equal(headers[':status'], status, authority)
  }
})

test('a host is foreign where a browser on this machine names another', () => {
  const near = ['127.0.0.1', '::1', '::ffff:127.0.0.1']
  for (const address of near) {
    for (const host of ['evil.example', 'evil.example:80', 'localhost.evil.example', '127.0.0.1.evil.example']) {
      assert.equal(isForeign(address, host), true, `${host} from ${address}`)
    }
    for (const host of ['localhost', 'a.localhost:9001', '127.0.0.1:9001', '[::1]:9001', '10.0.0.1', undefined]) {
      assert.equal(isForeign(address, host), false, `${host} from ${address}`)
    }
  }
  assert.equal(isForeign('10.0.0.7', 'target.example'), false)
  assert.equal(isForeign(undefined, 'target.example'), false)
})
