// Every option of `connect`, with its kind: a test compares the table with the type.
import { protocols } from './addresses.js'
import { deflate, handlers, numbers } from './commonTables.js'
import { type Checklist, callback, either, flag, type Kind, object, oneOf, text } from './kinds.js'
import { connectionLimits, serverLimits } from './limits.js'
import { clientQuantities, reconnectQuantities, routeQuantities } from './quantities.js'
import { tlsOptions } from './tlsTable.js'

/** A client has no pool for large messages. */
const { largeResult: _, refresh: __, leftOut: ___, ...clientHandlers } = handlers

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
    ...clientHandlers,
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
    http2: either(flag, oneOf('auto')),
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

/** What `connectTopics` may be told besides. */
export const topicClientOptions = {
  ...clientOptions,
  owner: 'connectTopics',
  example: (name: string) => `connectTopics(url, { ${name} })`,
  options: { ...clientOptions.options, publication: callback, gap: callback },
} satisfies Checklist

/** What the WebSocket of browsers may be told: events stand in the place of handlers, and it does not connect again. */
const { data, outputPolicy, streamLeft, publicApi, upgrade, reconnect, reconnecting, reconnected, ...reach } =
  clientOptions.options
const ofConnect: readonly string[] = [...Object.keys(clientHandlers), ...Object.keys(numbers(routeQuantities))]

export const webSocketOptions = {
  owner: 'WebSocket',
  prefix: '',
  example: (name: string) => `new WebSocket(url, { ${name} })`,
  options: Object.fromEntries(Object.entries(reach).filter(([name]) => !ofConnect.includes(name))),
  own: true,
} satisfies Checklist
