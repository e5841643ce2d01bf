// The response to an upgrade is the lane's, the first frames are the connection's: they leave in one write all the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Peer } from '../../src/connection/peer.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { writeAcceptance } from '../../src/server/lanes/responseHead.js'
import { connections } from '../support/connections.js'
import { buildFrame, TEXT } from '../support/frames.js'
import { MemoryTransport } from '../support/memoryTransport.js'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const head = {
  method: 'GET',
  target: '/',
  httpVersion: '1.1',
  headers: { 'sec-websocket-key': KEY },
  repeated: [],
}

test('the response goes before what `open` sends and what answers early frames, in one write', () => {
  const { shared } = connections({
    open: (connection) => connection.send('hello'),
    message: (connection, message) => connection.send(message.text().toUpperCase()),
  })
  const source = { remoteAddress: undefined, secure: false, told: false }
  const opening = {
    request: new UpgradeRequest(head, undefined, source, undefined),
    data: undefined,
    protocol: 'chat',
  }
  const wire = new MemoryTransport()
  const peer = new Peer<undefined>(shared, wire, opening)
  const early = buildFrame({ opcode: TEXT, payload: 'early', key: Buffer.of(1, 2, 3, 4) })
  const accepted = { shared, opening, headers: { 'X-Room': ['one', 'two'] } }
  peer.start(early, (output) => writeAcceptance(output, head, accepted))
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
