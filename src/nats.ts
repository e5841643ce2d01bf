// The entry `millrace/nats`: only its users install what it needs.

export type { NatsBroker, NatsBrokerOptions, NatsBrokerStatistics } from './brokers/natsBroker.js'
export { natsBroker } from './brokers/natsBroker.js'
export type { Broker, BrokerStatistics, Receive } from './topics/broker.js'
