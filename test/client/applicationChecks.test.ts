// Functions that the application gives for the way to a server: what they throw and return is the result of `connect`, whatever
// it is, and nothing opens that they have not vouched for.
import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { type ClientOptions, type ConnectError, connect } from '../../src/client.js'
import { cert, key } from '../support/certificate.js'
import { serving } from '../support/serving.js'

async function failure(url: string, options: ClientOptions): Promise<ConnectError> {
  const found = await connect(url, { handshakeTimeout: 10_000, ...options }).catch((error: unknown) => error)
  assert.ok(found instanceof Error, 'it should not have opened')
  return found as ConnectError
}

const checks: readonly (readonly [name: string, check: () => unknown, told: RegExp])[] = [
  [
    'throws',
    () => {
      throw new Error('not that one')
    },
    /not that one/,
  ],
  [
    'throws what is no Error',
    () => {
      throw null
    },
    /null was given in place of an Error/,
  ],
  ['returns a string', () => 'not that one', /not that one/],
  ['returns a promise', async () => undefined, /a promise|given in place of an Error/i],
]

for (const http2 of [false, true]) {
  test(`a checkServerIdentity that throws, or returns what is no Error, http2 ${http2}`, async (t) => {
    let asked = 0
    const upgrade = (): undefined => void asked++
    const server = await serving(t, { upgrade }, { tls: { key, cert }, http2 })
    const url = `wss://127.0.0.1:${server.address?.port}`
    for (const [name, check, told] of checks) {
      const error = await failure(url, { http2, tls: { ca: cert, checkServerIdentity: check as () => undefined } })
      assert.equal(error.code, 'ERR_CONNECT_UNREACHABLE', name)
      assert.match(error.message, told, name)
    }
    assert.equal(asked, 0, 'no request has gone to a server that was not vouched for')
  })
}

test('a lookup that passes on what is no Error', async () => {
  for (const given of ['nobody knows it', { no: 'message' }]) {
    const error = await failure('ws://localhost:9', {
      lookup: (_, __, done) => done(given as never, []),
    })
    assert.equal(error.code, 'ERR_CONNECT_UNREACHABLE')
    assert.match(error.message, typeof given === 'string' ? /nobody knows it/ : /given in place of an Error/)
  }
})

type Done = (error: Error | null, address: string | LookupAddress[], family?: number) => void

/** Answers in the form that node:net asks for. */
function answer(done: Done, isAll: boolean | undefined): void {
  if (isAll === true) done(null, [{ address: '127.0.0.1', family: 4 }])
  else done(null, '127.0.0.1', 4)
}

const lookups: readonly (readonly [name: string, answers: (once: () => void, refuse: () => void) => void])[] = [
  ['at once', (once) => [once(), once()]],
  ['later', (once) => setTimeout(() => [once(), once()], 5)],
  ['in different turns', (once) => [setTimeout(once, 2), setTimeout(once, 2), setTimeout(once, 10)]],
  ['an error at last', (once, refuse) => [once(), refuse()]],
]

for (const http2 of [false, true]) {
  test(`a lookup that answers twice: the first answer counts, http2 ${http2}`, async (t) => {
    const server = await serving(t, {}, { tls: { key, cert }, http2 })
    const tls = { ca: cert, checkServerIdentity: () => undefined }
    for (const [name, answers] of lookups) {
      const lookup: ClientOptions['lookup'] = (_, { all }, done) =>
        answers(
          () => answer(done as Done, all),
          () => done(new Error('too late'), []),
        )
      const connection = await connect(`wss://name.test:${server.address?.port}`, { http2, lookup, tls })
      assert.equal(connection.isOpen, true, name)
      connection.close()
    }
  })
}
