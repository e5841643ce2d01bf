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
  /** What the peer gets at the limit: a close code and the code of the error, or an HTTP status. */
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
    atLimit: 'the message is refused when its header arrives, before its payload is read',
    answer: '1009 `MESSAGE_TOO_LONG`',
    help: 'longest message; a longer one ends with 1009',
  },
  maxFragments: {
    unit: 'count',
    byDefault: 131_072,
    least: 1,
    counted: 'frames per message',
    atLimit: 'the connection is closed',
    answer: '1008 `TOO_MANY_FRAGMENTS`',
    help: 'frames per message',
  },
  messageRate: {
    unit: 'count',
    byDefault: 0,
    least: 0,
    counted: 'messages per second',
    zero: 'no limit',
    atLimit: 'the connection is closed',
    answer: '1008 `MESSAGE_RATE`',
    help: 'messages per second and client; 0 is any',
  },
  byteRate: {
    unit: 'bytes',
    byDefault: 0,
    least: 0,
    counted: 'payload bytes per second',
    zero: 'no limit',
    atLimit: 'the connection is closed',
    answer: '1008 `BYTE_RATE`',
    help: 'payload bytes per second and client; 0 is any',
  },
  outputLimit: {
    unit: 'bytes',
    byDefault: MIB,
    least: 0,
    counted: 'bytes',
    zero: 'any output that waits',
    atLimit: '`outputPolicy` decides, see below',
    answer: '',
    help: 'unread output above which a client is paused',
  },
  outputCeiling: {
    unit: 'bytes',
    byDefault: 64 * MIB,
    least: 0,
    counted: 'bytes',
    zero: 'any output that waits',
    atLimit: 'the next `send` ends the connection without a Close frame',
    answer: '1006',
    help: 'unread output above which a client is cut off',
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
    help: 'topics per client',
  },
  pingInterval: {
    unit: 'ms',
    byDefault: 30_000,
    least: 0,
    counted: 'ms of silence',
    zero: 'no pings',
    atLimit: 'the client is sent a ping',
    answer: '',
    help: 'ping a client after this much silence',
  },
  idleTimeout: {
    unit: 'ms',
    byDefault: 120_000,
    least: 0,
    counted: 'ms of silence',
    zero: 'no limit',
    atLimit: 'the connection is closed',
    answer: '1008 `IDLE`',
    help: 'close a connection after this much silence\nfrom the client, even if it was pinged',
  },
  pauseTimeout: {
    unit: 'ms',
    byDefault: 60_000,
    least: 0,
    counted: 'ms without reading',
    zero: 'no limit',
    atLimit: 'the connection is closed',
    answer: '1008 `UNREAD`',
    help: 'how long a client may leave its output unread',
  },
  payloadTimeout: {
    unit: 'ms',
    byDefault: 30_000,
    least: 0,
    counted: 'ms without a byte of an unfinished large message',
    zero: 'no limit',
    atLimit: 'the connection is closed',
    answer: '1008 `PAYLOAD_STALLED`',
    help: 'how long a large message may stop arriving',
  },
  maxLifetime: {
    unit: 'ms',
    byDefault: 0,
    least: 0,
    counted: 'ms',
    zero: 'no limit',
    atLimit: 'the connection is closed',
    answer: '1001, no error',
    help: 'close a connection at this age',
  },
  closeTimeout: {
    unit: 'ms',
    byDefault: 10_000,
    least: 0,
    counted: 'ms',
    zero: 'no limit',
    atLimit: 'the TCP connection is ended',
    answer: '',
    help: 'how long a client may take to answer Close',
  },
} as const satisfies Readonly<Record<string, Limit>>

const MAX_CONNECTIONS = 100_000

/** The share of all connections that one address may have by default; the rest is kept for other addresses. */
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
    counted: 'bytes of all connections',
    zero: 'one message at a time',
    atLimit: 'messages that arrive wait; the connections that hold the most of everything else are ended',
    answer: '1008 `OUTPUT_FULL` or `PAYLOAD_STALLED`, 1013 `MEMORY_SPENT`',
    help: 'memory for all that clients make it hold',
  },
  maxConnections: {
    unit: 'count',
    byDefault: MAX_CONNECTIONS,
    least: 0,
    counted: 'connections',
    zero: 'no connection',
    atLimit: 'further ones are refused',
    answer: '503',
    help: 'connections at once; further ones get 503',
  },
  maxConnectionsPerAddress: {
    unit: 'count',
    byDefault: shareOf(MAX_CONNECTIONS),
    least: 0,
    counted: 'connections; by default 7/8 of `maxConnections`, rounded up',
    zero: 'no connection',
    atLimit: 'further ones are refused',
    answer: '429',
  },
  maxTopics: {
    unit: 'count',
    byDefault: 1_000_000,
    least: 1,
    counted: 'topics',
    atLimit: '`subscribe` throws',
    answer: '',
    help: 'topics of all clients together',
  },
  maxHeaderSize: {
    unit: 'bytes',
    byDefault: 16 * KIB,
    least: 1,
    counted: 'bytes',
    atLimit: 'the request is refused',
    answer: '431',
    help: 'longest request head; a longer one gets 431',
  },
  handshakeTimeout: {
    unit: 'ms',
    byDefault: 10_000,
    least: 0,
    counted: 'ms from the beginning of the connection to the answer of `upgrade`',
    zero: 'no limit',
    atLimit:
      'a silent connection is closed, and an unfinished head is refused; `request.signal` is aborted, and `upgradeFailed` is called',
    answer: 'none, 408, 503',
    help: 'how long the opening handshake may take',
  },
  requestTimeout: {
    unit: 'ms',
    byDefault: 300_000,
    least: 0,
    counted: 'ms for a whole HTTP request that is no upgrade',
    zero: 'no limit',
    atLimit: 'the request is refused',
    answer: '408',
    help: 'how long an HTTP request may take to arrive',
  },
  keepAliveTimeout: {
    unit: 'ms',
    byDefault: 65_000,
    least: 0,
    counted: 'ms between two HTTP requests of a connection',
    zero: 'no limit',
    atLimit: 'the connection is ended',
    answer: 'none',
    help: 'how long an idle HTTP connection stays open',
  },
  maxStreams: {
    unit: 'count',
    byDefault: 256,
    least: 1,
    counted: 'streams of an HTTP/2 session at once: WebSockets and requests',
    atLimit: 'further ones are refused; clients open another session',
    answer: 'RST_STREAM with REFUSED_STREAM',
    help: 'streams of an HTTP/2 session at once',
  },
} as const satisfies Readonly<Record<string, Limit>>

/** All limits that `createServer` takes. */
export const limits = { ...connectionLimits, ...serverLimits }
