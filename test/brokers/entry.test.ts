// The entry `millrace/redis`, and the path at which it lay before.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as before from '../../src/pubsub/redisBroker.js'
import * as entry from '../../src/redis.js'

test('what millrace/redis exports is found at its path of 0.1.0, too', () => {
  assert.equal(typeof entry.redisBroker, 'function')
  assert.deepEqual({ ...before }, { ...entry })
})
