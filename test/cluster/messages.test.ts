// The channel between primary and acceptors belongs to the application, too: whatever peers have it carry, nobody must
// take it for an order, and nothing of it may throw in the primary.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { failureOf, orderIn, reportIn } from '../../src/cluster/orders.js'
import { makeSecret, Seal } from '../../src/cluster/seal.js'
import { Inbox } from '../clients/inbox.js'
import { WsClient } from '../clients/wsClient.js'

const PROGRAM = fileURLToPath(new URL('./messagesProgram.js', import.meta.url))
const options = { timeout: 60_000, skip: process.platform === 'win32' }

/** What peers say. Those of Node's would end the primary, or an acceptor, or take its sockets. */
const hostile: readonly unknown[] = [
  null,
  7,
  '',
  [],
  {},
  { millrace: null },
  { millrace: '' },
  { millrace: 'failed' },
  { millrace: 'listening' },
  { millrace: 'listening', addresses: [null] },
  { millrace: 'statistics', id: 0 },
  { millrace: 'drain', after: 0, over: 0, code: 1000, reason: '' },
  { millrace: { toString: 1, length: 1e9 } },
  { kind: 'failed' },
  { constructor: { prototype: 1 }, toString: null },
  JSON.parse('{"__proto__":{"millrace":"failed"},"millrace":["failed"]}'),
  'x'.repeat(100_000),
]
const ofNode: readonly unknown[] = [
  { cmd: 'NODE_HANDLE_ACK' },
  { cmd: 'NODE_HANDLE_NACK' },
  { cmd: 'NODE_HANDLE', type: 'x' },
  { cmd: 'NODE_CLUSTER', act: 'disconnect' },
  { cmd: 'NODE_CLUSTER', act: 'exitedAfterDisconnect' },
  { cmd: 'NODE_CLUSTER', act: 'queryServer', address: '127.0.0.1', port: 0, addressType: 4 },
]

describe('messages of the application', { skip: options.skip }, () => {
  test('pass as they are, and order nothing, whatever they say', options, async (t) => {
    const child = spawn(process.execPath, ['--no-warnings', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    const lines = new Inbox<unknown>()
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
    const { port } = (await lines.next()) as { port: number }
    const clients = await Promise.all(Array.from({ length: 20 }, () => WsClient.open(`ws://127.0.0.1:${port}`)))
    const [peer, ...others] = clients
    for (const said of [...hostile, ...ofNode, 'cyclic', 'last']) peer?.socket.send(JSON.stringify(said))
    const arrived: unknown[] = []
    while (arrived.at(-1) !== 'last') arrived.push(await lines.next())
    assert.deepEqual(arrived, [...hostile, 'last'])
    assert.equal(child.exitCode, null)
    // Everybody is still there, and has heard what the primary passed on.
    for (const { socket, messages } of others) {
      let heard: readonly unknown[] = []
      while (heard.at(-1) !== 'last') {
        socket.send('"what?"')
        heard = JSON.parse(String(await messages.next()))
      }
      assert.deepEqual(heard, [...hostile, 'last'])
    }
    child.kill('SIGTERM')
    for (const { ended } of clients) assert.equal((await ended).code, 1001)
    assert.equal((await once(child, 'exit'))[0], 0)
  })
})

describe('a seal', () => {
  test('opens what the other side has sealed, each once, in order', () => {
    const secret = makeSecret()
    const [here, there] = [new Seal(secret, 'primary'), new Seal(secret, 'primary')]
    const [first, second] = [here.seal({ kind: 'report', id: 1 }), here.seal('x')]
    assert.equal(there.open(second), undefined, 'not before its turn')
    assert.deepEqual(there.open(first), { kind: 'report', id: 1 })
    assert.equal(there.open(first), undefined, 'not again')
    assert.equal(there.open(second), 'x')
  })

  test('opens nothing of another direction, of another acceptor, or of somebody who guesses', () => {
    const secret = makeSecret()
    const there = new Seal(secret, 'acceptor')
    assert.equal(there.open(new Seal(secret, 'primary').seal('x')), undefined)
    assert.equal(there.open(new Seal(makeSecret(), 'acceptor').seal('x')), undefined)
    assert.equal(there.open(new Seal('', 'acceptor').seal('x')), undefined)
    for (const message of [...hostile, ...ofNode, undefined, Symbol('x'), () => 'x']) {
      assert.equal(there.open(message), undefined)
    }
    const getter = {
      get millrace() {
        throw new Error('a getter')
      },
    }
    assert.equal(there.open(getter), undefined)
    assert.equal(there.open(new Seal(secret, 'acceptor').seal('x')), 'x', 'and is not confused by them')
  })
})

describe('what was opened', () => {
  test('is no order and no report unless it has the form of one', () => {
    for (const content of [...hostile, ...ofNode, undefined]) {
      assert.equal(orderIn(content), undefined)
      assert.equal(reportIn(content), undefined)
    }
    for (const content of [
      { kind: 'drain', after: -1, over: 0, code: 1000, reason: '' },
      { kind: 'drain', after: 0, over: 0, code: 1000 },
      { kind: 'report' },
      { kind: 'listening', addresses: 'x' },
      { kind: 'listening', addresses: [null] },
      { kind: 'statistics', id: 1, statistics: null },
      { kind: 'statistics', id: 1, statistics: { connections: 1 } },
    ]) {
      assert.equal(orderIn(content) ?? reportIn(content), undefined, JSON.stringify(content))
    }
  })

  test('an error travels as the fields that can', () => {
    const error = Object.assign(new Error('taken'), { code: 'EADDRINUSE', port: 1, address: '::', extra: () => 1 })
    assert.deepEqual(failureOf(error), { message: 'taken', code: 'EADDRINUSE', port: 1, address: '::' })
    assert.deepEqual(failureOf('words'), { message: 'words' })
    for (const thrown of [undefined, null, Object.create(null), { message: 1, code: {} }]) {
      assert.deepEqual(failureOf(thrown), { message: 'it could not listen' })
    }
    assert.deepEqual(reportIn({ kind: 'failed', failure: failureOf(error) }), {
      kind: 'failed',
      failure: failureOf(error),
    })
  })
})
