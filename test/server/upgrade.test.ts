// `upgrade` decides who gets in. Whatever it answers, at once or later, must reach the client exactly so, and an answer
// that is none must not reach it at all: a header with a line break would be a response of somebody else's.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Acceptance, Rejection, Upgrade } from '../../src/server/options.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { SAMPLE_ACCEPT, upgradeRequest } from '../support/httpRequests.js'

type Answer = Acceptance<unknown> | Rejection | undefined

/** The same answer, at once, promised, promised for later, and by somebody else's promise. */
const timings: Record<string, (answer: () => Answer) => Upgrade<unknown>> = {
  'at once': (answer) => () => answer(),
  promised: (answer) => async () => answer(),
  later: (answer) => () => new Promise((resolve) => setTimeout(() => resolve(answer()), 20)),
  'by a thenable': (answer) => () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what a thenable is
    then: (resolved, rejected) => Promise.resolve(answer()).then(resolved, rejected),
  }),
}

const offering = upgradeRequest({ 'Sec-WebSocket-Protocol': 'chat, superchat' })

/** The lines of a response's head. */
function lines(head: string): string[] {
  return head.split('\r\n').slice(0, -2)
}

for (const [timing, giving] of Object.entries(timings)) {
  describe(`an answer ${timing}`, () => {
    inEveryLane('accepts with data, headers and a protocol', async (trial) => {
      const seen: unknown[] = []
      await trial.serve<unknown>({
        upgrade: giving(() => ({
          data: { user: 'ann' },
          headers: { 'Set-Cookie': ['a=1; Path=/', 'b=2'], 'X-Latin': 'caf\xe9', 'x-empty': '' },
          protocol: 'superchat',
        })),
        open: (connection) => void seen.push(['open', connection.data, connection.protocol]),
        message: (connection, message) => void seen.push(['message', connection.data, message.text()]),
      })
      const client = await trial.send(offering, masked(TEXT, 'hi'))
      const { status, head } = await client.response()
      assert.equal(status, 101)
      assert.deepEqual(lines(head), [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`,
        'Sec-WebSocket-Protocol: superchat',
        'Set-Cookie: a=1; Path=/',
        'Set-Cookie: b=2',
        'X-Latin: caf\xe9',
        'x-empty: ',
      ])
      await client.until(() => seen.length === 2, 'the handlers')
      const data = { user: 'ann' }
      assert.deepEqual(seen, [
        ['open', data, 'superchat'],
        ['message', data, 'hi'],
      ])
    })

    inEveryLane('accepts with nothing', async (trial) => {
      const seen: unknown[] = []
      const open = (connection: { data: unknown; protocol: string }): void =>
        void seen.push(connection.data, connection.protocol)
      await trial.serve<unknown>({ upgrade: giving(() => undefined), open })
      assert.equal((await (await trial.send(offering)).response()).status, 101)
      await trial.serve<unknown>({ upgrade: giving(() => ({})), open })
      const { head } = await (await trial.send(offering)).response()
      assert.equal(lines(head).length, 4)
      assert.deepEqual(seen, [undefined, '', undefined, ''])
    })

    inEveryLane('refuses with status, headers and body', async (trial) => {
      let opened = 0
      await trial.serve<unknown>({
        upgrade: giving(() => ({
          status: 401,
          headers: { 'WWW-Authenticate': ['Basic', 'Bearer'], 'X-Latin': 'caf\xe9' },
          body: 'who are you? caf\xe9 \u{1f600}',
        })),
        open: () => void opened++,
      })
      const client = await trial.send(offering, masked(TEXT, 'hi'))
      await client.end()
      const { head, rest } = await client.response()
      assert.match(head, /^HTTP\/1\.1 401 Unauthorized\r\n/)
      for (const line of ['WWW-Authenticate: Basic', 'WWW-Authenticate: Bearer', 'Connection: close']) {
        assert.ok(lines(head).includes(line), line)
      }
      assert.ok(lines(head).includes('X-Latin: caf\xe9'), head)
      assert.equal(rest.toString(), 'who are you? caf\xe9 \u{1f600}')
      assert.ok(lines(head).includes(`Content-Length: ${rest.length}`))
      assert.equal(client.error, undefined)
      assert.equal(opened, 0)
    })

    inEveryLane('refuses with a status alone, and with a type of its own', async (trial) => {
      await trial.serve<unknown>({ upgrade: giving(() => ({ status: 302, headers: { Location: 'https://x/' } })) })
      const { head, rest } = await (await trial.send()).response()
      assert.match(head, /^HTTP\/1\.1 302 Found\r\n/)
      assert.ok(lines(head).includes('Location: https://x/') && lines(head).includes('Content-Length: 0'))
      assert.equal(rest.length, 0)
      await trial.serve<unknown>({
        upgrade: giving(() => ({ status: 599, headers: { 'content-type': 'application/json' }, body: '{}' })),
      })
      const other = await (await trial.send()).response()
      assert.equal(other.status, 599)
      assert.deepEqual(other.head.match(/content-type: .*/gi), ['content-type: application/json'])
    })
  })
}

const failure = new Error('the database is gone')

const failing: Record<string, Upgrade<unknown>> = {
  'throws at once': () => {
    throw failure
  },
  rejects: () => Promise.reject(failure),
  'rejects later': () => new Promise((_, reject) => setTimeout(() => reject(failure), 20)),
  'has a thenable that throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what a thenable is
    then: () => {
      throw failure
    },
  }),
}

async function refused(trial: Trial, status: number): Promise<string> {
  const client = await trial.send(upgradeRequest({ 'Sec-WebSocket-Protocol': 'chat' }), masked(TEXT, 'hi'))
  await client.end()
  const { status: got, head, rest } = await client.response()
  assert.equal(got, status)
  return head + rest
}

describe('an upgrade that fails', () => {
  for (const [name, upgrade] of Object.entries(failing)) {
    inEveryLane(`${name}: 500, upgradeFailed is told, nothing leaks out`, async (trial) => {
      const told: unknown[] = []
      const server = await trial.serve<unknown>({
        upgrade,
        upgradeFailed: (request, error) => void told.push(request.target, error),
      })
      assert.doesNotMatch(await refused(trial, 500), /database/)
      assert.deepEqual(told, ['/chat?room=1', failure])
      assert.equal(server.connections.size, 0)
    })
  }

  inEveryLane('without upgradeFailed, the error goes to standard error', async (trial) => {
    const printed: unknown[] = []
    const { error } = console
    console.error = (...values: unknown[]) => void printed.push(...values)
    try {
      for (const upgrade of Object.values(failing)) {
        await trial.serve<unknown>({ upgrade })
        await refused(trial, 500)
      }
    } finally {
      console.error = error
    }
    assert.deepEqual(printed, [failure, failure, failure, failure])
  })

  inEveryLane('an upgradeFailed that fails itself ends nothing', async (trial) => {
    const printed: unknown[] = []
    const { error } = console
    console.error = (...values: unknown[]) => void printed.push(...values)
    const second = new Error('the log is full')
    try {
      const upgrade = (): never => {
        throw failure
      }
      await trial.serve<unknown>({ upgrade, upgradeFailed: () => Promise.reject(second) })
      await refused(trial, 500)
      await trial.serve<unknown>({
        upgrade,
        upgradeFailed: () => {
          throw second
        },
      })
      await refused(trial, 500)
    } finally {
      console.error = error
    }
    assert.deepEqual(printed, [second, second])
  })
})

inEveryLane('upgrade and upgradeFailed are called with their object as this, as the handlers are', async (trial) => {
  const application = {
    told: [] as unknown[],
    upgrade(): undefined {
      this.told.push('upgrade')
      throw failure
    },
    upgradeFailed(_: unknown, error: unknown): void {
      this.told.push(error)
    },
  }
  await trial.serve<unknown>(application)
  await refused(trial, 500)
  assert.deepEqual(application.told, ['upgrade', failure])
})
