// A NATS server that speaks TLS and has users of its own, whose rights are those that the guide names and no others.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { NatsServer, natsMissing } from '../support/nats.js'
import { eventually } from '../support/socketClient.js'
import { certificateFiles, publishes } from './access.js'
import { KINDS, KindMachine } from './kinds.js'

const kind = KINDS.find(({ name }) => name === 'natsBroker')

describe('NATS with TLS and users', { timeout: 60_000, skip: natsMissing() }, () => {
  test('carries what a user publishes over tls://, and nobody whom the certificate does not convince', async (t) => {
    const { certFile, keyFile, dir } = certificateFiles(t)
    const config = join(dir, 'nats.conf')
    const rights = '{ publish: "millrace.>", subscribe: "millrace.>" }'
    writeFileSync(config, `authorization: { users: [{ user: anna, password: secret, permissions: ${rights} }] }\n`)
    const tls = ['--tls', '--tlscert', certFile, '--tlskey', keyFile]
    const server = await NatsServer.start(['--config', config, ...tls])
    t.after(() => server.kill())
    const address = (password: string): string => `tls://anna:${password}@localhost:${server.port}`
    const results = await Promise.all([
      publishes(t, 'natsBroker', address('secret'), certFile),
      publishes(t, 'natsBroker', address('wrong'), certFile),
      publishes(t, 'natsBroker', address('secret')),
    ])
    assert.equal(results[0], 'arrived')
    assert.match(results[1] ?? '', /authorization/i)
    assert.match(results[2] ?? '', /self-signed certificate/)
  })

  test('tells who may not publish, once, and goes on with what is allowed', async (t) => {
    const { dir } = certificateFiles(t)
    const config = join(dir, 'nats.conf')
    const rights = '{ publish: "millrace.free", subscribe: "millrace.>" }'
    writeFileSync(config, `authorization: { users: [{ user: anna, password: secret, permissions: ${rights} }] }\n`)
    const server = await NatsServer.start(['--config', config])
    t.after(() => server.kill())
    assert.ok(kind !== undefined)
    const url = `nats://anna:secret@127.0.0.1:${server.port}`
    const [a, b] = [await KindMachine.connected(t, kind, url), await KindMachine.connected(t, kind, url)]
    for (const topic of ['free', 'secret']) b.broker.subscribe(topic)
    await a.reach(b, 'free')
    for (let count = 0; count < 5; count++) a.publish('secret', 'no')
    await eventually(() => a.errors.length > 0, 'it is told')
    await a.reach(b, 'free')
    assert.match(String(a.errors), /permissions violation/i)
    assert.deepEqual([a.errors.length, b.texts('secret').length, a.broker.statistics.connected], [1, 0, true])
  })

  test('takes a token instead of a user', async (t) => {
    const server = await NatsServer.start(['--auth', 'token'])
    t.after(() => server.kill())
    assert.ok(kind !== undefined)
    const url = `nats://token@127.0.0.1:${server.port}`
    const [a, b] = [await KindMachine.connected(t, kind, url), await KindMachine.connected(t, kind, url)]
    b.broker.subscribe('x')
    await a.reach(b, 'x')
  })
})
