// The entry `millrace/redis`: only its users install what it needs.
export type {
  Broker,
  BrokerStatistics,
  Interrupted,
  Receive,
  RedisBroker,
  RedisBrokerOptions,
  RedisBrokerStatistics,
} from './brokers/redisBroker.js'
export { redisBroker } from './brokers/redisBroker.js'
export { redisShardedBroker } from './brokers/redisSharded.js'
export type {
  RedisStreamsBroker,
  RedisStreamsBrokerOptions,
  RedisStreamsBrokerStatistics,
} from './brokers/redisStreams.js'
export { redisStreamsBroker } from './brokers/redisStreams.js'
