// Every limit of a server and of its connections, once: its unit, its default, the least it may be, and the words of the
// documents and of the command line. The checks of options, the defaults, `millrace --help` and docs/limits.md are read
// from here; the docstrings of the interfaces say the same, and a test compares them.
import type { Quantity } from './quantities.js'

/** A limit of a server, or of its connections. */
export interface Limit extends Quantity {
  readonly byDefault: number
  /** What is counted, for the documents: "ms of silence". */
  readonly counted: string
  /** What 0 means; absent where 0 is not allowed. */
  readonly zero?: string
  /** What happens at the limit. */
  readonly atLimit: string
  /** What the peer gets then: a close code and the code of the error, or an HTTP status. */
  readonly answer: string
  /** What the command line says of it; absent where the command has no such option. */
  readonly help?: string
}

const KIB = 1024
const MIB = 1024 * 1024

/** Limits of each connection: of a server, or of one route. */
export const connectionLimits = {
  maxMessage: {
    unit: 'bytes',
    byDefault: 16 * MIB,
    least: 0,
    counted: 'bytes',
    zero: 'only empty messages',
    atLimit: 'refused at the header that passes it, before the payload is read',
    answer: '1009 `MESSAGE_TOO_LONG`',
    help: 'longest message; longer ones end with 1009',
  },
  maxFragments: {
    unit: 'count',
    byDefault: 131_072,
    least: 1,
    counted: 'frames',
    atLimit: 'refused',
    answer: '1008 `TOO_MANY_FRAGMENTS`',
    help: 'frames of one message',
  },
  messageRate: {
    unit: 'count',
    byDefault: 0,
    least: 0,
    counted: 'messages a second',
    zero: 'any',
    atLimit: 'refused',
    answer: '1008 `MESSAGE_RATE`',
    help: 'messages a second, of one peer; 0 is any',
  },
  byteRate: {
    unit: 'bytes',
    byDefault: 0,
    least: 0,
    counted: 'payload bytes a second',
    zero: 'any',
    atLimit: 'refused',
    answer: '1008 `BYTE_RATE`',
    help: 'a second, of one peer; 0 is any',
  },
  outputLimit: {
    unit: 'bytes',
    byDefault: MIB,
    least: 0,
    counted: 'bytes',
    zero: 'any output that waits',
    atLimit: '`outputPolicy` decides, see below',
    answer: '',
    help: 'a peer that leaves more unread must read first',
  },
  outputCeiling: {
    unit: 'bytes',
    byDefault: 64 * MIB,
    least: 0,
    counted: 'bytes',
    zero: 'any output that waits',
    atLimit: 'the next `send` ends the connection, without Close',
    answer: '1006',
    help: 'a peer that leaves more unread is cut off',
  },
  pendingHandlers: {
    unit: 'count',
    byDefault: 256,
    least: 1,
    counted: 'promises',
    atLimit: 'reading pauses until half have settled',
    answer: '',
  },
  maxSubscriptions: {
    unit: 'count',
    byDefault: 1024,
    least: 1,
    counted: 'topics',
    atLimit: '`subscribe` throws',
    answer: '',
    help: 'topics of one peer',
  },
  pingInterval: {
    unit: 'ms',
    byDefault: 30_000,
    least: 0,
    counted: 'ms of silence',
    zero: 'never',
    atLimit: 'the peer is sent a ping',
    answer: '',
    help: 'of silence before a peer is sent a ping',
  },
  idleTimeout: {
    unit: 'ms',
    byDefault: 120_000,
    least: 0,
    counted: 'ms of silence',
    zero: 'for ever',
    atLimit: 'closed',
    answer: '1008 `IDLE`',
    help: 'of silence, whatever was sent, before the end',
  },
  pauseTimeout: {
    unit: 'ms',
    byDefault: 60_000,
    least: 0,
    counted: 'ms without reading',
    zero: 'for ever',
    atLimit: 'closed',
    answer: '1008 `UNREAD`',
    help: 'while a peer reads none of its echoes',
  },
  payloadTimeout: {
    unit: 'ms',
    byDefault: 30_000,
    least: 0,
    counted: 'ms without a byte of an unfinished large message',
    zero: 'for ever',
    atLimit: 'closed',
    answer: '1008 `PAYLOAD_STALLED`',
    help: 'without a byte of an unfinished large message',
  },
  maxLifetime: {
    unit: 'ms',
    byDefault: 0,
    least: 0,
    counted: 'ms',
    zero: 'for ever',
    atLimit: 'closed',
    answer: '1001, no error',
    help: 'of a connection',
  },
  closeTimeout: {
    unit: 'ms',
    byDefault: 10_000,
    least: 0,
    counted: 'ms',
    zero: 'for ever',
    atLimit: 'the TCP connection is ended',
    answer: '',
    help: 'for the answer to Close, and then for the end',
  },
} as const satisfies Readonly<Record<string, Limit>>

const MAX_CONNECTIONS = 100_000

/** What one address may have of all connections where nothing else is said; the rest is kept for others. */
const SHARE_OF_ADDRESS = 7 / 8

/** The default of `maxConnectionsPerAddress`. */
export function shareOf(maxConnections: number): number {
  return Math.ceil(maxConnections * SHARE_OF_ADDRESS)
}

/** Limits of a whole server. */
export const serverLimits = {
  payloadMemory: {
    unit: 'bytes',
    byDefault: 256 * MIB,
    least: 0,
    counted: 'bytes, of all connections',
    zero: 'one message at a time',
    atLimit: 'messages that arrive wait; those who hold the most of all else are ended',
    answer: '1008 `OUTPUT_FULL` or `PAYLOAD_STALLED`, 1013 `MEMORY_SPENT`',
    help: 'memory for large messages of all connections',
  },
  maxConnections: {
    unit: 'count',
    byDefault: MAX_CONNECTIONS,
    least: 0,
    counted: 'connections',
    zero: 'nobody',
    atLimit: 'refused',
    answer: '503',
    help: 'at once; more get 503',
  },
  maxConnectionsPerAddress: {
    unit: 'count',
    byDefault: shareOf(MAX_CONNECTIONS),
    least: 0,
    counted: 'connections; by default 7/8 of `maxConnections`, rounded up',
    zero: 'nobody',
    atLimit: 'refused',
    answer: '429',
  },
  maxTopics: {
    unit: 'count',
    byDefault: 1_000_000,
    least: 1,
    counted: 'topics',
    atLimit: '`subscribe` throws',
    answer: '',
    help: 'topics of all peers',
  },
  maxHeaderSize: {
    unit: 'bytes',
    byDefault: 16 * KIB,
    least: 1,
    counted: 'bytes',
    atLimit: 'refused',
    answer: '431',
    help: 'longest request head; longer ones get 431',
  },
  handshakeTimeout: {
    unit: 'ms',
    byDefault: 10_000,
    least: 0,
    counted: "ms, from the connection's beginning to the answer of `upgrade`",
    zero: 'for ever',
    atLimit:
      'a silent connection is closed, an unfinished head refused; `upgrade` is aborted and `upgradeFailed` called',
    answer: 'none, 408, 503',
    help: 'for the whole opening handshake',
  },
  requestTimeout: {
    unit: 'ms',
    byDefault: 300_000,
    least: 0,
    counted: 'ms, for a whole HTTP request that is no upgrade',
    zero: 'for ever',
    atLimit: 'refused',
    answer: '408',
    help: 'for a whole HTTP request, its body included',
  },
  keepAliveTimeout: {
    unit: 'ms',
    byDefault: 65_000,
    least: 0,
    counted: 'ms between two HTTP requests of a connection',
    zero: 'for ever',
    atLimit: 'the connection is ended',
    answer: 'none',
    help: 'between two HTTP requests of a connection',
  },
} as const satisfies Readonly<Record<string, Limit>>

/** All limits that `createServer` takes. */
export const limits = { ...connectionLimits, ...serverLimits }
