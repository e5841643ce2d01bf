// A pipe has no reset: a transport over one that is to be reset is closed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { transportOf } from '../../src/transport/adopt.js'
import { HandleTransport } from '../../src/transport/handle.js'
import { SecureTransport } from '../../src/transport/secure.js'
import { cert, key } from '../support/certificate.js'
import { describe, test } from '../support/privateApi.js'
import { eventually } from '../support/socketClient.js'
import { Recorder } from '../support/socketHandles.js'

async function resets(t: TestContext, secure: boolean): Promise<void> {
  const path = join(tmpdir(), `millrace-reset-${process.pid}-${secure}`)
  await rm(path, { force: true })
  const server = (secure ? createTlsServer({ cert, key }) : createServer()).listen(path)
  t.after(() => server.close())
  await once(server, 'listening')
  const far = secure ? connectTls({ path, rejectUnauthorized: false }) : connect(path)
  far.on('error', () => undefined)
  const [near] = (await once(server, secure ? 'secureConnection' : 'connection')) as [Socket | TLSSocket]
  const transport = transportOf(near)
  assert.ok(transport instanceof (secure ? SecureTransport : HandleTransport))
  const recorder = new Recorder()
  transport.open(recorder)
  const ended = once(far.resume(), 'close')
  transport.reset()
  await ended
  await eventually(() => near.destroyed, 'the end of the socket')
}

describe('a reset over a pipe', { skip: process.platform === 'win32' }, () => {
  test('is a close', (t) => resets(t, false))
  test('is a close over TLS, too', (t) => resets(t, true))
})
