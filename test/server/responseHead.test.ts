// The response to an upgrade is the lane's, the first frames are the connection's: they leave in one write all the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queryObjects } from 'node:v8'
import { Peer } from '../../src/connection/peer.js'
import { Sender } from '../../src/connection/sending/sender.js'
import { acceptance, acceptKey } from '../../src/protocol/openingHandshake.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { writeAcceptance } from '../../src/server/lanes/responseHead.js'
import { type Connections, connections } from '../support/connections.js'
import { buildFrame, TEXT } from '../support/frames.js'
import { MemoryTransport } from '../support/memoryTransport.js'
import { settle } from '../support/settle.js'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const head = {
  method: 'GET',
  target: '/',
  httpVersion: '1.1',
  headers: { 'sec-websocket-key': KEY },
  repeated: [],
}

const source = { remoteAddress: undefined, secure: false, told: false }
const senders = (): number => Number(queryObjects(Sender))
const NOTHING = new Uint8Array(0)
const RESPONSE = acceptance(head)

/** A connection that is accepted over a transport in memory. */
function accepted(
  shared: Connections['shared'],
  wire = new MemoryTransport(),
): { readonly peer: Peer<undefined>; readonly wire: MemoryTransport; open(): void } {
  const opening = { request: new UpgradeRequest(head, undefined, source, undefined), data: undefined, protocol: '' }
  const peer = new Peer<undefined>(shared, wire, opening)
  const answer = { shared, opening, headers: {} }
  return { peer, wire, open: () => peer.start(NOTHING, (output) => writeAcceptance(output, KEY, answer)) }
}

test('a connection that has sent nothing but its response has no sending half: that is made when it sends', async () => {
  const { shared } = connections({})
  const before = senders()
  const opened = Array.from({ length: 20 }, () => accepted(shared))
  for (const { open } of opened) open()
  assert.equal(senders(), before)
  assert.deepEqual(
    opened.map(({ wire }) => wire.output.toString('latin1')),
    opened.map(() => RESPONSE),
  )
  for (const { peer } of opened) peer.connection.send('later')
  assert.equal(senders(), before + opened.length)
  await settle()
  const frame = buildFrame({ opcode: TEXT, payload: 'later' }).toString('latin1')
  for (const { wire } of opened) assert.equal(wire.output.toString('latin1'), RESPONSE + frame)
})

test('a response whose write stands still is kept until it is written, and what is sent meanwhile waits behind it', async () => {
  const { shared } = connections({})
  const slow = accepted(shared)
  slow.wire.stuck = true
  slow.open()
  slow.peer.connection.send('behind')
  await settle()
  const other = accepted(shared)
  other.open()
  slow.wire.stuck = false
  slow.wire.finish()
  await settle()
  const frame = buildFrame({ opcode: TEXT, payload: 'behind' }).toString('latin1')
  assert.equal(slow.wire.output.toString('latin1'), RESPONSE + frame)
  assert.equal(other.wire.output.toString('latin1'), RESPONSE)
  assert.equal(slow.peer.connection.bufferedAmount, 0)
})

test('a connection whose response can not be written ends', async () => {
  const closed: number[] = []
  const { shared } = connections({ close: (_, code) => void closed.push(code) })
  const { peer, wire, open } = accepted(shared)
  wire.write = () => -32
  open()
  await settle()
  assert.deepEqual([closed, peer.isOpen], [[1006], false])
})

test('a connection that opens while the `open` handler of another one runs gets its own response, and each its frames', () => {
  const inner: ReturnType<typeof accepted>[] = []
  const { shared } = connections({
    open(connection) {
      if (inner.length < 2) {
        const next = accepted(shared)
        inner.push(next)
        next.open()
      }
      connection.send('hello')
    },
  })
  const outer = accepted(shared)
  outer.open()
  const expected = RESPONSE + buildFrame({ opcode: TEXT, payload: 'hello' }).toString('latin1')
  for (const { wire } of [outer, ...inner]) assert.equal(wire.output.toString('latin1'), expected)
  assert.equal(inner.length, 2)
})

test('a response that is longer than the memory in which a turn builds its frames is sent as well', async () => {
  const { shared } = connections({ open: (connection) => connection.send('hello') })
  const { peer, wire } = accepted(shared)
  const headers = { 'X-Long': 'x'.repeat(512 * 1024) }
  const opening = { request: peer.request, data: undefined, protocol: '' }
  peer.start(NOTHING, (output) => writeAcceptance(output, KEY, { shared, opening, headers }))
  await settle()
  const expected = acceptance(head, '', headers) + buildFrame({ opcode: TEXT, payload: 'hello' }).toString('latin1')
  assert.ok(wire.output.toString('latin1') === expected)
})

test('a key of another length, which no lane lets pass, is answered as long as it is: nothing behind it is written', () => {
  const { shared } = connections({})
  for (const key of ['', 'short', KEY.slice(1), `${KEY}=`, 'x'.repeat(1000)]) {
    const { peer, wire } = accepted(shared)
    const opening = { request: peer.request, data: undefined, protocol: '' }
    peer.start(NOTHING, (output) => writeAcceptance(output, key, { shared, opening, headers: {} }))
    const expected = acceptance({ ...head, headers: { 'sec-websocket-key': key } })
    assert.equal(wire.output.toString('latin1'), expected)
  }
})

test('the response goes before what `open` sends and what answers early frames, in one write', () => {
  const { shared } = connections({
    open: (connection) => connection.send('hello'),
    message: (connection, message) => connection.send(message.text().toUpperCase()),
  })
  const opening = {
    request: new UpgradeRequest(head, undefined, source, undefined),
    data: undefined,
    protocol: 'chat',
  }
  const wire = new MemoryTransport()
  const peer = new Peer<undefined>(shared, wire, opening)
  const early = buildFrame({ opcode: TEXT, payload: 'early', key: Buffer.of(1, 2, 3, 4) })
  const answer = { shared, opening, headers: { 'X-Room': ['one', 'two'] } }
  peer.start(early, (output) => writeAcceptance(output, KEY, answer))
  const response = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(KEY)}`,
    'Sec-WebSocket-Protocol: chat',
    'X-Room: one',
    'X-Room: two',
    '\r\n',
  ].join('\r\n')
  const frames = ['hello', 'EARLY'].map((payload) => buildFrame({ opcode: TEXT, payload }))
  assert.deepEqual(wire.output.toString('latin1'), response + Buffer.concat(frames).toString('latin1'))
  assert.equal(wire.writes, 1)
})
