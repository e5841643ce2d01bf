// Every option there is, with its kind: one table for each object of options. A new option is a line here; a test compares
// the tables with the types.
import { dhParameters, origins, pem, pkcs12, protocols, proxies } from './addresses.js'
import { type Checklist, callback, either, flag, type Kind, object, oneOf, port, text, wholeNumber } from './kinds.js'
import { connectionLimits, serverLimits } from './limits.js'
import {
  clientQuantities,
  closeQuantities,
  clusterQuantities,
  deflateQuantities,
  largeQuantities,
  type Quantity,
  reconnectQuantities,
  redisQuantities,
  routeQuantities,
  windowQuantities,
} from './quantities.js'

type Table = Readonly<Record<string, Kind>>

/** A limit of node:tls, whose bounds are for node:tls to tell. */
const limit = wholeNumber(0)

/** The kinds of the numbers of a table. */
function numbers<Name extends string>(table: Readonly<Record<Name, Quantity>>): Readonly<Record<Name, Kind>> {
  const kinds = Object.entries<Quantity>(table).map(([name, { least, most }]) => [name, wholeNumber(least, most)])
  return Object.fromEntries(kinds) as Record<Name, Kind>
}

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

export const contextOptions = {
  owner: 'the option deflate.contextTakeover',
  prefix: 'deflate.contextTakeover.',
  example: (name: string) => `deflate: { contextTakeover: { ${name} } }`,
  options: { server: flag, client: flag },
} satisfies Checklist

const windows = numbers(windowQuantities)

export const windowOptions = {
  owner: 'the option deflate.windowBits',
  prefix: 'deflate.windowBits.',
  example: (name: string) => `deflate: { windowBits: { ${name} } }`,
  options: windows,
} satisfies Checklist

export const deflateOptions = {
  owner: 'the option deflate',
  prefix: 'deflate.',
  example: (name: string) => `deflate: { ${name} }`,
  options: {
    contextTakeover: either(flag, object('an object: { server, client }', contextOptions)),
    windowBits: either(windows.server, object('an object: { server, client }', windowOptions)),
    ...numbers(deflateQuantities),
  },
} satisfies Checklist

/** What `deflate` may be. */
export const deflate = either(flag, object('an object: { contextTakeover, windowBits, threshold }', deflateOptions))

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

export const reconnectOptions = {
  owner: 'the option reconnect',
  prefix: 'reconnect.',
  example: (name: string) => `reconnect: { ${name} }`,
  options: numbers(reconnectQuantities),
} satisfies Checklist

/** Those that people give for a client; node:tls may know more. */
const clientTls = { ...tlsOptions, example: (name: string) => `connect(url, { tls: { ${name} } })` } satisfies Checklist

const url: Kind = {
  words: 'an address: a string or a URL',
  is: (value) => typeof value === 'string' || value instanceof URL,
  secret: true, // it may hold a password
}

export const clientOptions = {
  owner: 'connect',
  prefix: '',
  example: (name: string) => `connect(url, { ${name} })`,
  options: {
    ...handlers,
    ...numbers(connectionLimits),
    ...numbers(routeQuantities),
    ...numbers(clientQuantities),
    handshakeTimeout: numbers(serverLimits).handshakeTimeout,
    data: { words: 'anything', is: () => true },
    protocols,
    headers: object("an object: { Authorization: 'Bearer ...' }"),
    cookies: object('an object: { name: value }'),
    origin: text,
    signal: { words: 'an AbortSignal', is: (value) => value instanceof AbortSignal },
    tls: object('an object of options for tls.connect', clientTls),
    unix: text,
    localAddress: text,
    lookup: callback,
    proxy: url,
    deflate,
    outputPolicy: oneOf('pause', 'drop', 'close'),
    streamLeft: oneOf('drain', 'fail'),
    publicApi: flag,
    upgrade: callback,
    reconnect: either(flag, object('an object: { delay, maxDelay, attempts, buffer }', reconnectOptions)),
    reconnecting: callback,
    reconnected: callback,
  },
  own: true,
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
  streamOptions,
]
