// A peer from which nothing is read until others have had their turns: that is this server's doing, and no fault of the peer.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { BINARY, closeStatus, masked } from '../support/frames.js'
import { settle } from '../support/settle.js'
import { delay } from '../support/socketClient.js'

test('a peer that waits for its turn is not idle; it is when it has had it and is silent', async (context) => {
  const place = connections({ idleTimeout: 200, pingInterval: 0 })
  const { wire, inside } = place.connect()
  context.after(() => inside.terminate())
  wire.waitForTurn(true)
  await delay(500)
  inside.expired()
  assert.equal(wire.output.length, 0)
  await delay(500)
  wire.waitForTurn(false)
  inside.expired()
  assert.equal(wire.output.length, 0, 'what it has sent is about to be read')
  await delay(500)
  inside.expired()
  assert.equal(closeStatus(wire.frames()[0])?.code, 1008)
})

test('a payload is not stalled while its peer waits for its turn, also where it was paused meanwhile', async () => {
  const place = connections({ payloadTimeout: 200 })
  const { wire, peer } = place.connect()
  const check = async (later: number): Promise<void> => {
    place.budget.stalls.check(performance.now() + later)
    await settle()
  }
  wire.feed(masked(BINARY, Buffer.alloc(900_000)).subarray(0, 200_000))
  wire.waitForTurn(true)
  await check(280)
  peer.pause()
  peer.resume()
  await settle()
  assert.equal(wire.paused, false)
  await check(280)
  assert.equal(wire.output.length, 0)
  wire.waitForTurn(false)
  await check(10)
  assert.equal(wire.output.length, 0)
  await check(280)
  assert.equal(closeStatus(wire.frames()[0])?.code, 1008)
  assert.equal(place.budget.used, 0)
})
