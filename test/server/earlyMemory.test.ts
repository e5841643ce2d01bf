// What peers send before `upgrade` has answered is memory that they make the server hold: it counts, whoever holds the most
// of it goes first, with an answer, and nothing is left of it when it is over.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { Budget } from '../../src/memory/budget.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import type { Endpoint, UpgradeVerdict } from '../../src/server/admission/endpoint.js'
import { PendingUpgrade } from '../../src/server/lanes/pendingUpgrade.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { inEveryLane } from '../support/everyLane.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { eventually } from '../support/socketClient.js'

const HEAD = { method: 'GET', target: '/', httpVersion: '1.1', headers: {}, repeated: [] }
const SOURCE = { remoteAddress: undefined, secure: false, told: false }

/** An upgrade that waits, with what its lane was told. */
function pend(budget: Budget, early = Buffer.alloc(0)) {
  const told: { verdict?: UpgradeVerdict; early?: Buffer; full: number } = { full: 0 }
  const request = new UpgradeRequest(HEAD, undefined, SOURCE, undefined)
  const { signal } = request
  const pending = new PendingUpgrade(
    { request, endpoint: {} as Endpoint, verdict: new Promise(() => undefined) },
    early,
    {
      deadlines: new Deadlines(() => false),
      budget,
      head: 300,
      due: 0,
      limits: { handshakeTimeout: 0, pauseTimeout: 0 },
    },
    {
      full: () => void told.full++,
      settled: (verdict, sent) => Object.assign(told, { verdict, early: sent }),
    },
  )
  return { pending, told, signal }
}

describe('an upgrade that waits', () => {
  test('counts with its request, and with what comes at what that costs', () => {
    const budget = new Budget(2 ** 28)
    const { pending } = pend(budget)
    const before = budget.used
    assert.ok(before > 600)
    for (let count = 0; count < 3000; count++) pending.received(Buffer.from([count & 255]))
    assert.ok(budget.used - before >= 3000 && budget.used - before <= 6000, `${budget.used - before} bytes`)
    pending.peerLeft('it has left')
    assert.deepEqual([budget.used, pending.held], [0, 0])
    pending.received(Buffer.alloc(1000))
    assert.equal(budget.used, 0)
  })

  test('hands on what came, whole and in order, and holds nothing any more', () => {
    const budget = new Budget(2 ** 28)
    const { pending, told } = pend(budget, Buffer.from('first '))
    for (const piece of ['second ', 'x'.repeat(5000), ' last']) pending.received(Buffer.from(piece))
    assert.ok(budget.used > 5000)
    pending.cancel()
    assert.equal(told.early?.toString(), `first second ${'x'.repeat(5000)} last`)
    assert.equal(budget.used, 0)
  })

  test('is read from no more when it holds 64 KiB, those after its request included', async () => {
    const budget = new Budget(2 ** 28)
    const { told } = pend(budget, Buffer.alloc(65_536))
    await Promise.resolve()
    assert.equal(told.full, 1)
    const { pending, told: later } = pend(budget)
    pending.received(Buffer.alloc(65_000))
    assert.equal(later.full, 0)
    pending.received(Buffer.alloc(600))
    assert.equal(later.full, 1)
  })

  test('is given up with 503 where there is no room for it, after its lane has come to know it', async () => {
    const budget = new Budget(0)
    const holder = { held: 0, gone: false, evicted: () => undefined }
    budget.charge(100 * 2 ** 20)
    budget.attribute(holder, 1)
    const { told, signal } = pend(budget)
    assert.equal(told.verdict, undefined)
    await Promise.resolve()
    assert.deepEqual(told.verdict, { status: 503, reason: 'others need the memory', headers: {} })
    assert.match(String(signal.reason), /others need the memory/)
    assert.equal(budget.used, 100 * 2 ** 20)
  })

  test('and the largest of many goes first', async () => {
    const budget = new Budget(0)
    const all = Array.from({ length: 100 }, (_, at) => {
      const one = pend(budget)
      one.pending.received(Buffer.alloc(at === 50 ? 60_000 : 20_000))
      return one
    })
    await Promise.resolve()
    const given = all.filter(({ told }) => told.verdict !== undefined)
    assert.ok(given.length > 0 && given.length < 100)
    assert.ok(all[50]?.told.verdict !== undefined)
    assert.ok(budget.used <= budget.limit)
    for (const { pending } of all) pending.peerLeft('all leave')
    assert.equal(budget.used, 0)
  })
})

inEveryLane(
  'of a thousand bytes here and there, those go first who hold the most, and newcomers are served',
  async (trial) => {
    let aborted = 0
    let asked = 0
    const server = await trial.serve({
      payloadMemory: 0,
      upgrade: ({ path, signal }) => {
        if (path !== '/later') return undefined
        asked++
        signal.addEventListener('abort', () => aborted++)
        return new Promise<undefined>(() => undefined)
      },
    })
    const later = upgradeRequest({}, 'GET /later HTTP/1.1')
    const small = await trial.send(later)
    const large = await Promise.all(Array.from({ length: 40 }, () => trial.send(later)))
    await eventually(() => asked === 41, 'all wait')
    for (const client of large) client.write(Buffer.alloc(60_000))
    await eventually(() => large.some(({ over }) => over), 'some are given up')
    for (const client of large) if (client.over) assert.match(client.text, /^($|HTTP\/1\.1 503 )/)
    assert.ok(aborted > 0)
    assert.equal(small.over, false)
    const newcomer = await trial.send()
    assert.equal((await newcomer.response()).status, 101)
    assert.equal(server.connections.size, 1)
  },
)
