// A Redis server that speaks TLS and has users of its own, each with the rights that the guide names and no others.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { REDIS_LIKE } from '../support/redis.js'
import { freePort } from '../support/serverProcess.js'
import { eventually } from '../support/socketClient.js'
import { certificateFiles, publishes } from './access.js'
import { redis } from './machine.js'
import { command, StreamMachine, streamServer } from './streamMachine.js'

/** The users of the guide. */
const USERS = {
  redisBroker: 'on >secret resetchannels &millrace:* +publish +subscribe +unsubscribe +ping +hello +client',
  redisShardedBroker:
    'on >secret resetchannels &millrace:* +spublish +ssubscribe +sunsubscribe +cluster|slots +ping +hello +client',
  redisStreamsBroker: 'on >secret ~millrace:stream +xadd +xread +xrange +xrevrange +ping +hello +client',
}

for (const { command: server, skip } of REDIS_LIKE) {
  describe(`${server} with TLS and users`, { timeout: 60_000, skip }, () => {
    for (const [kind, rights] of Object.entries(USERS)) {
      test(`carries what a user of ${kind} publishes over rediss://, and nobody whom the certificate does not convince`, async (t) => {
        const { certFile, keyFile } = certificateFiles(t)
        const port = await freePort()
        const tls = ['--tls-port', `${port}`, '--tls-cert-file', certFile, '--tls-key-file', keyFile]
        const { url } = await redis(t, [...tls, '--tls-auth-clients', 'no'], server)
        await command(url, 'ACL', 'SETUSER', 'anna', ...rights.split(' '))
        const address = (password: string): string => `rediss://anna:${password}@127.0.0.1:${port}`
        const results = await Promise.all([
          publishes(t, kind, address('secret'), certFile),
          publishes(t, kind, address('wrong'), certFile),
          publishes(t, kind, address('secret')),
        ])
        assert.equal(results[0], 'arrived')
        assert.match(results[1] ?? '', /WRONGPASS/)
        assert.match(results[2] ?? '', /self-signed certificate/)
      })
    }

    test('tells who may not read the stream, and brings everything when the right is given', async (t) => {
      const { url, port } = await streamServer(t, server)
      const rights = USERS.redisStreamsBroker.replace(' +xread', '')
      await command(url, 'ACL', 'SETUSER', 'anna', ...rights.split(' '))
      const anna = new StreamMachine(`redis://anna:secret@127.0.0.1:${port}`)
      anna.broker.subscribe('x')
      await eventually(() => anna.errors.length > 0, 'it is told')
      assert.match(String(anna.errors), /NOPERM/)
      const other = await StreamMachine.connected(url)
      other.publish('x', 'kept')
      await other.broker.confirmed()
      await command(url, 'ACL', 'SETUSER', 'anna', '+xread')
      await eventually(() => anna.count === 1, 'it arrives', 20_000)
    })
  })
}
