// The opening handshake decides who gets in. Every check of RFC 6455, section 4.2.1 has a row here, with the status and
// the headers that a refused client needs to find its mistake.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  acceptance,
  acceptKey,
  checkUpgrade,
  type HandshakeRequest,
  hasToken,
  type Refusal,
} from '../../src/protocol/openingHandshake.js'
import { SAMPLE_ACCEPT, SAMPLE_KEY } from '../support/httpRequests.js'

type Headers = Record<string, string | undefined>

/** A good request with some headers changed; one that is undefined is left out. */
function request(changes: Headers = {}, rest: Partial<HandshakeRequest> = {}): HandshakeRequest {
  const headers: Headers = Object.assign(Object.create(null), {
    host: 'localhost',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': SAMPLE_KEY,
    'sec-websocket-version': '13',
  })
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete headers[name]
    else headers[name] = value
  }
  return { method: 'GET', target: '/', httpVersion: '1.1', headers, repeated: [], ...rest }
}

function status(changes: Headers, rest?: Partial<HandshakeRequest>): number | undefined {
  return checkUpgrade(request(changes, rest))?.status
}

function refusal(changes: Headers, rest?: Partial<HandshakeRequest>): Refusal {
  const refused = checkUpgrade(request(changes, rest))
  assert.ok(refused !== undefined, 'the request was not refused')
  return refused
}

describe('what is accepted', () => {
  test('a plain request', () => assert.equal(checkUpgrade(request()), undefined))

  for (const upgrade of ['websocket', 'WebSocket', 'WEBSOCKET', 'h2c, websocket', 'websocket,h2c', ' \twebsocket ,x']) {
    test(`Upgrade: ${JSON.stringify(upgrade)}`, () => assert.equal(status({ upgrade }), undefined))
  }

  for (const connection of [
    'upgrade',
    'UPGRADE',
    'keep-alive, Upgrade',
    'Upgrade,keep-alive',
    'a ,\t upgrade\t , b',
    ',,upgrade',
  ]) {
    test(`Connection: ${JSON.stringify(connection)}`, () => assert.equal(status({ connection }), undefined))
  }

  test('headers that may come more than once', () => {
    const repeated = ['cookie', 'connection', 'upgrade', 'sec-websocket-protocol', 'sec-websocket-extensions', 'x']
    assert.equal(status({ connection: 'keep-alive, Upgrade' }, { repeated }), undefined)
  })

  test('a Content-Length of 0, as the client of Java 11 to 18 writes it: there is no body', () => {
    assert.equal(status({ 'content-length': '0' }), undefined)
  })

  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    test(`a header named ${name}`, () => {
      assert.equal(status({ [name]: 'x' }), undefined)
      assert.equal(checkUpgrade(request({}, { repeated: [name] })), undefined)
    })
  }

  for (const key of ['AAAAAAAAAAAAAAAAAAAAAA==', '++++++++++++++++++++++==', '//////////////////////==']) {
    test(`the key ${key}`, () => assert.equal(status({ 'sec-websocket-key': key }), undefined))
  }
})

describe('what is refused', () => {
  for (const method of ['POST', 'HEAD', 'PUT', 'CONNECT', 'get', '']) {
    test(`the method ${JSON.stringify(method)}: 405, and which is allowed`, () => {
      const refused = refusal({}, { method })
      assert.equal(refused.status, 405)
      assert.deepEqual(refused.headers, { Allow: 'GET' })
    })
  }

  for (const httpVersion of ['1.0', '0.9', '2.0', '']) {
    test(`HTTP/${httpVersion}: 400`, () => assert.equal(status({}, { httpVersion }), 400))
  }

  for (const name of ['host', 'upgrade', 'connection', 'sec-websocket-key']) {
    test(`no ${name}, and an empty one: 400`, () => {
      assert.equal(status({ [name]: undefined }), 400)
      assert.equal(status({ [name]: '' }), 400)
    })
  }

  for (const name of ['host', 'sec-websocket-key', 'sec-websocket-version']) {
    test(`${name} more than once: 400, whatever it says`, () => {
      assert.equal(status({}, { repeated: ['x', name] }), 400)
      assert.equal(status({ [name]: `${request().headers[name]}, x` }, { repeated: [name] }), 400)
    })
  }

  for (const upgrade of ['websockets', 'websocke', 'h2c', 'websocket/13', 'web socket', 'websocket;x', '"websocket"']) {
    test(`Upgrade: ${upgrade}: 400`, () => assert.equal(status({ upgrade }), 400))
  }

  for (const connection of ['keep-alive', 'close', 'upgraded', 'up,grade', 'Upgrade;q=1', 'keep-alive Upgrade', ',']) {
    test(`Connection: ${connection}: 400`, () => assert.equal(status({ connection }), 400))
  }

  // Section 4.4: the server names the version that it speaks.
  for (const version of [undefined, '', '0', '7', '8', '14', '013', '13.0', '+13', '0x0d', '13, 8', '8, 13', '13,13']) {
    test(`Sec-WebSocket-Version: ${version}: 426, and which to ask for`, () => {
      const refused = refusal({ 'sec-websocket-version': version })
      assert.equal(refused.status, 426)
      assert.deepEqual(refused.headers, { 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' })
    })
  }

  for (let length = 0; length <= 64; length++) {
    if (length === 16) continue
    test(`a key of ${length} bytes: 400`, () => {
      assert.equal(status({ 'sec-websocket-key': Buffer.alloc(length, length).toString('base64') }), 400)
    })
  }

  for (const key of [
    SAMPLE_KEY.slice(0, -1),
    SAMPLE_KEY.slice(0, -2),
    `${SAMPLE_KEY}=`,
    `${SAMPLE_KEY} `,
    ` ${SAMPLE_KEY}`,
    `${SAMPLE_KEY}\n`,
    `${SAMPLE_KEY}, ${SAMPLE_KEY}`,
    SAMPLE_KEY.replace('d', '-'),
    SAMPLE_KEY.replace('d', '_'),
    SAMPLE_KEY.replace('d', '='),
    SAMPLE_KEY.replace('d', '\xe9'),
  ]) {
    test(`the key ${JSON.stringify(key)}: 400`, () => assert.equal(status({ 'sec-websocket-key': key }), 400))
  }

  test('a transfer-encoding, even an empty one: 400', () => {
    assert.equal(status({ 'transfer-encoding': '0' }), 400)
    assert.equal(status({ 'transfer-encoding': '' }), 400)
    assert.equal(status({ 'content-length': '0', 'transfer-encoding': 'chunked' }), 400)
  })

  for (const length of ['', '1', '10', '01', '-0', '+0', '0x0', '0.0', '0, 0', '0,']) {
    test(`a content-length of ${JSON.stringify(length)}: 400`, () => {
      assert.equal(status({ 'content-length': length }), 400)
    })
  }

  test('a content-length of 0 more than once: 400', () => {
    assert.equal(status({ 'content-length': '0' }, { repeated: ['content-length'] }), 400)
    assert.equal(status({ 'content-length': '0, 0' }, { repeated: ['content-length'] }), 400)
  })

  test('a refusal says why, in one line that may stand in a response', () => {
    const refusals = [
      refusal({}, { method: 'POST' }),
      refusal({}, { httpVersion: '1.0' }),
      refusal({ host: undefined }),
      refusal({}, { repeated: ['host'] }),
      refusal({ upgrade: 'x' }),
      refusal({ connection: 'x' }),
      refusal({ 'sec-websocket-version': '8' }),
      refusal({ 'sec-websocket-key': 'x\r\nSet-Cookie: a=b' }),
      refusal({ 'content-length': '1' }),
    ]
    for (const { reason } of refusals) assert.match(reason, /^[ -~]{10,}$/)
    assert.equal(new Set(refusals.map(({ reason }) => reason)).size, refusals.length)
  })
})

describe('the list of tokens', () => {
  test('a missing list holds nothing', () => assert.equal(hasToken(undefined, 'upgrade'), false))
  test('an empty list holds nothing', () => assert.equal(hasToken('', 'upgrade'), false))
  test('empty members are passed over', () => assert.equal(hasToken(', ,\t,upgrade,', 'upgrade'), true))
  test('part of a member is no match', () => assert.equal(hasToken('xupgrade, upgradex, up grade', 'upgrade'), false))
  test('a list as long as the token is no match by itself', () => assert.equal(hasToken('a,b,c,d', 'upgrade'), false))
})

describe('the acceptance', () => {
  test('the sample key of section 1.3', () => assert.equal(acceptKey(SAMPLE_KEY), SAMPLE_ACCEPT))

  test('any key: SHA-1 of the key and the GUID', () => {
    for (let seed = 0; seed < 50; seed++) {
      const key = Buffer.alloc(16, `key ${seed}`).toString('base64')
      const expected = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      assert.equal(acceptKey(key), expected)
    }
  })

  test('the response, byte by byte', () => {
    assert.equal(
      acceptance(request()),
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${SAMPLE_ACCEPT}\r\n\r\n`,
    )
  })
})
