// A head that is known is not read again: what is found must be what reading it finds, whatever one byte of it is.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { type PlainHead, PlainHeads, wholeRequest } from '../../src/protocol/knownHeads.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { upgradeRequest } from '../support/httpRequests.js'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const OTHER = 'AAECAwQFBgcICQoLDA0ODw=='
const LONGEST = 8192
const source = { remoteAddress: undefined, secure: false, told: false }

function head(key: string, more: Record<string, string> = {}): Buffer {
  return Buffer.from(upgradeRequest({ 'Sec-WebSocket-Key': key, ...more }), 'latin1')
}

/** What an application can see of it. */
function seen(found: PlainHead | undefined): unknown {
  if (found === undefined) return undefined
  const { headers, target, protocols } = new UpgradeRequest(found.request, found, source, undefined)
  return {
    headers,
    target,
    protocols,
    length: found.length,
    key: found.key,
    whole: wholeRequest(found).headers['sec-websocket-key'],
  }
}

/** Knows the heads that it has read. */
function knowing(...heads: Buffer[]): PlainHeads {
  const reader = new PlainHeads(LONGEST)
  for (const bytes of heads) {
    // Only some heads are remembered, among them the first.
    for (let time = 0; reader.read(bytes)?.known === undefined && time < 40; time++);
  }
  return reader
}

describe('of a head that came before', () => {
  test('the key alone is kept, and the request is the same but for the key', () => {
    const found = knowing(head(KEY)).read(head(OTHER))
    assert.equal(found?.text, OTHER)
    assert.notEqual(found?.known, undefined)
    assert.deepEqual(seen(found), seen(new PlainHeads(LONGEST).read(head(OTHER))))
  })

  test('the application sees headers without a prototype', () => {
    const found = knowing(head(KEY)).read(head(OTHER))
    assert.ok(found !== undefined)
    const { headers } = new UpgradeRequest(found.request, found, source, undefined)
    assert.equal(Object.getPrototypeOf(headers), null)
    assert.equal(Object.hasOwn(headers, 'host'), true)
  })

  test('what an application has done to the headers of the first request is not found in those of the others', () => {
    const reader = new PlainHeads(LONGEST)
    const first = reader.read(head(KEY))
    assert.ok(first !== undefined)
    const { headers } = new UpgradeRequest(first.request, first, source, undefined)
    Object.assign(headers, { 'x-forwarded-for': '192.0.2.1', 'sec-websocket-protocol': 'chat' })
    const found = reader.read(head(OTHER))
    assert.notEqual(found?.known, undefined)
    assert.equal(found?.request.headers['x-forwarded-for'], undefined)
    assert.equal(found?.request.headers['sec-websocket-protocol'], undefined)
  })

  test('a head with any other byte in any place is what it would be without it', () => {
    const known = head(KEY, { 'Sec-WebSocket-Protocol': 'chat', Cookie: 'a=1' })
    const reader = knowing(known)
    for (let at = 0; at < known.length; at++) {
      for (const byte of [0, 10, 13, 32, 44, 58, 61, 65, 97, 200]) {
        const changed = Buffer.from(known)
        changed[at] = byte
        assert.deepEqual(seen(reader.read(changed)), seen(new PlainHeads(LONGEST).read(changed)), `${byte} at ${at}`)
      }
    }
  })

  test('several kinds of clients are known at once', () => {
    const kinds = ['a', 'bb', 'ccc'].map((agent) => (key: string) => head(key, { 'User-Agent': agent }))
    const reader = knowing(...kinds.map((kind) => kind(KEY)))
    for (const kind of kinds) {
      const found = reader.read(kind(OTHER))
      assert.notEqual(found?.known, undefined)
      assert.deepEqual(seen(found), seen(new PlainHeads(LONGEST).read(kind(OTHER))))
    }
  })
})

test('a head that says its key twice is read each time: it can not be said which of them is the key', () => {
  const twice = head(KEY, { 'X-Copy': KEY })
  const reader = knowing(twice)
  assert.equal(reader.read(twice)?.known, undefined)
})

test('what follows the head is no part of it', () => {
  const found = knowing(head(KEY)).read(Buffer.concat([head(KEY), Buffer.from([0x81, 0x80, 0, 0, 0, 0])]))
  assert.equal(found?.length, head(KEY).length)
  assert.equal(found?.text, head(KEY).toString('latin1'))
})

test('a head that is longer than the limit is not read', () => {
  assert.equal(new PlainHeads(head(KEY).length - 1).read(head(KEY)), undefined)
  assert.notEqual(new PlainHeads(head(KEY).length).read(head(KEY)), undefined)
})
