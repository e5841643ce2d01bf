// The same bytes must have the same outcome whether they arrive in one read, which the first lane may take, or in
// pieces, which node:http always gets. Real sockets, one server, every request both ways.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { effort } from '../support/effort.js'
import { masked, TEXT } from '../support/frames.js'
import { countHandovers } from '../support/httpHandovers.js'
import { firstLane } from '../support/httpLanes.js'
import { latin1, mutate, Random, requestOf, SAMPLE_ACCEPT, upgradeRequest } from '../support/httpRequests.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { servingAll } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

const MUTATIONS = effort({ quick: 200, full: 400 })
const AT_ONCE = 50
const HANDSHAKE_TIMEOUT = 600

let port = 0

const server = servingAll(
  {
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    closeTimeout: 500,
    message: (connection, message) => connection.send(message),
    error: () => undefined,
    request: (request, response) => response.writeHead(200, { 'X-Target': request.url }).end('handler'),
  },
  () => {
    port = server.address?.port ?? 0
  },
)

interface Result {
  readonly status: number
  readonly head: string
  /** Only of refusals: whether the server ended the connection. */
  readonly ended?: boolean
}

/** Sends a request in these pieces, and tells what became of it. The client never ends by itself. */
async function send(...pieces: readonly string[]): Promise<Result> {
  const client = await SocketClient.open(port)
  try {
    await client.writePieces(pieces.map(latin1))
    await client.until(() => client.text.includes('\r\n\r\n') || client.over, JSON.stringify(pieces))
    const head = client.text.slice(0, client.text.indexOf('\r\n\r\n')).replace(/\r\nDate: [^\r]*/, '')
    const status = Number(head.slice(9, 12))
    if (status < 400 && head !== '') return { status, head }
    await client.end()
    return { status, head, ended: client.over }
  } finally {
    await client.destroy()
  }
}

function bothWays(text: string, cut: number): Promise<[Result, Result]> {
  return Promise.all([send(text), send(text.slice(0, cut), text.slice(cut))])
}

interface Row {
  readonly name: string
  readonly text: string
  readonly status: number
}

const rows: Row[] = [
  { name: 'a plain upgrade', text: upgradeRequest(), status: 101 },
  { name: 'any case', text: upgradeRequest({ Upgrade: 'WebSOCKET', Connection: 'uPGRADE' }), status: 101 },
  {
    name: 'lists',
    text: upgradeRequest({ Connection: 'keep-alive, Upgrade', Upgrade: 'h2c, websocket' }),
    status: 101,
  },
  { name: 'blanks around values', text: upgradeRequest({ Connection: '  Upgrade  ', Origin: '\t x \t' }), status: 101 },
  { name: 'odd names', text: upgradeRequest({ constructor: 'x', hasOwnProperty: '', 'x.y~z': '1' }), status: 101 },
  { name: '__proto__', text: upgradeRequest().replace('\r\n\r\n', '\r\n__proto__: x\r\n\r\n'), status: 101 },
  { name: 'a header twice', text: upgradeRequest().replace('\r\n\r\n', '\r\nX: a\r\nX: b\r\n\r\n'), status: 101 },
  { name: 'a value outside ASCII', text: upgradeRequest({ X: '\xe9' }), status: 101 },
  { name: 'two Connection lines', text: upgradeRequest({ connection: 'keep-alive' }), status: 101 },
  { name: 'the query in the target', text: upgradeRequest({}, "GET /a?b=c&d='%20#e HTTP/1.1"), status: 101 },
  { name: 'an absolute target', text: upgradeRequest({}, 'GET http://h/ HTTP/1.1'), status: 101 },
  { name: 'no version', text: upgradeRequest({ 'Sec-WebSocket-Version': undefined }), status: 426 },
  { name: 'another version', text: upgradeRequest({ 'Sec-WebSocket-Version': '8' }), status: 426 },
  { name: 'a list of versions', text: upgradeRequest({ 'Sec-WebSocket-Version': '13, 8' }), status: 426 },
  { name: 'two versions', text: upgradeRequest({ 'sec-websocket-version': '13' }), status: 400 },
  { name: 'two keys', text: upgradeRequest({ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }), status: 400 },
  { name: 'two hosts', text: upgradeRequest({ host: 'x' }), status: 400 },
  { name: 'no host', text: upgradeRequest({ Host: undefined }), status: 400 },
  { name: 'no key', text: upgradeRequest({ 'Sec-WebSocket-Key': undefined }), status: 400 },
  { name: 'a short key', text: upgradeRequest({ 'Sec-WebSocket-Key': 'AAAA' }), status: 400 },
  { name: 'another protocol', text: upgradeRequest({ Upgrade: 'h2c' }), status: 200 },
  { name: 'two other protocols', text: upgradeRequest({ Upgrade: 'h2c, TLS/1.0' }), status: 200 },
  { name: 'POST', text: upgradeRequest({}, 'POST / HTTP/1.1'), status: 405 },
  { name: 'HTTP/1.0', text: upgradeRequest({}, 'GET / HTTP/1.0'), status: 400 },
  { name: 'Content-Length: 0', text: upgradeRequest({ 'Content-Length': '0' }), status: 101 },
  { name: 'Content-Length: 1', text: upgradeRequest({ 'Content-Length': '1' }), status: 400 },
  { name: 'two lengths', text: upgradeRequest({ 'Content-Length': '0', 'content-length': '0' }), status: 400 },
  { name: 'empty elements', text: upgradeRequest({ Connection: ', Upgrade,', Upgrade: ',,websocket' }), status: 101 },
  { name: 'chunks', text: upgradeRequest({ 'Transfer-Encoding': 'chunked' }), status: 400 },
  { name: 'bare line feeds', text: upgradeRequest().replaceAll('\r\n', '\n'), status: 400 },
  { name: 'a blank before the colon', text: upgradeRequest({ 'X ': 'y' }), status: 400 },
  { name: 'a control byte', text: upgradeRequest({ X: 'a\x01b' }), status: 400 },
  { name: 'nonsense', text: `${'\x16\x03\x01\x02\0'.repeat(20)}`, status: 400 },
  { name: 'a head of 20 KiB', text: upgradeRequest({ Cookie: 'c'.repeat(20 * 1024) }), status: 431 },
  { name: 'no empty line', text: upgradeRequest().slice(0, -2), status: 408 },
  { name: 'a plain request', text: requestOf(['Host: x']), status: 200 },
  { name: 'Upgrade without Connection', text: upgradeRequest({ Connection: 'keep-alive' }), status: 200 },
  { name: 'Connection without Upgrade', text: upgradeRequest({ Upgrade: undefined }), status: 200 },
]

describe('the same outcome whole and in pieces', () => {
  for (const { name, text, status } of rows) {
    test(`${name}: ${status}`, async () => {
      const [whole, pieces] = await bothWays(text, 5)
      assert.equal(whole.status, status)
      assert.deepEqual(whole, pieces)
      if (status === 101) assert.ok(whole.head.endsWith(`Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`))
      if (status >= 400) assert.equal(whole.ended, true)
    })
  }

  test('the refusals name what is allowed', async () => {
    const version = await bothWays(upgradeRequest({ 'Sec-WebSocket-Version': '8' }), 20)
    for (const { head } of version) assert.match(head, /\r\nSec-WebSocket-Version: 13\r\n/)
    const method = await bothWays(upgradeRequest({}, 'PUT / HTTP/1.1'), 20)
    for (const { head } of method) assert.match(head, /\r\nAllow: GET\r\n/)
  })

  test(`${MUTATIONS} seeded mutations`, async () => {
    const random = new Random(3)
    const statuses = new Map<number, number>()
    for (let done = 0; done < MUTATIONS; done += AT_ONCE) {
      const texts = Array.from({ length: AT_ONCE }, () => mutate(upgradeRequest(), random)).filter(
        ({ length }) => length > 20,
      )
      const results = await Promise.all(texts.map((text) => bothWays(text, 1 + random.below(20))))
      for (const [at, [whole, pieces]] of results.entries()) {
        assert.deepEqual(whole, pieces, JSON.stringify(texts[at]))
        statuses.set(whole.status, (statuses.get(whole.status) ?? 0) + 1)
      }
    }
    for (const status of [101, 200, 400]) assert.ok((statuses.get(status) ?? 0) > 10, `${status} hardly ever happened`)
  })
})

describe('which lane it was', () => {
  async function echoes(...pieces: readonly string[]): Promise<number> {
    countHandovers()
    const client = await SocketClient.open(port)
    await client.writePieces(pieces.map(latin1))
    client.write(masked(TEXT, 'hello'))
    const [frame] = await client.frames(1)
    await client.destroy()
    assert.equal(frame?.payload.toString(), 'hello')
    return countHandovers()
  }

  test('a plain request in one piece never sees node:http', { skip: privateApiForbidden }, async () => {
    assert.ok(firstLane(latin1(upgradeRequest())) !== undefined)
    assert.equal(await echoes(upgradeRequest()), 0)
  })

  test('the same in pieces, and one with an odd header, are given to node:http', async () => {
    const text = upgradeRequest()
    assert.equal(await echoes(text.slice(0, 1), text.slice(1)), 1)
    assert.equal(await echoes(text.slice(0, -1), text.slice(-1)), 1)
    assert.equal(await echoes(upgradeRequest({ TE: 'trailers' })), 1)
  })

  test('byte by byte', async () => {
    const text = upgradeRequest()
    assert.equal(await echoes(...text.slice(0, 8), text.slice(8, -3), ...text.slice(-3)), 1)
  })
})
