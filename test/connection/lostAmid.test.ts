// A message of a connection that has gone is sent to another, and the memory for that frame is had by giving up this very
// message: what is sent is still the message, and not what its memory shows afterwards.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { heapOfThread } from '../../src/codec/codec.js'
import { DeflateAgreements } from '../../src/connection/deflateAgreements.js'
import { deflateSettings } from '../../src/connection/deflateSettings.js'
import { ConnectionEnded } from '../../src/connection/ended.js'
import type { Message } from '../../src/connection/message.js'
import { Peer } from '../../src/connection/peer.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import type { Opening } from '../../src/connection/shared.js'
import type { Role } from '../../src/protocol/role.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { CodecParser } from '../codec/codecParser.js'
import { type Connections, connections } from '../support/connections.js'
import { BINARY, CONTINUATION, masked } from '../support/frames.js'
import { MemoryTransport } from '../support/memoryTransport.js'
import { poisonMemory } from '../support/poison.js'
import { settle } from '../support/settle.js'

poisonMemory()

const PAYLOAD = Buffer.from('bytes of the message, and nobody else has any like these; '.repeat(150))
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])

/** What a peer of this kind is sent of a message that is given up while it is sent on. */
async function sentOn(role: Role, more: Partial<Opening<undefined>> = {}): Promise<Buffer> {
  let kept: Message | undefined
  const settles: (() => void)[] = []
  const place = connections({
    payloadMemory: 0,
    maxMessage: 65_536,
    message(_, message) {
      kept = message
      return new Promise<void>((resolve) => settles.push(resolve))
    },
    close() {
      // The payload lies in its region still: it moves in a turn of its own.
      if (kept?.byteLength !== PAYLOAD.length || settles.length === 0) return
      const filled = fill(place)
      other.connection.send(kept)
      assert.throws(() => kept?.text(), ConnectionEnded, 'the message was given up')
      place.budget.discharge(filled)
    },
  })
  const { wire, inside: other } = another(place, role, more)
  wire.stuck = true
  other.connection.send('what stands in the way')
  await settle()
  const source = place.connect()
  source.wire.feed(
    masked(BINARY, 'a copy of this is kept, which can be given up, and with it all others of its connection'),
  )
  source.wire.feed(masked(BINARY, PAYLOAD.subarray(0, 100), false))
  source.wire.feed(masked(CONTINUATION, PAYLOAD.subarray(100)))
  source.peer.terminate()
  await settle()
  wire.stuck = false
  wire.finish()
  for (const resolve of settles.splice(0)) resolve()
  await settle()
  const payload = lastPayload(role, wire.output)
  other.terminate()
  await settle()
  assert.equal(place.budget.used, 0)
  return payload
}

/** Fills the budget so far that whoever needs more makes others give up theirs; returns the bytes. */
function fill({ budget }: Connections): number {
  let filled = 0
  for (; budget.hasRoom(65_536); filled += 4096) budget.charge(4096)
  return filled
}

/** The payload of the last frame that this side has written. */
function lastPayload(role: Role, bytes: Buffer): Buffer {
  const parser = new CodecParser({ masked: role === 'client', limit: 65_536, compressed: true })
  parser.feed(bytes)
  parser.close()
  return parser.events.at(-1)?.payload ?? Buffer.alloc(0)
}

function another(place: Connections, role: Role, more: Partial<Opening<undefined>>) {
  const head = { method: 'GET', target: '/', httpVersion: '1.1', headers: {}, repeated: [] }
  const source = { remoteAddress: undefined, secure: false, told: false }
  const request = new UpgradeRequest(head, undefined, source, undefined)
  const wire = new MemoryTransport()
  const shared = { ...place.shared, encoder: encoderOfThread(role) }
  const inside = new Peer<undefined>(shared, wire, { request, data: undefined, protocol: '', ...more })
  inside.start(new Uint8Array(0))
  return { wire, inside }
}

describe('a message that is given up while it is sent on is sent as it was', () => {
  test('by a server', async () => {
    assert.deepEqual(await sentOn('server'), PAYLOAD)
  })

  test('by a client', async () => {
    assert.deepEqual(await sentOn('client'), PAYLOAD)
  })

  test('compressed', async () => {
    const settings = deflateSettings({ threshold: 0 }, undefined)
    assert.ok(settings !== undefined)
    const parts = { encoder: encoderOfThread('server'), heap: heapOfThread() }
    const deflate = new DeflateAgreements(parts, settings).agree('permessage-deflate; server_no_context_takeover')
    const payload = await sentOn('server', { deflate })
    assert.deepEqual(inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: 2 }), PAYLOAD)
  })
})
