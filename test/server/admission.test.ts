// Whom a server lets in without asking the application: by Origin, by subprotocol, and by how many there are already.
// A browser's user is protected by the first alone, so a pattern that matches only every second time is a hole.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { offeredProtocols } from '../../src/protocol/openingHandshake.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, type SocketClient } from '../support/socketClient.js'

async function statusOf(trial: Trial, headers: Record<string, string | undefined>): Promise<number> {
  const client = await trial.send(upgradeRequest(headers))
  const { status } = await client.response()
  await client.destroy()
  return status
}

describe('origins', () => {
  inEveryLane('strings, patterns, the host itself, and none', async (trial) => {
    let asked = 0
    await trial.serve({
      origins: ['https://example.com', /^https:\/\/[a-z]+\.example\.org$/, 'self'],
      upgrade: () => void asked++,
    })
    const rows: [origin: string | undefined, host: string, status: number][] = [
      [undefined, 'x', 101],
      ['https://example.com', 'x', 101],
      ['http://example.com', 'x', 403],
      ['https://example.com:8443', 'x', 403],
      ['https://example.com.evil', 'x', 403],
      ['https://a.example.org', 'x', 101],
      ['https://a.b.example.org', 'x', 403],
      ['https://a.example.org.evil', 'x', 403],
      ['http://127.0.0.1:9001', '127.0.0.1:9001', 101],
      ['https://Chat.Example', 'chat.EXAMPLE', 101],
      ['http://127.0.0.1:9002', '127.0.0.1:9001', 403],
      ['http://127.0.0.1', '127.0.0.1:9001', 403],
      ['http://[::1]:80', '[::1]:80', 101],
      // The port may stand in Host, or not, where it is the scheme's own: some proxies write it.
      ['https://chat.example', 'chat.example:443', 101],
      ['http://chat.example', 'chat.example:80', 101],
      ['https://chat.example:443', 'chat.example', 101],
      ['https://chat.example', 'chat.example:', 101],
      ['https://chat.example', 'chat.example:80', 403],
      ['http://chat.example', 'chat.example:443', 403],
      ['https://chat.example:8443', 'chat.example:443', 403],
      ['https://chat.example', 'chat.example:4430', 403],
      ['https://chat.example.', 'chat.example', 101],
      ['https://chat.example', 'Chat.Example.:443', 101],
      ['https://[2001:db8::1]', '[2001:DB8:0::1]:443', 101],
      ['https://[2001:db8::1]', '[2001:db8::2]', 403],
      ['https://chat.example', 'evil@chat.example', 403],
      ['https://chat.example', 'chat.example/', 403],
      ['https://chat.example', 'chat.example?', 403],
      ['https://chat.example', 'chat.example\\', 403],
      ['https://chat.example', 'chat .example', 403],
      ['https://', '', 400],
      ['http://evil@chat.example', 'chat.example', 403],
      ['http://chat.example/', 'chat.example', 403],
      ['http://chat.example, http://evil', 'chat.example', 403],
      ['file://chat.example', 'chat.example', 403],
      ['null', 'null', 403],
      ['self', 'self', 403],
      ['', 'x', 403],
      ['__proto__', '__proto__', 403],
    ]
    for (const [origin, host, status] of rows) {
      const got = await statusOf(trial, { Origin: origin, Host: host })
      assert.equal(got, status, `${origin} at ${host}`)
    }
    // With a whole URL in the request line, its host counts, and not the header's (RFC 9112, section 3.2.2).
    for (const [target, origin, status] of [
      ['http://chat.example:80/', 'http://chat.example', 101],
      ['http://evil/', 'http://chat.example', 403],
    ] as const) {
      const text = upgradeRequest({ Origin: origin, Host: 'chat.example' }, `GET ${target} HTTP/1.1`)
      assert.equal((await (await trial.send(text)).response()).status, status, target)
    }
    asked--
    assert.equal(asked, rows.filter(([, , status]) => status === 101).length, 'upgrade is asked only about the others')
  })

  inEveryLane('a pattern with a memory decides the same every time', async (trial) => {
    for (const flags of ['g', 'y', 'gy', 'dgi']) {
      await trial.serve({ origins: [new RegExp('https://example\\.com', flags)] })
      for (let count = 0; count < 4; count++) {
        assert.equal(await statusOf(trial, { Origin: 'https://example.com' }), 101, `${flags}, time ${count}`)
        assert.equal(await statusOf(trial, { Origin: 'https://evil' }), 403, `${flags}, time ${count}`)
      }
    }
    // A sticky pattern matches at the beginning only.
    await trial.serve({ origins: [/example\.com/y] })
    assert.equal(await statusOf(trial, { Origin: 'https://example.com' }), 403)
  })

  inEveryLane('an empty list admits no page, and no list everybody', async (trial) => {
    await trial.serve({ origins: [] })
    assert.equal(await statusOf(trial, { Origin: 'https://example.com' }), 403)
    assert.equal(await statusOf(trial, {}), 101)
    await trial.serve({})
    assert.equal(await statusOf(trial, { Origin: 'https://evil' }), 101)
  })

  inEveryLane('an Origin sent twice is not the one that is allowed', async (trial) => {
    await trial.serve({ origins: ['https://example.com', 'self'] })
    for (const [one, two] of [
      ['https://example.com', 'https://evil'],
      ['https://evil', 'https://example.com'],
    ]) {
      const text = upgradeRequest({ Origin: one }).replace('\r\n\r\n', `\r\norigin: ${two}\r\n\r\n`)
      const { status } = await (await trial.send(text)).response()
      assert.equal(status, 403)
    }
  })
})

describe('subprotocols', () => {
  inEveryLane("the server's preference decides, among what is offered", async (trial) => {
    const chosen: string[] = []
    await trial.serve({ protocols: ['v2', 'v1'], open: (connection) => void chosen.push(connection.protocol) })
    const rows = { 'v1, v2': 'v2', v1: 'v1', 'v3,v1': 'v1', v3: '', V1: '', __proto__: '', constructor: '' }
    for (const [offer, protocol] of Object.entries(rows)) {
      const client = await trial.send(upgradeRequest({ 'Sec-WebSocket-Protocol': offer }))
      const { status, head } = await client.response()
      assert.equal(status, 101)
      assert.equal(/Sec-WebSocket-Protocol: (\S+)/.exec(head)?.[1] ?? '', protocol, offer)
      assert.equal(chosen.at(-1), protocol)
    }
    const { head } = await (await trial.send()).response()
    assert.doesNotMatch(head, /Protocol:/)
  })

  inEveryLane('an upgrade may choose another, or none', async (trial) => {
    await trial.serve({
      protocols: ['v2'],
      upgrade: (request) => ({ protocol: request.path === '/none' ? '' : (request.protocols[0] ?? '') }),
    })
    const header = { 'Sec-WebSocket-Protocol': '__proto__, v2' }
    const one = await (await trial.send(upgradeRequest(header))).response()
    assert.match(one.head, /\r\nSec-WebSocket-Protocol: __proto__\r\n/)
    const none = await (await trial.send(upgradeRequest(header, 'GET /none HTTP/1.1'))).response()
    assert.doesNotMatch(none.head, /Protocol:/)
  })

  inEveryLane('a header that names no tokens, or one twice, is refused with 400', async (trial) => {
    await trial.serve({ protocols: ['a'] })
    for (const header of ['a, a', 'a,, a', 'a b', 'a;b', '"a"', 'a/b', 'caf\xe9', ', a b', 'a,\xa0']) {
      assert.equal(await statusOf(trial, { 'Sec-WebSocket-Protocol': header }), 400, JSON.stringify(header))
    }
    const twice = upgradeRequest({ 'Sec-WebSocket-Protocol': 'a' }).replace(/$/, '')
    for (const [second, status] of [
      ['b', 101],
      ['a', 400],
    ]) {
      const text = twice.replace('\r\n\r\n', `\r\nsec-websocket-protocol: ${second}\r\n\r\n`)
      assert.equal((await (await trial.send(text)).response()).status, status)
    }
  })

  inEveryLane('empty elements of the list count for nothing, and a header of nothing offers nothing', async (trial) => {
    const offered: string[][] = []
    await trial.serve({ protocols: ['a'], open: ({ request }) => void offered.push([...request.protocols]) })
    const rows: Record<string, string[]> = { 'a,': ['a'], ',a': ['a'], 'b, ,\t,a ,': ['b', 'a'], '': [], ' , ,': [] }
    for (const [header, elements] of Object.entries(rows)) {
      const client = await trial.send(upgradeRequest({ 'Sec-WebSocket-Protocol': header }))
      const { status, head } = await client.response()
      assert.equal(status, 101, JSON.stringify(header))
      assert.deepEqual(offered.at(-1), elements)
      assert.equal(head.includes('Sec-WebSocket-Protocol: a\r\n'), elements.includes('a'))
    }
    const lines = upgradeRequest({ 'Sec-WebSocket-Protocol': 'b,' }).replace(
      '\r\n\r\n',
      '\r\nSEC-WEBSOCKET-PROTOCOL: a\r\n\r\n',
    )
    assert.equal((await (await trial.send(lines)).response()).status, 101)
    assert.deepEqual(offered.at(-1), ['b', 'a'])
  })

  inEveryLane('offered extensions are none of ours', async (trial) => {
    await trial.serve({})
    for (const header of ['constructor', '__proto__', 'permessage-deflate; x', ';;;', '']) {
      const { status, head } = await (
        await trial.send(upgradeRequest({ 'Sec-WebSocket-Extensions': header }))
      ).response()
      assert.equal(status, 101)
      assert.doesNotMatch(head, /Extensions|constructor|proto/)
    }
  })

  test('a huge list takes linear time', () => {
    const header = Array.from({ length: 200_000 }, (_, at) => `p${at}`).join(', ')
    const begin = performance.now()
    assert.equal(offeredProtocols(header)?.length, 200_000)
    assert.equal(offeredProtocols(`${header}, p0`), undefined)
    assert.equal(offeredProtocols(`${' '.repeat(1_000_000)}x y`), undefined)
    assert.equal(offeredProtocols(','.repeat(1_000_000))?.length, 0)
    assert.ok(performance.now() - begin < 5000)
  })
})

/** Opens connections until one is refused; returns the refusal's text, and those that are open. */
async function fill(trial: Trial, headers = {}): Promise<{ open: SocketClient[]; status: number; text: string }> {
  const open: SocketClient[] = []
  for (;;) {
    const client = await trial.send(upgradeRequest(headers))
    const { status, rest } = await client.response()
    if (status !== 101) return { open, status, text: rest.toString() }
    open.push(client)
    assert.ok(open.length < 100)
  }
}

describe('limits', () => {
  inEveryLane('maxConnections: 503, which says the limit; those that leave make room', async (trial) => {
    const server = await trial.serve({ maxConnections: 3 })
    const { open, status, text } = await fill(trial)
    assert.deepEqual([open.length, status, text], [3, 503, 'too many connections: maxConnections is 3'])
    await open[0]?.destroy()
    open[1]?.socket.resetAndDestroy()
    await eventually(() => server.connections.size === 1, 'two have left')
    assert.equal((await fill(trial)).open.length, 2)
  })

  inEveryLane('maxConnections 0 admits nobody', async (trial) => {
    await trial.serve({ maxConnections: 0 })
    assert.equal((await fill(trial)).status, 503)
  })

  inEveryLane('maxConnectionsPerAddress: 429, which says the limit; those that leave make room', async (trial) => {
    const server = await trial.serve({ maxConnectionsPerAddress: 2 })
    const { open, status, text } = await fill(trial)
    assert.deepEqual(
      [open.length, status, text],
      [2, 429, 'too many connections from this address: maxConnectionsPerAddress is 2'],
    )
    for (let count = 0; count < 5; count++) {
      await open.pop()?.destroy()
      await eventually(() => server.connections.size === 1, 'one has left')
      open.push(...(await fill(trial)).open)
      assert.equal(open.length, 2)
    }
    for (const connection of server.connections) connection.terminate()
    await eventually(() => server.connections.size === 0, 'none is left')
    assert.equal((await fill(trial)).open.length, 2)
  })

  inEveryLane('maxConnectionsPerAddress counts clients, not the proxy that they come by', async (trial) => {
    const server = await trial.serve({ maxConnectionsPerAddress: 2, trustedProxies: ['127.0.0.0/8'] })
    const first = await fill(trial, { 'X-Forwarded-For': '192.0.2.1' })
    const second = await fill(trial, { 'X-Forwarded-For': '192.0.2.1, 192.0.2.2' })
    assert.deepEqual([first.open.length, first.status, second.open.length], [2, 429, 2])
    for (const client of first.open) await client.destroy()
    await eventually(() => server.connections.size === 2, 'two have left')
    assert.equal((await fill(trial, { 'X-Forwarded-For': '192.0.2.2' })).open.length, 0)
    assert.equal((await fill(trial, { 'X-Forwarded-For': '192.0.2.1' })).open.length, 2)
  })

  inEveryLane('connections that are refused do not count', async (trial) => {
    let answer: { status: number } | undefined = { status: 401 }
    await trial.serve({ maxConnections: 1, upgrade: () => answer })
    for (let count = 0; count < 5; count++) assert.equal((await (await trial.send()).response()).status, 401)
    answer = undefined
    assert.equal((await fill(trial)).open.length, 1)
  })

  for (const size of [300, 9000]) {
    inEveryLane(`maxHeaderSize ${size}: 431, which says the limit; a smaller head passes`, async (trial) => {
      await trial.serve({ maxHeaderSize: size, closeTimeout: 300 })
      assert.equal(await statusOf(trial, { X: 'x'.repeat(size - 250) }), 101)
      const client = await trial.send(upgradeRequest({ X: 'x'.repeat(size * 2) }))
      const { status, rest } = await client.response()
      await client.end()
      assert.equal(status, 431)
      assert.equal(rest.toString(), `the request head is too long: maxHeaderSize is ${size} bytes`)
    })
  }

  inEveryLane('a head that never ends is ended, and its answer arrives', async (trial) => {
    await trial.serve({ closeTimeout: 300 })
    const client = await trial.send('GET / HTTP/1.1\r\nHost: x\r\n')
    for (let count = 0; count < 2000 && !client.over; count++) {
      client.write(`X-${count}: ${'y'.repeat(1000)}\r\n`)
      if (count % 20 === 0) await delay(1)
    }
    await client.end()
    assert.match(client.text, /^HTTP\/1\.1 431 [\s\S]*maxHeaderSize is 16384 bytes$/)
    assert.equal(client.text.match(/HTTP\/1\.1/g)?.length, 1)
  })
})
