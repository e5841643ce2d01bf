// A connection that must go because others need the memory: what its peer has been sent so far stays a row of frames.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { readFrames } from '../support/frames.js'
import { settle } from '../support/settle.js'

const MiB = 1024 * 1024

test('no Close comes inside of a frame that is written in parts', async () => {
  const place = connections({})
  const { peer, inside, wire } = place.connect()
  wire.stuck = true
  peer.send('first')
  await settle()
  peer.send(Buffer.alloc(3 * MiB, 1))
  wire.stuck = false
  wire.finish() // writes a part of the frame; the rest would follow in a turn of its own
  const { length } = wire.output
  assert.ok(length > MiB && length < 3 * MiB)
  inside.evicted()
  await settle()
  const { frames, rest } = readFrames(wire.output)
  assert.equal(frames.length, 1)
  assert.ok(rest.subarray(10).every((byte) => byte === 1))
  assert.ok(wire.closed, 'what is left of the frame would take memory')
  await settle()
  assert.equal(place.budget.used, 0)
})
