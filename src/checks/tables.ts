// Every option there is, with its kind: one table for each object of options. A new option is a line here; a test compares
// the tables with the types.
import { dhParameters, origins, pem, pkcs12, protocols, proxies } from './addresses.js'
import { type Checklist, callback, either, flag, type Kind, object, oneOf, port, text, wholeNumber } from './kinds.js'

type Table = Readonly<Record<string, Kind>>

const limit = wholeNumber(0)
/** A limit of which none would be no use at all. */
const limitFromOne = wholeNumber(1)
/** A timer of Node's takes no more. */
const time = wholeNumber(0, 2 ** 30)

/** Limits of each connection: of a server, or of one route. */
const connectionLimits = {
  maxMessage: limit,
  maxFragments: limitFromOne,
  outputLimit: limit,
  outputCeiling: limit,
  pendingHandlers: limitFromOne,
  maxSubscriptions: limitFromOne,
  closeTimeout: limit,
  payloadTimeout: limit,
  pingInterval: limit,
  idleTimeout: limit,
  pauseTimeout: limit,
  maxLifetime: limit,
  messageRate: limit,
  byteRate: limit,
} satisfies Table

/** Limits of a whole server. */
const serverLimits = {
  payloadMemory: limit,
  handshakeTimeout: limit,
  requestTimeout: limit,
  keepAliveTimeout: limit,
  maxTopics: limitFromOne,
  maxHeaderSize: limitFromOne,
  maxConnections: limit,
  maxConnectionsPerAddress: limit,
} satisfies Table

const handlers = {
  open: callback,
  message: callback,
  stream: callback,
  largeResult: callback,
  drain: callback,
  pong: callback,
  close: callback,
  error: callback,
} satisfies Table

const large = {
  module: {
    words: "a URL or an absolute path: new URL('./large.js', import.meta.url)",
    is: (value) => typeof value === 'string' || Object.prototype.toString.call(value) === '[object URL]',
  },
  threshold: wholeNumber(32_769), // shorter messages may lie in the inbox, which the next read overwrites
  threads: wholeNumber(1),
  queue: limit,
  timeout: limit,
  idleTimeout: limit,
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
  ...connectionLimits,
  outputPolicy: oneOf('pause', 'drop', 'close'),
  origins,
  protocols,
  large: object('an object: { module }', largeOptions),
  streamThreshold: limit,
  streamLeft: oneOf('drain', 'fail'),
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
    ...serverLimits,
    routes: object("an object: { '/chat': route({ ... }) }"),
    request: callback,
    requestFailed: callback,
    trustedProxies: proxies,
    broker,
    publicApi: flag,
  },
  own: true,
} satisfies Checklist

/** Those that people give; node:tls may know more. */
export const tlsOptions = {
  owner: 'the option tls',
  prefix: 'tls.',
  example: (name: string) => `listen({ tls: { ${name} } })`,
  open: true,
  options: {
    key: pem,
    cert: pem,
    ca: pem,
    crl: pem,
    pfx: pkcs12,
    dhparam: dhParameters,
    passphrase: { ...text, secret: true },
    requestCert: flag,
    rejectUnauthorized: flag,
    honorCipherOrder: flag,
    enableTrace: flag,
    SNICallback: callback,
    ALPNCallback: callback,
    pskCallback: callback,
    ciphers: text,
    ecdhCurve: text,
    sigalgs: text,
    minVersion: text,
    maxVersion: text,
    secureProtocol: text,
    sessionIdContext: text,
    pskIdentityHint: text,
    privateKeyEngine: text,
    privateKeyIdentifier: text,
    handshakeTimeout: limit,
    sessionTimeout: limit,
  },
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
} satisfies Table

const cluster = {
  acceptors: either(oneOf('auto'), wholeNumber(1, 1024)),
  drainAfter: time,
  drainOver: time,
  drainCode: wholeNumber(1000, 4999),
  startTimeout: time,
  stopTimeout: time,
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
    drainAfter: time,
    drainOver: time,
  },
} satisfies Checklist

export const redisOptions = {
  owner: 'redisBroker',
  prefix: '',
  example: (name: string) => `redisBroker(url, { ${name} })`,
  options: { prefix: text, maxBuffered: limitFromOne, timeout: limitFromOne, error: callback },
} satisfies Checklist

export const streamOptions = {
  owner: 'sendStream',
  prefix: '',
  example: (name: string) => `connection.sendStream(source, { ${name} })`,
  options: { binary: flag },
} satisfies Checklist

/** Where an option may belong that was given somewhere else, nearest first. */
export const everywhere: readonly Checklist[] = [
  serverOptions,
  listenOptions,
  tlsOptions,
  largeOptions,
  redisOptions,
  streamOptions,
]
