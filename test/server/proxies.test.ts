// Anybody can write an X-Forwarded-For header. Only what a trusted proxy has appended counts, read from the right: a proxy
// that lies, or a client that wrote entries of its own before, must not become somebody else.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { createServer } from '../../src/index.js'
import { TrustedProxies } from '../../src/server/admission/proxies.js'
import { inEveryLane } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { SocketClient } from '../support/socketClient.js'

describe('the client of a chain of proxies', () => {
  const trusted = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']
  const rows: [what: string, peer: string | undefined, forwarded: string | undefined, client: string | undefined][] = [
    ['no proxy', '198.51.100.1', undefined, '198.51.100.1'],
    ['a client that lies', '198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['a proxy', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['a proxy without the header', '10.0.0.1', undefined, '10.0.0.1'],
    ['a proxy with an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['a client that lies to a proxy', '10.0.0.1', '1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['a client that lies that it is a proxy', '10.0.0.1', '1.2.3.4, 10.9.9.9, 203.0.113.9', '203.0.113.9'],
    ['two proxies', '10.0.0.1', '203.0.113.9, 192.0.2.7', '203.0.113.9'],
    ['three proxies, and a lie', '10.0.0.1', '1.2.3.4, 203.0.113.9, 2001:db8::5, 192.0.2.7', '203.0.113.9'],
    ['only proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['blanks', '10.0.0.1', ' 203.0.113.9\t,  10.0.0.2 ', '203.0.113.9'],
    ['a port', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['IPv6', '10.0.0.1', '2001:4860::8', '2001:4860::8'],
    ['IPv6 in brackets', '10.0.0.1', '[2001:4860::8]', '2001:4860::8'],
    ['IPv6 with a port', '10.0.0.1', '[2001:4860::8]:443', '2001:4860::8'],
    ['an IPv6 proxy', '2001:db8:1::1', '203.0.113.9', '203.0.113.9'],
    ['garbage', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['garbage before a proxy', '10.0.0.1', '203.0.113.9, unknown, 10.0.0.2', '10.0.0.2'],
    ['a name', '10.0.0.1', 'localhost', '10.0.0.1'],
    ['an empty entry', '10.0.0.1', '203.0.113.9,', '10.0.0.1'],
    ['an empty entry, with blanks behind it', '10.0.0.1', '203.0.113.9, \t ', '10.0.0.1'],
    ['empty entries before others', '10.0.0.1', ', 203.0.113.9,, ,10.0.0.2', '203.0.113.9'],
    ['only commas', '10.0.0.1', ',,,,', '10.0.0.1'],
    ['markup', '10.0.0.1', '<script>', '10.0.0.1'],
    ['an octal look', '10.0.0.1', '010.0.0.1', '10.0.0.1'],
    ['an address in short', '10.0.0.1', '127.1', '10.0.0.1'],
    ['a network', '10.0.0.1', '203.0.113.0/24', '10.0.0.1'],
    ['__proto__', '10.0.0.1', '__proto__', '10.0.0.1'],
    ['unix as an entry', '10.0.0.1', 'unix', '10.0.0.1'],
    ['a zone', '10.0.0.1', '203.0.113.9, fe80::1%eth0', 'fe80::1%eth0'],
    ['a socket for both versions', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['a socket for both versions, not trusted', '::ffff:11.0.0.1', '203.0.113.9', '::ffff:11.0.0.1'],
    ['a proxy that writes IPv4 as IPv6', '10.0.0.1', '203.0.113.9, ::ffff:10.0.0.2', '203.0.113.9'],
    ['a Unix socket that is not trusted', undefined, '203.0.113.9', undefined],
  ]
  const proxies = new TrustedProxies(trusted)
  for (const [what, peer, forwarded, client] of rows) {
    test(`${what}: ${peer} says ${inspect(forwarded)}`, () => assert.equal(proxies.clientOf(peer, forwarded), client))
  }

  test('a Unix socket that is', () => {
    const unix = new TrustedProxies(['unix'])
    assert.equal(unix.clientOf(undefined, '203.0.113.9, 10.0.0.1'), '10.0.0.1')
    assert.equal(unix.clientOf('10.0.0.1', '203.0.113.9'), '10.0.0.1')
  })

  test('nobody is trusted by an empty list', () => {
    assert.equal(new TrustedProxies([]).clientOf('127.0.0.1', '203.0.113.9'), '127.0.0.1')
  })

  test('networks end where they end', () => {
    const some = new TrustedProxies(['192.0.2.0/31', '2001:db8::/127', '0.0.0.0/32'])
    const addresses = ['192.0.2.0', '192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '0.0.0.0', '0.0.0.1']
    assert.deepEqual(
      addresses.map((address) => some.trusts(address)),
      [true, true, false, true, false, true, false],
    )
    assert.equal(new TrustedProxies(['0.0.0.0/0']).trusts('203.0.113.9'), true)
    assert.equal(new TrustedProxies(['::ffff:10.0.0.1']).trusts('10.0.0.1'), true)
  })

  test('a very long header takes linear time', () => {
    const begin = performance.now()
    proxies.clientOf('10.0.0.1', '10.0.0.2,'.repeat(5000).slice(0, -1))
    proxies.clientOf('10.0.0.1', ','.repeat(100_000))
    proxies.clientOf('10.0.0.1', `${' '.repeat(100_000)}x`)
    assert.ok(performance.now() - begin < 3000)
  })
})

describe('what is no proxy is a TypeError', () => {
  const wrong = [
    '',
    ' ',
    'localhost',
    '10.0.0',
    '10.0.0.1/',
    '10.0.0.1/33',
    '10.0.0.1/-1',
    '10.0.0.1/8/8',
    '/8',
    '::1/129',
  ]
  for (const proxy of [
    ...wrong,
    '10.0.0.1:80',
    '[::1]',
    '10.0.0.0/8 ',
    '10.0.0.0/0x8',
    '10.0.0.0/8.5',
    'UNIX',
    '*',
    '1e1',
  ]) {
    test(JSON.stringify(proxy), () => {
      assert.throws(() => createServer({ trustedProxies: ['10.0.0.1', proxy] }), { name: 'TypeError' })
    })
  }
})

interface Told {
  readonly request: string | undefined
  readonly open: string | undefined
}

describe('on the wire', () => {
  inEveryLane('the address is the client, in upgrade and in every handler', async (trial) => {
    const told: (string | undefined)[] = []
    await trial.serve<Told>({
      trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
      upgrade: (request) => ({ data: { request: request.remoteAddress, open: undefined } }),
      open: (connection) => void told.push(connection.data.request, connection.remoteAddress),
      message: (connection) => void told.push(connection.remoteAddress, connection.request.remoteAddress),
      close: (connection) => void told.push(connection.remoteAddress, connection.request.remoteAddress),
    })
    const header = { 'X-Forwarded-For': '203.0.113.1, 203.0.113.9, 10.0.0.7' }
    const client = await trial.send(upgradeRequest(header), masked(TEXT, 'hi'))
    await client.until(() => told.length === 4, 'the message')
    await client.destroy()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const address = '203.0.113.9'
    assert.deepEqual(told, [address, address, address, address, undefined, address])
  })

  inEveryLane('the header counts for nothing without the option, or from others', async (trial) => {
    for (const options of [{}, { trustedProxies: [] }, { trustedProxies: ['10.0.0.0/8', 'unix'] }]) {
      const told: (string | undefined)[] = []
      await trial.serve({ ...options, open: (connection) => void told.push(connection.remoteAddress) })
      await (await trial.send(upgradeRequest({ 'X-Forwarded-For': '203.0.113.9' }))).response()
      assert.deepEqual(told, ['127.0.0.1'])
    }
  })

  inEveryLane('a header in several lines is one list', async (trial) => {
    const told: (string | undefined)[] = []
    await trial.serve({
      trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
      open: (connection) => void told.push(connection.remoteAddress),
    })
    const lines = 'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 10.0.0.1'
    await (await trial.send(upgradeRequest().replace('\r\n\r\n', `\r\n${lines}\r\n\r\n`))).response()
    assert.deepEqual(told, ['203.0.113.9'])
  })

  inEveryLane('a Unix socket has no address, but what a trusted proxy says', async (trial) => {
    const path = join(tmpdir(), `millrace-${process.pid}-proxies.sock`)
    for (const trustedProxies of [['unix'], ['127.0.0.1']]) {
      const told: (string | undefined)[] = []
      const server = await trial.serve({ trustedProxies, open: (one) => void told.push(one.remoteAddress) }, { path })
      const socket = connect(path)
      await once(socket, 'connect')
      const client = new SocketClient(socket)
      await trial.request(client, upgradeRequest({ 'X-Forwarded-For': '1.2.3.4, 203.0.113.9' }))
      await client.response()
      assert.deepEqual(told, [trustedProxies.includes('unix') ? '203.0.113.9' : undefined])
      await client.destroy()
      await server.close()
    }
  })
})
