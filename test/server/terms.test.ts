// How long a connection may be there, where `upgrade` says so: it is closed with 1008 when its time is over, unless `refresh`
// gives it more.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { createServer, type Handlers } from '../../src/index.js'
import { Terms } from '../../src/server/terms.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { eventually } from '../support/socketClient.js'

/** A server whose connections may stay for `term` ms, and a client: resolves with how it ended, and after how long. */
async function endOf(t: TestContext, term: number | Date, handlers: Partial<Handlers> = {}) {
  const server = createServer({
    upgrade: () => ({ expiresAt: typeof term === 'number' ? Date.now() + term : term }),
    ...handlers,
  })
  await server.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => server.close())
  const began = performance.now()
  const client = new WebSocket(`ws://127.0.0.1:${server.port}`)
  const [code, reason] = await once(client, 'close')
  return { code, reason: `${reason}`, took: performance.now() - began }
}

test('a connection whose time is over is closed with 1008, and not before', async (t) => {
  const { code, reason, took } = await endOf(t, 400)
  assert.deepEqual([code, reason], [1008, 'expired'])
  assert.ok(took >= 390, `${took} ms`)
})

test('a time that was over at the handshake, also as a Date, ends the connection soon', async (t) => {
  const { code } = await endOf(t, new Date(0))
  assert.equal(code, 1008)
})

test('refresh gives more time, at once or by a promise, until it gives none', async (t) => {
  const answers: (() => unknown)[] = [
    () => Date.now() + 250,
    async () => {
      await sleep(50)
      return new Date(Date.now() + 250)
    },
    () => undefined,
  ]
  let asked = 0
  const { code, took } = await endOf(t, 200, { refresh: () => answers[asked++]?.() })
  assert.deepEqual([code, asked], [1008, 3])
  assert.ok(took >= 700, `${took} ms`)
})

for (const [what, refresh] of [
  ['throws', () => assert.fail('broken')],
  ['rejects', async () => assert.fail('broken')],
  ['returns what is no time', () => 'tomorrow'],
  ['answers by a promise with a Date that is none', async () => Object.create(Date.prototype)],
] as const) {
  test(`a refresh that ${what} is an error of the application: 1011`, async (t) => {
    const errors: unknown[] = []
    const { code } = await endOf(t, 100, { refresh, error: (_, error) => void errors.push(error) })
    assert.equal(code, 1011)
    assert.match(String(errors), /broken|refresh must return a Date/)
  })
}

test('what is no time refuses the handshake', async (t) => {
  for (const wrong of ['tomorrow', Number.NaN, new Date('x')]) {
    const failures: unknown[] = []
    const server = createServer({
      upgrade: () => Object({ expiresAt: wrong }),
      upgradeFailed: (_, error) => void failures.push(error),
    })
    await server.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => server.close())
    const client = new WebSocket(`ws://127.0.0.1:${server.port}`)
    const [error] = await once(client, 'error')
    assert.match(String(error), /500/)
    assert.match(String(failures), /expiresAt must be a Date, or milliseconds since 1970/)
  }
})

test('ten thousand terms take one timer, and those that have ended before take nothing', async () => {
  const deadlines = new Deadlines(() => false)
  const terms = new Terms(deadlines)
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const closed: number[] = []
  const keys = Array.from({ length: 10_000 }, (_, at) => ({ at }))
  for (const key of keys) {
    const close = (): void => void closed.push(key.at)
    terms.begin({ connection: key, isOpen: true, close, handlerFailed: assert.fail }, Date.now() + 100, {})
  }
  assert.ok(timers() - before <= 1)
  for (const key of keys.slice(1)) terms.end(key)
  await eventually(() => closed.length > 0, 'the one that is left ends')
  assert.deepEqual(closed, [0])
})
