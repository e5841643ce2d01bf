// Every metric that a server keeps: one table, from which come the places of the counters, the object of
// `server.metrics()`, the names for Prometheus and the table of docs/metrics.md.
import { type ViolationName, violations } from '../protocol/violation.js'

/** The three forms of a payload length (RFC 6455, section 5.2). */
export const tiers = ['7bit', '16bit', '64bit'] as const

/** Which form of the payload length a message has: up to 125 bytes, up to 65,535 bytes, or more. */
export type Tier = (typeof tiers)[number]

export const opcodes = ['text', 'binary', 'close', 'ping', 'pong'] as const

/** What a message is, by the opcode of its first frame. */
export type Opcode = (typeof opcodes)[number]

/** The codes of RFC 6455, section 7.4, one by one; those of applications by their range, because a peer can choose any. */
export const closeLabels = [
  ...['1000', '1001', '1002', '1003', '1005', '1006', '1007', '1008', '1009', '1010', '1011', '1012', '1013', '1014'],
  ...['3000-3999', '4000-4999', 'other'],
] as const

/** The statuses that millrace itself answers a handshake with, and classes for those that an application chooses. */
export const statusLabels = [
  ...['101', '400', '401', '403', '404', '405', '408', '413', '414', '426', '429', '431', '500', '503'],
  ...['3xx', '4xx', '5xx'],
] as const

/** The bounds of the histograms, in seconds; what is longer counts under `+Inf`. */
export const bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5] as const

/** A counter never falls. A gauge does. A histogram counts observations by their length, in seconds. */
export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** What is known of a metric. */
export interface MetricFacts {
  /** Its name in Prometheus' format. */
  readonly name: string
  readonly kind: MetricKind
  /** What it counts, and in which unit, as a sentence. */
  readonly help: string
  /** Its labels, each with all of its values. */
  readonly labels: Readonly<Record<string, readonly string[]>>
}

/** Numbers by the form of the payload length, and by what the message is. */
export type ByTier = Readonly<Record<Tier, Readonly<Record<Opcode, number>>>>

/** How long something took, over all times that it was observed. */
export interface DurationHistogram {
  /** How often it took at most so many seconds, for several such bounds, the shortest first. */
  readonly buckets: readonly { readonly seconds: number; readonly count: number }[]
  /** How often it was observed. */
  readonly count: number
  /** What all observations took together, in seconds. */
  readonly sum: number
}

/**
 * What a server has counted, as `server.metrics()` resolves with it. Counters begin at 0 with the process and never
 * fall, also if acceptors die. Lengths are in bytes, and times in seconds. Messages and bytes are those that travel: if
 * a message is compressed, its length is that of the compressed payload.
 */
export interface Metrics {
  /** Connections that are not closed yet. */
  readonly connectionsOpen: number
  /** Connections that were opened. */
  readonly connectionsOpened: number
  /** Connections that have ended, by close code; `3000-3999` and `4000-4999` stand for all codes of applications. */
  readonly connectionsClosed: Readonly<Record<(typeof closeLabels)[number], number>>
  /** Opening handshakes by the HTTP status of the answer; 101 is an accepted one. */
  readonly handshakes: Readonly<Record<(typeof statusLabels)[number], number>>
  /** Messages and control frames that have come whole. */
  readonly messagesReceived: ByTier
  /** Payload bytes of these messages. */
  readonly bytesReceived: ByTier
  /** Messages and control frames that were given to connections to be written. */
  readonly messagesSent: ByTier
  /** Payload bytes of these messages. */
  readonly bytesSent: ByTier
  /** Connections that were failed, by the rule or limit that the client has broken. */
  readonly violations: Readonly<Record<ViolationName, number>>
  /** Handlers that threw, or whose promise rejected. */
  readonly handlerErrors: number
  /** Payload bytes of compressed messages without their compression. */
  readonly deflatePlain: Readonly<Record<'received' | 'sent', number>>
  /** Payload bytes of compressed messages as they travelled. */
  readonly deflateCompressed: Readonly<Record<'received' | 'sent', number>>
  /** Memory of output that clients have not taken yet. */
  readonly bufferedBytes: number
  /** Memory that clients make the server hold, output included. */
  readonly payloadMemory: number
  /** What `payloadMemory` never exceeds. */
  readonly payloadMemoryLimit: number
  /** Large messages that threads of the pool have finished, or failed. */
  readonly poolMessages: number
  /** Large messages that wait for a thread of the pool. */
  readonly poolQueue: number
  /** Large messages that threads of the pool work on. */
  readonly poolRunning: number
  /** How long large messages have waited for a thread. */
  readonly poolWait: DurationHistogram
  /** How long threads have worked on large messages, all together. */
  readonly poolBusy: number
  /** Topics that have subscribers. */
  readonly topics: number
  /** Subscriptions of all connections. */
  readonly subscriptions: number
  /** What was published to topics: here, or elsewhere and came by the broker. */
  readonly publications: Readonly<Record<'local' | 'broker', number>>
  /** Publications, each counted once for every subscriber that it had in its process. */
  readonly deliveries: number
  /** Deliveries that were left out, because the subscriber had not read what was sent before: by the output policy `'drop'`. */
  readonly leftOut: number
  /**
   * Publications of which the broker was given, has dropped, does not know what became of them (unconfirmed), has had
   * confirmed late, has brought, or knows to be missing.
   */
  readonly broker: Readonly<Record<'published' | 'dropped' | 'received' | 'missed' | 'unconfirmed' | 'late', number>>
  /** Publications that wait for the broker to confirm them. */
  readonly brokerQueued: number
  /** How late timers were: while the event loop is busy, clients wait as long. Observed from the first `metrics()` on. */
  readonly eventLoopDelay: DurationHistogram
  /** How long event loops have run code. */
  readonly eventLoopActive: number
  /** How long event loops have waited for something to do. */
  readonly eventLoopIdle: number
  /** CPU time of the processes, their threads included. */
  readonly cpu: Readonly<Record<'user' | 'system', number>>
  /** Memory that the processes hold. */
  readonly residentMemory: number
  /** Memory that their JavaScript objects take. */
  readonly heapUsed: number
  /** Acceptors that have died. */
  readonly acceptorDeaths: number
}

const none = {}
const direction = { direction: ['received', 'sent'] }
const frames = { tier: tiers, opcode: opcodes }

/** All metrics. Those of one label, or of two, have a number for each value of it. */
export const metricTable: Readonly<Record<keyof Metrics, MetricFacts>> = {
  connectionsOpen: gauge('connections_open', 'Connections that are not closed yet.'),
  connectionsOpened: counter('connections_opened', 'Connections that were opened.'),
  connectionsClosed: counter('connections_closed', 'Connections that have ended, by close code.', {
    code: closeLabels,
  }),
  handshakes: counter('handshakes', 'Opening handshakes, by the HTTP status of the answer.', { status: statusLabels }),
  messagesReceived: counter('messages_received', 'Messages and control frames that have come whole.', frames),
  bytesReceived: counter('received_bytes', 'Payload bytes of the messages that have come.', frames),
  messagesSent: counter('messages_sent', 'Messages and control frames that were given out to be written.', frames),
  bytesSent: counter('sent_bytes', 'Payload bytes of the messages that were given out.', frames),
  violations: counter('violations', 'Connections that were failed, by what the client has broken.', {
    violation: Object.keys(violations),
  }),
  handlerErrors: counter('handler_errors', 'Handlers that threw, or whose promise rejected.'),
  deflatePlain: counter('deflate_plain_bytes', 'Payload bytes of compressed messages without compression.', direction),
  deflateCompressed: counter('deflate_compressed_bytes', 'Payload bytes of compressed messages as sent.', direction),
  bufferedBytes: gauge('buffered_bytes', 'Memory of output that clients have not taken yet, in bytes.'),
  payloadMemory: gauge('payload_memory_bytes', 'Memory that clients make the server hold, in bytes.'),
  payloadMemoryLimit: gauge('payload_memory_limit_bytes', 'What the payload memory never exceeds, in bytes.'),
  poolMessages: counter('pool_messages', 'Large messages that threads of the pool have finished, or failed.'),
  poolQueue: gauge('pool_queue', 'Large messages that wait for a thread of the pool.'),
  poolRunning: gauge('pool_running', 'Large messages that threads of the pool work on.'),
  poolWait: histogram('pool_wait_seconds', 'How long large messages have waited for a thread, in seconds.'),
  poolBusy: counter('pool_busy_seconds', 'How long threads have worked on large messages, in seconds.'),
  topics: gauge('topics', 'Topics that have subscribers.'),
  subscriptions: gauge('subscriptions', 'Subscriptions of all connections.'),
  publications: counter('publications', 'What was published to topics, here or elsewhere.', {
    origin: ['local', 'broker'],
  }),
  deliveries: counter('deliveries', 'Publications, each counted once for every subscriber.'),
  leftOut: counter(
    'left_out',
    'Deliveries that were left out, because the subscriber had not read what was sent before.',
  ),
  broker: counter('broker_messages', 'Publications, by what has become of them at the broker.', {
    event: ['published', 'dropped', 'received', 'missed', 'unconfirmed', 'late'],
  }),
  brokerQueued: gauge('broker_queued', 'Publications that wait for the broker to confirm them.'),
  eventLoopDelay: histogram('event_loop_delay_seconds', 'How late timers of the event loop were, in seconds.'),
  eventLoopActive: counter('event_loop_active_seconds', 'How long event loops have run code, in seconds.'),
  eventLoopIdle: counter('event_loop_idle_seconds', 'How long event loops had nothing to do, in seconds.'),
  cpu: counter('cpu_seconds', 'CPU time of the serving processes, in seconds.', { mode: ['user', 'system'] }),
  residentMemory: gauge('resident_memory_bytes', 'Memory that the serving processes hold, in bytes.'),
  heapUsed: gauge('heap_used_bytes', 'Memory that JavaScript objects take, in bytes.'),
  acceptorDeaths: counter('acceptor_deaths', 'Acceptors that have died.'),
}

function counter(name: string, help: string, labels: MetricFacts['labels'] = none): MetricFacts {
  return { name: `millrace_${name}_total`, kind: 'counter', help, labels }
}

function gauge(name: string, help: string): MetricFacts {
  return { name: `millrace_${name}`, kind: 'gauge', help, labels: none }
}

function histogram(name: string, help: string): MetricFacts {
  return { name: `millrace_${name}`, kind: 'histogram', help, labels: none }
}
