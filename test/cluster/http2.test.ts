// Acceptors serve HTTP/2: each has sessions of its own, and a reload moves all of them over without a fault.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { CLOSE, close, closeStatus, masked, TEXT } from '../support/frames.js'
import { get, open, type StreamClient, sessionTo } from '../support/http2Client.js'
import { eventually } from '../support/socketClient.js'
import { ClusterProcess } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }
const SESSIONS = 6
/** An acceptor that has time takes what another one has not taken: on a busy machine, many come to the same one. */
const MOST_SESSIONS = 200

interface Visitor {
  readonly session: ClientHttp2Session
  readonly clients: readonly StreamClient[]
  /** The acceptor that greets it. */
  readonly pid: number
}

async function visit(t: TestContext, port: number): Promise<Visitor> {
  const session = await sessionTo(t, `http://127.0.0.1:${port}`)
  const clients = await Promise.all([open(session), open(session)])
  const greetings = await Promise.all(clients.map((client) => client.framesOf(1)))
  const [pid, other] = greetings.map(([frame]) => Number.parseInt(String(frame?.payload), 10))
  assert.equal(pid, other, 'the streams of a session are served by one acceptor')
  return { session, clients, pid: pid ?? 0 }
}

function visitors(t: TestContext, port: number): Promise<Visitor[]> {
  return Promise.all(Array.from({ length: SESSIONS }, () => visit(t, port)))
}

test('several acceptors serve sessions, and what they count is told together', options, async (t) => {
  const { cluster, port, pids } = await ClusterProcess.start({ http2: 'cleartext' })
  t.after(() => cluster.end())
  const all = await visitors(t, port)
  while (new Set(all.map(({ pid }) => pid)).size < 2 && all.length < MOST_SESSIONS) all.push(await visit(t, port))
  assert.deepEqual(new Set(all.map(({ pid }) => pid)), new Set(pids))
  for (const { clients, session } of all) {
    for (const client of clients) client.write(masked(TEXT, 'x'))
    for (const client of clients) assert.equal((await client.framesOf(2))[1]?.payload.toString(), 'x')
    assert.equal((await open(session, { 'sec-websocket-version': '8' })).status, 400)
    assert.equal((await open(session, { ':protocol': 'foo' })).status, 501)
  }
  const statistics = await cluster.statistics()
  assert.ok(statistics.every(({ connections }) => connections > 0))
  const { metrics } = await cluster.ask('metrics')
  assert.equal(metrics?.handshakes['101'], 2 * all.length)
  assert.equal(metrics?.handshakes['400'], all.length)
  assert.equal(metrics?.handshakes['5xx'], all.length)
  assert.equal(metrics?.connectionsOpen, 2 * all.length)
  assert.equal(cluster.stderr, '')
})

test(
  'a reload says GOAWAY, closes what there is with 1012, and newcomers get the new acceptors',
  options,
  async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start({ http2: 'cleartext', drainAfter: 300, drainOver: 300 })
    t.after(() => cluster.end())
    const all = await visitors(t, port)
    const goneAway = Promise.all(all.map(({ session }) => once(session, 'goaway')))
    const slow = all.map(({ session }) => get(session, '/200')) // asked for before the reload, and answered amid it
    assert.equal((await cluster.ask('reload')).failed, undefined)
    for (const [code] of await goneAway) assert.equal(code, 0)
    const newcomers = await visitors(t, port)
    for (const { pid } of newcomers) assert.ok(!pids.includes(pid), `${pid} is an old acceptor`)
    for (const { body } of await Promise.all(slow)) assert.equal(body, 'the whole answer')
    await Promise.all(all.flatMap(({ clients }) => clients.map(leaves)))
    await eventually(() => all.every(({ session }) => session.destroyed), 'the end of all sessions')
    while ((await cluster.statistics()).length > 2) await new Promise((resolve) => setTimeout(resolve, 50))
    for (const { clients } of newcomers) for (const client of clients) assert.ok(!client.closed)
    assert.equal(cluster.stderr, '')
  },
)

/** Answers Close with Close, and both sides end the stream. */
async function leaves(client: StreamClient): Promise<void> {
  const [, frame] = await client.framesOf(2)
  assert.equal(frame?.opcode, CLOSE)
  assert.equal(frame && closeStatus(frame)?.code, 1012)
  client.write(close(1012, ''))
  client.stream.end()
  assert.equal(await client.end(), 0)
}

test('a session whose peer answers nothing does not keep an old acceptor', options, async (t) => {
  const { cluster, port, pids } = await ClusterProcess.start({
    http2: 'cleartext',
    closeTimeout: 500,
    drainAfter: 50,
    drainOver: 50,
  })
  t.after(() => cluster.end())
  const all = await visitors(t, port)
  await cluster.ask('reload')
  await cluster.listening(2, pids)
  while ((await cluster.statistics()).length > 2) await new Promise((resolve) => setTimeout(resolve, 50))
  await eventually(() => all.every(({ session }) => session.destroyed), 'the end of all sessions')
  assert.equal(cluster.stderr, '')
})
