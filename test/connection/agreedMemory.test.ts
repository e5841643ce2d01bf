// What a connection holds of what was agreed on: hardly more than its tally, as there may be a million of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { heapOfThread } from '../../src/codec/codec.js'
import { type Agreed, DeflateAgreements } from '../../src/connection/deflateAgreements.js'
import { deflateSettings } from '../../src/connection/deflateSettings.js'
import { Encoder } from '../../src/connection/sending/encoder.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const CONNECTIONS = 10_000
/** Bytes of an object of six, and the list of them here: 80. */
const MOST = 100

function bytesHeld(): number {
  for (let time = 0; time < 3; time++) collect()
  return process.memoryUsage().heapUsed
}

test('what was agreed on takes no memory for each connection but its tally, which knows the rest', () => {
  const heap = heapOfThread()
  const settings = deflateSettings(true, undefined)
  assert.ok(settings)
  const agreements = new DeflateAgreements({ encoder: new Encoder(heap.codec, 'server'), heap }, settings)
  const agree = (): (Agreed | undefined)[] =>
    Array.from({ length: CONNECTIONS }, () => agreements.agree('permessage-deflate; client_max_window_bits'))
  agree() // compiles it
  const before = bytesHeld()
  const agreed = agree()
  const each = (bytesHeld() - before) / CONNECTIONS
  assert.ok(agreed.every((one) => one?.answer !== undefined && one.tally !== undefined))
  assert.equal(new Set(agreed.map((one) => one?.tally)).size, CONNECTIONS)
  assert.ok(each < MOST, `${each} bytes`)
})
