// Bytes are bytes whichever realm made them: node:vm, Jest and jsdom have an ArrayBuffer of their own.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { prepare } from '../../src/connection/sending/prepared.js'
import { connections } from '../support/connections.js'
import { settle } from '../support/settle.js'

type Bytes = ArrayBuffer | Uint8Array

/** Makes the bytes 1 to 4 in another realm. */
const MADE: Readonly<Record<string, string>> = {
  'an ArrayBuffer': 'new Uint8Array([1, 2, 3, 4]).buffer',
  'a SharedArrayBuffer':
    '{ const shared = new SharedArrayBuffer(4); new Uint8Array(shared).set([1, 2, 3, 4]); shared }',
  'a typed array': 'new Uint8Array([1, 2, 3, 4])',
  'a DataView': 'new DataView(new Uint8Array([0, 1, 2, 3, 4]).buffer, 1)',
}

for (const [name, code] of Object.entries(MADE)) {
  describe(`${name} of another realm`, () => {
    const uses: Readonly<Record<string, (peer: ReturnType<typeof peerOf>['peer'], data: Bytes) => unknown>> = {
      send: (peer, data) => peer.send(data),
      prepare: (peer, data) => peer.send(prepare(data)),
      sendFragment: (peer, data) => peer.sendFragment(data, true),
      sendStream: (peer, data) => peer.sendStream([data]),
      ping: (peer, data) => void peer.ping(data),
      'sent behind a stream'(peer, data) {
        const sent = peer.sendStream([])
        peer.send(data)
        return sent
      },
    }
    for (const [use, run] of Object.entries(uses)) {
      test(use, async () => {
        const { peer, wire } = peerOf()
        await run(peer, runInNewContext(code))
        await settle()
        const payloads = wire.frames().map(({ payload }) => [...payload])
        assert.ok(
          payloads.some((payload) => payload.join() === '1,2,3,4'),
          JSON.stringify(payloads),
        )
      })
    }

    test('publish', async () => {
      const place = connections({})
      const { peer, wire } = place.connect()
      peer.subscribe('news')
      assert.equal(place.connect().peer.publish('news', runInNewContext(code)), 1)
      await settle()
      assert.deepEqual([...(wire.frames()[0]?.payload ?? [])], [1, 2, 3, 4])
    })
  })
}

test('what is no bytes in another realm is none here', () => {
  const { peer } = peerOf()
  for (const code of ['({ byteLength: 4 })', '[1, 2, 3]', 'new Map()', 'new Error("x")', 'new String("x")']) {
    assert.throws(() => peer.send(runInNewContext(code)), TypeError, code)
    assert.throws(() => prepare(runInNewContext(code)), TypeError, code)
  }
})

function peerOf() {
  return connections({}).connect()
}
