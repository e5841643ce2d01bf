// The shape of the module: require hands out the class, which has everything; import hands out the same objects; and the
// names are those of ws.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as real from 'ws'
import * as entry from '../../src/ws.js'

const url = new URL('../../src/ws.js', import.meta.url)
const required = createRequire(import.meta.url)(fileURLToPath(url))
const realRequired = createRequire(import.meta.url)('ws')

test('import gives each name that ws gives', () => {
  const names = Object.keys(entry).filter((name) => name !== 'module.exports')
  assert.deepEqual(
    names,
    Object.keys(real).filter((name) => name !== 'module.exports'),
  )
})

test('require gives the class itself, with each property that the class of ws has', () => {
  assert.equal(typeof required, 'function')
  assert.deepEqual(Object.keys(required).toSorted(), Object.keys(realRequired).toSorted())
  assert.deepEqual(
    Object.keys(required).map((name) => typeof required[name]),
    Object.keys(required).map((name) => typeof realRequired[name]),
  )
})

test('both give the same objects', () => {
  assert.equal(required, entry.default)
  for (const [name, value] of Object.entries(entry)) {
    if (name !== 'default' && name !== 'module.exports') assert.equal(Reflect.get(required, name), value, name)
  }
})

test('the class names itself, and the server by both of its names', () => {
  assert.equal(required.WebSocket, required)
  assert.equal(required.Server, required.WebSocketServer)
  assert.equal(required.name, 'WebSocket')
  assert.equal(required.Server.name, 'WebSocketServer')
})

test('the constants are on the class and on its prototype, and are enumerable', () => {
  for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']) {
    for (const of of [(it: { prototype: object }) => it, (it: { prototype: object }) => it.prototype]) {
      const [ours, theirs] = [of(required), of(realRequired)]
      assert.deepEqual(Object.getOwnPropertyDescriptor(ours, name), Object.getOwnPropertyDescriptor(theirs, name))
    }
  }
})

test('what reads and writes the headers does so as that of ws', () => {
  const header = 'permessage-deflate; client_max_window_bits; server_max_window_bits=10, x; a="b"'
  assert.deepEqual(required.extension.parse(header), realRequired.extension.parse(header))
  const parsed = realRequired.extension.parse(header)
  assert.equal(required.extension.format(parsed), realRequired.extension.format(parsed))
  assert.deepEqual(required.subprotocol.parse('a, b'), realRequired.subprotocol.parse('a, b'))
  for (const options of [
    {},
    { serverNoContextTakeover: true, serverMaxWindowBits: 9 },
    { clientMaxWindowBits: false },
  ]) {
    const [ours, theirs] = [required, realRequired].map(({ PerMessageDeflate }) => new PerMessageDeflate(options))
    assert.deepEqual(ours.offer(), theirs.offer())
    const answer = { server_max_window_bits: ['9'], client_no_context_takeover: [true] }
    assert.deepEqual({ ...ours.accept([answer]) }, { ...theirs.accept([structuredClone(answer)]) })
  }
})
