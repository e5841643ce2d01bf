// Every option there is, with its kind: one table for each object of options. A new option is a line here; a test compares
// the tables with the types. What a client is told is in clientTables.ts.

import { origins, protocols, proxies } from './addresses.js'
import { clientOptions } from './clientTables.js'
import { deflate, deflateOptions, handlers, numbers, type Table } from './commonTables.js'
import { type Checklist, callback, either, flag, type Kind, object, oneOf, port, text, wholeNumber } from './kinds.js'
import { connectionLimits, serverLimits } from './limits.js'
import {
  closeQuantities,
  clusterQuantities,
  largeQuantities,
  presenceQuantities,
  redisQuantities,
  routeQuantities,
  streamQuantities,
} from './quantities.js'
import { tlsOptions } from './tlsTable.js'
import { historyOptions, topicsOptions } from './topicTables.js'

const large = {
  module: {
    words: "a URL or an absolute path: new URL('./large.js', import.meta.url)",
    is: (value) => typeof value === 'string' || Object.prototype.toString.call(value) === '[object URL]',
  },
  ...numbers(largeQuantities),
  ordered: flag,
  atomics: oneOf('async', 'sync', 'disabled'),
  context: callback,
} satisfies Table

export const largeOptions = {
  owner: 'the option large',
  prefix: 'large.',
  example: (name: string) => `large: { ${name} }`,
  options: large,
} satisfies Checklist

const routeTable = {
  ...handlers,
  ...numbers(connectionLimits),
  ...numbers(routeQuantities),
  outputPolicy: oneOf('pause', 'drop', 'close'),
  origins,
  protocols,
  large: object('an object: { module }', largeOptions),
  streamLeft: oneOf('drain', 'fail'),
  deflate,
  upgrade: callback,
  upgradeFailed: callback,
} satisfies Table

export const routeOptions = {
  owner: 'route',
  prefix: '',
  example: (name: string) => `createServer({ ${name} }) or route({ ${name} })`,
  options: routeTable,
  own: true,
} satisfies Checklist

const METHODS = ['attach', 'subscribe', 'unsubscribe', 'publish', 'close']

const broker: Kind = {
  words: 'a broker: redisBroker(url) for instance',
  is: (value) =>
    typeof value === 'object' &&
    value !== null &&
    METHODS.every((method) => typeof Reflect.get(value, method) === 'function'),
}

export const serverOptions = {
  owner: 'createServer',
  prefix: '',
  example: (name: string) => `createServer({ ${name} })`,
  options: {
    ...routeTable,
    ...numbers(serverLimits),
    routes: object("an object: { '/chat': route({ ... }) }"),
    request: callback,
    requestFailed: callback,
    trustedProxies: proxies,
    broker,
    topics: object('an object: { history, envelope }', topicsOptions),
    publicApi: flag,
  },
  own: true,
} satisfies Checklist

const place = {
  port,
  host: text,
  ipv6Only: flag,
  path: text,
  fd: wholeNumber(0, 2 ** 31 - 1),
  readableAll: flag,
  writableAll: flag,
  tls: object('an object: { key, cert }', tlsOptions),
  proxyProtocol: flag,
  http2: either(flag, oneOf('cleartext')),
} satisfies Table

const clusterNumbers = numbers(clusterQuantities)

const cluster = {
  ...clusterNumbers,
  acceptors: either(oneOf('auto'), clusterNumbers.acceptors),
  signals: flag,
  log: callback,
} satisfies Table

export const listenOptions = {
  owner: 'listen',
  prefix: '',
  example: (name: string) => `server.listen({ ${name} })`,
  options: { ...place, ...cluster },
} satisfies Checklist

/** Certificates and keys that take the place of others. */
export const renewalOptions = {
  ...tlsOptions,
  owner: 'setSecureContext',
  prefix: '',
  example: (name: string) => `setSecureContext({ ${name} })`,
} satisfies Checklist

export const closeOptions = {
  owner: 'close',
  prefix: '',
  example: (name: string) => `server.close({ ${name} })`,
  options: {
    code: { words: 'a close code', is: (value) => typeof value === 'number' },
    reason: text,
    ...numbers(closeQuantities),
  },
} satisfies Checklist

export const redisOptions = {
  owner: 'redisBroker',
  prefix: '',
  example: (name: string) => `redisBroker(url, { ${name} })`,
  options: { prefix: text, ...numbers(redisQuantities), error: callback },
} satisfies Checklist

export const redisShardedOptions = {
  ...redisOptions,
  owner: 'redisShardedBroker',
  example: (name: string) => `redisShardedBroker(url, { ${name} })`,
} satisfies Checklist

export const presenceOptions = {
  owner: 'createPresence',
  prefix: '',
  example: (name: string) => `createPresence(server, { ${name} })`,
  options: { ...numbers(presenceQuantities), topic: text },
} satisfies Checklist

export const natsOptions = {
  owner: 'natsBroker',
  prefix: '',
  example: (name: string) => `natsBroker(url, { ${name} })`,
  options: { prefix: text, ...numbers(redisQuantities), error: callback },
} satisfies Checklist

export const redisStreamOptions = {
  owner: 'redisStreamsBroker',
  prefix: '',
  example: (name: string) => `redisStreamsBroker(url, { ${name} })`,
  options: { stream: text, ...numbers(streamQuantities), error: callback },
} satisfies Checklist

export const sendOptions = {
  owner: 'send',
  prefix: '',
  example: (name: string) => `connection.send(data, { ${name} })`,
  options: { compress: flag },
} satisfies Checklist

export const streamOptions = {
  owner: 'sendStream',
  prefix: '',
  example: (name: string) => `connection.sendStream(source, { ${name} })`,
  options: { binary: flag },
} satisfies Checklist

export const prometheusOptions = {
  owner: 'prometheus',
  prefix: '',
  example: (name: string) => `prometheus(server, { ${name} })`,
  options: { registry: object('a registry of prom-client: new Registry()') },
} satisfies Checklist

/** Where an option may belong that was given somewhere else, nearest first. */
export const everywhere: readonly Checklist[] = [
  serverOptions,
  listenOptions,
  clientOptions,
  tlsOptions,
  largeOptions,
  deflateOptions,
  redisOptions,
  redisStreamOptions,
  redisShardedOptions,
  presenceOptions,
  natsOptions,
  streamOptions,
  topicsOptions,
  historyOptions,
]
