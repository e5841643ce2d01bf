// A listener that is told to expect the PROXY protocol believes its header, so it must believe nothing else: a connection
// without one is closed, whatever it is, and one client's address must never become another's.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import type { Server } from '../../src/index.js'
import type { ServerOptions } from '../../src/server/options.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { latin1, requestOf, upgradeRequest } from '../support/httpRequests.js'
import { ipv4Header, ipv6Header, LOCAL, PROXY, proxyHeader } from '../support/proxyHeaders.js'
import { delay, eventually, openSockets, SocketClient } from '../support/socketClient.js'

const linux = process.platform === 'linux'

function serve(trial: Trial, options: ServerOptions = {}): Promise<Server<undefined>> {
  const handlers: ServerOptions = {
    message: (connection, message) =>
      connection.send(`${message.text()} from ${connection.remoteAddress} ${connection.request.remoteAddress}`),
  }
  return trial.serve({ ...handlers, ...options }, { proxyProtocol: true })
}

/** What the handlers say of a client that sends this before its request. */
async function addressOf(trial: Trial, header: Buffer, headers = {}): Promise<string> {
  const client = await trial.connect()
  client.write(header)
  if (trial.way.pieces) await delay(10)
  await trial.request(client, upgradeRequest(headers), masked(TEXT, 'hi'))
  const [frame] = await client.frames(1)
  await client.destroy()
  return /^hi from (\S+) \1$/.exec(frame?.payload.toString() ?? '')?.[1] ?? ''
}

describe('the header', () => {
  inEveryLane('says the address, whatever its kind', async (trial) => {
    await serve(trial)
    assert.equal(await addressOf(trial, ipv4Header('203.0.113.9')), '203.0.113.9')
    assert.equal(await addressOf(trial, ipv6Header('20010db8001000000000000000000001')), '2001:db8:10::1')
    assert.equal(await addressOf(trial, proxyHeader(LOCAL, 0, Buffer.alloc(0))), '127.0.0.1')
    assert.equal(await addressOf(trial, proxyHeader(PROXY, 0, Buffer.alloc(0))), '127.0.0.1')
    assert.equal(await addressOf(trial, proxyHeader(PROXY, 0x31, Buffer.alloc(216))), '127.0.0.1')
  })

  inEveryLane('may be a line of version 1', async (trial) => {
    await serve(trial)
    assert.equal(await addressOf(trial, Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n')), '203.0.113.9')
    assert.equal(await addressOf(trial, Buffer.from('PROXY TCP6 2001:db8::1 ::1 1 2\r\n')), '2001:db8::1')
    assert.equal(await addressOf(trial, Buffer.from('PROXY UNKNOWN\r\n')), '127.0.0.1')
    const client = await trial.connect()
    const line = Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n')
    await client.writePieces([line.subarray(0, 3), line.subarray(3, -1), line.subarray(-1)])
    await trial.request(client, upgradeRequest(), masked(TEXT, 'hi'))
    assert.match(String((await client.frames(1))[0]?.payload), /^hi from 203\.0\.113\.9 /)
  })

  inEveryLane('may come in one packet with the request and its frames', async (trial) => {
    await serve(trial)
    const client = await trial.connect()
    client.write(Buffer.concat([ipv4Header('203.0.113.9'), latin1(upgradeRequest()), masked(TEXT, 'hi')]))
    assert.match(String((await client.frames(1))[0]?.payload), /^hi from 203\.0\.113\.9 /)
  })

  inEveryLane('may come byte by byte', async (trial) => {
    await serve(trial)
    const client = await trial.connect()
    const header = ipv4Header('203.0.113.9')
    await client.writePieces(
      Array.from(header, (_, at) => header.subarray(at, at + 1)),
      3,
    )
    await trial.request(client, upgradeRequest(), masked(TEXT, 'hi'))
    assert.match(String((await client.frames(1))[0]?.payload), /^hi from 203\.0\.113\.9 /)
  })

  inEveryLane('of many connections at once each counts for its own', async (trial) => {
    await serve(trial)
    const addresses = Array.from({ length: 40 }, (_, at) => `203.0.113.${at}`)
    const told = await Promise.all(addresses.map((address) => addressOf(trial, ipv4Header(address))))
    assert.deepEqual(told, addresses)
  })

  inEveryLane('is followed by X-Forwarded-For only if the client it names is trusted', async (trial) => {
    await serve(trial, { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] })
    const headers = { 'X-Forwarded-For': '198.51.100.1' }
    assert.equal(await addressOf(trial, ipv4Header('203.0.113.9'), headers), '203.0.113.9')
    assert.equal(await addressOf(trial, ipv4Header('10.0.0.5'), headers), '198.51.100.1')
  })

  inEveryLane('counts for maxConnectionsPerAddress', async (trial) => {
    await serve(trial, { maxConnectionsPerAddress: 1 })
    const statuses: number[] = []
    for (const address of ['203.0.113.9', '203.0.113.9', '203.0.113.8']) {
      const client = await trial.connect()
      client.write(ipv4Header(address))
      await trial.request(client, upgradeRequest())
      statuses.push((await client.response()).status)
    }
    assert.deepEqual(statuses, [101, 429, 101])
  })

  inEveryLane('comes before plain HTTP, too', async (trial) => {
    await serve(trial, { request: (_, response) => response.end('plain') })
    const client = await trial.connect()
    client.write(Buffer.concat([ipv4Header('203.0.113.9'), latin1(requestOf(['Host: x']))]))
    await client.until(() => client.text.endsWith('plain'), 'the answer')
  })

  inEveryLane('on a Unix socket: each connection has its own client', async (trial) => {
    const path = join(tmpdir(), `millrace-${process.pid}-line.sock`)
    const server = await trial.serve(
      { message: (connection) => connection.send(String(connection.remoteAddress)) },
      { path, proxyProtocol: true },
    )
    const clients = await Promise.all(
      [ipv4Header('203.0.113.1'), ipv4Header('203.0.113.2'), proxyHeader(LOCAL, 0, Buffer.alloc(0))].map(
        async (header) => {
          const socket = connect(path)
          await once(socket, 'connect')
          const client = new SocketClient(socket)
          client.write(header)
          return client
        },
      ),
    )
    await delay(20)
    for (const client of clients) await trial.request(client, upgradeRequest(), masked(TEXT, 'hi'))
    const frames = await Promise.all(clients.map((client) => client.frames(1)))
    assert.deepEqual(
      frames.map(([frame]) => frame?.payload.toString()),
      ['203.0.113.1', '203.0.113.2', 'undefined'],
    )
    await Promise.all(clients.map((client) => client.destroy()))
    await server.close()
  })
})

const bad: Record<string, Buffer> = {
  'no header, but a request': latin1(upgradeRequest({ 'X-Forwarded-For': '203.0.113.9' })),
  'a line of version 1 that is wrong': Buffer.from('PROXY TCP4 203.0.113.9 127.0.0.1 1\r\nGET / HTTP/1.1\r\n\r\n'),
  'a line of version 1 that does not end': Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`),
  garbage: Buffer.alloc(300, 0x5a),
  'a signature that breaks off': Buffer.concat([ipv4Header('1.2.3.4').subarray(0, 11), Buffer.alloc(50)]),
  'a length that is too much': proxyHeader(PROXY, 0x11, Buffer.alloc(60_000)),
  'an address that is too short': proxyHeader(PROXY, 0x21, Buffer.alloc(12)),
  'another version': proxyHeader(0x31, 0x11, Buffer.alloc(12)),
}

describe('closed without an answer', () => {
  for (const [name, bytes] of Object.entries(bad)) {
    inEveryLane(name, async (trial) => {
      let asked = 0
      await serve(trial, { upgrade: () => void asked++ })
      const baseline = linux ? openSockets() : 0
      const clients = await Promise.all(Array.from({ length: 5 }, () => trial.connect()))
      for (const client of clients) client.write(bytes)
      for (const client of clients) await client.end(3000)
      assert.deepEqual([clients[0]?.text, asked], ['', 0])
      await Promise.all(clients.map((client) => client.destroy()))
      if (linux) await eventually(() => openSockets() === baseline, 'no descriptor is left')
    })
  }

  inEveryLane('a header that never comes, or never ends, at the handshake timeout', async (trial) => {
    await serve(trial, { handshakeTimeout: 300 })
    const baseline = linux ? openSockets() : 0
    const header = ipv4Header('203.0.113.9')
    const clients = await Promise.all([0, 5, 16, header.length - 1].map(() => trial.connect()))
    for (const [at, client] of clients.entries()) client.write(header.subarray(0, [0, 5, 16, header.length - 1][at]))
    const begin = performance.now()
    for (const client of clients) await client.end(5000)
    assert.ok(performance.now() - begin > 150)
    await Promise.all(clients.map((client) => client.destroy()))
    if (linux) await eventually(() => openSockets() === baseline, 'no descriptor is left')
  })

  inEveryLane('a peer that leaves amid its header', async (trial) => {
    await serve(trial)
    const baseline = linux ? openSockets() : 0
    for (const end of ['end', 'resetAndDestroy', 'destroy'] as const) {
      const client = await trial.connect()
      client.write(ipv4Header('203.0.113.9').subarray(0, 14))
      await delay(10)
      client.socket[end]()
      await client.until(() => client.over, 'the end', 3000)
      await client.destroy()
    }
    if (linux) await eventually(() => openSockets() === baseline, 'no descriptor is left')
  })

  inEveryLane('a peer that is no trusted proxy', async (trial) => {
    await serve(trial, { trustedProxies: ['10.0.0.1'] })
    const client = await trial.connect()
    client.write(Buffer.concat([ipv4Header('203.0.113.9'), latin1(upgradeRequest())]))
    await client.end(3000)
    assert.equal(client.text, '')
  })

  inEveryLane('all that wait for their header, when the server closes', async (trial) => {
    const server = await serve(trial, { handshakeTimeout: 0 })
    const clients = await Promise.all([trial.connect(), trial.connect()])
    clients[1]?.write(ipv4Header('203.0.113.9').subarray(0, 14))
    await delay(20)
    await server.close()
    for (const client of clients) await client.end(3000)
  })
})

inEveryLane('the header is only for the listener that was told so', async (trial) => {
  const server = await serve(trial)
  await server.listen({ host: '127.0.0.1' })
  const ports = server.addresses.map((address) => (typeof address === 'string' ? 0 : address.port))
  assert.equal(await addressOf(trial, ipv4Header('203.0.113.9')), '203.0.113.9')
  trial.port = ports[1] ?? 0
  assert.equal(await addressOf(trial, Buffer.alloc(0)), '127.0.0.1')
})
