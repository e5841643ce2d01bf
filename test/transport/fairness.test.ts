// libuv reads up to 32 full buffers from one socket before it looks at the next: with a large inbox, one peer that sends
// without pause has megabytes of everybody's time. What it may have in one turn must be capped.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { privateApiForbidden } from '../support/privateApi.js'
import { serving } from '../support/serving.js'
import { eventually } from '../support/socketClient.js'

/**
 * A message of 1 MiB in reads of 256 KiB, and one read more; and what was parked of the turn before because a slice was over,
 * which is no more than one read of the longest kind. By the public API, what libuv reads at most into buffers of 64 KiB.
 */
const MOST_IN_A_TURN = privateApiForbidden === false ? 1024 * 1024 + 2 * 256 * 1024 : 2 * 1024 * 1024 + 256 * 1024
const ENOUGH = 200 * 1024 * 1024

test('a peer that sends without pause gets no more than its share of a turn', async (t) => {
  let inThisTurn = 0
  let most = 0
  let total = 0
  let worker: Worker | undefined
  t.after(() => worker?.terminate())
  const server = await serving(t, {
    message(_, message) {
      inThisTurn += message.byteLength
      // Work in proportion to the bytes: the sender must be faster than we are.
      total += message.byteLength + (message.bytes.indexOf(1) < 0 ? 0 : 1)
    },
  })
  worker = new Worker(new URL('../support/socketFlood.js', import.meta.url), { workerData: server.address?.port })
  const turn = (): void => {
    most = Math.max(most, inThisTurn)
    inThisTurn = 0
    if (total < ENOUGH) setImmediate(turn)
  }
  setImmediate(turn)
  await eventually(() => total >= ENOUGH, 'enough bytes', 60_000)
  assert.ok(most <= MOST_IN_A_TURN, `${most} bytes of one peer in a turn`)
})
