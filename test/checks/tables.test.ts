// The tables of options must be those of the types: an option that is missing there could not be given at all, and one
// that is there alone would be taken and do nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RedisBrokerOptions } from '../../src/brokers/redisBroker.js'
import type { clientOptions, reconnectOptions } from '../../src/checks/clientTables.js'
import {
  type closeOptions,
  type largeOptions,
  type listenOptions,
  type redisOptions,
  type routeOptions,
  serverOptions,
} from '../../src/checks/tables.js'
import type { historyOptions, subscribeOptions, topicsOptions } from '../../src/checks/topicTables.js'
import type { ClientOptions, ReconnectOptions } from '../../src/client.js'
import type {
  ClusterOptions,
  HistoryOptions,
  LargeRouteOptions,
  ListenOptions,
  RouteOptions,
  ServerOptions,
  SubscribeOptions,
  TopicsOptions,
} from '../../src/index.js'
import type { CloseOptions } from '../../src/server/drainage.js'
import { defaultLimits } from '../../src/server/options.js'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** Compiles only if the names are the same. */
function same<Names, Keys>(...proof: Same<Names, Keys> extends true ? [] : [never]): void {
  assert.deepEqual(proof, [])
}

test('each table has the names of its type, and no others', () => {
  same<keyof typeof serverOptions.options, keyof ServerOptions<undefined>>()
  same<keyof typeof routeOptions.options, keyof RouteOptions<undefined>>()
  same<keyof typeof largeOptions.options, keyof LargeRouteOptions<undefined>>()
  same<keyof typeof listenOptions.options, keyof ListenOptions | keyof ClusterOptions>()
  same<keyof typeof closeOptions.options, keyof CloseOptions>()
  same<keyof typeof redisOptions.options, keyof RedisBrokerOptions>()
  same<keyof typeof clientOptions.options, keyof ClientOptions<undefined>>()
  same<keyof typeof reconnectOptions.options, keyof ReconnectOptions>()
  same<keyof typeof topicsOptions.options, keyof TopicsOptions>()
  same<keyof typeof historyOptions.options, keyof HistoryOptions>()
  same<keyof typeof subscribeOptions.options, keyof SubscribeOptions>()
})

test('each limit is of a kind that takes its default', () => {
  for (const [name, value] of Object.entries(defaultLimits)) {
    const kind = new Map(Object.entries(serverOptions.options)).get(name)
    assert.ok(kind?.is(value), name)
  }
})
