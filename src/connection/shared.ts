// What connections share: the parts of their server, and what holds for their route. It is put together here, and only
// here.
import { routeQuantities } from '../checks/quantities.js'
import { type Codec, codecOfThread, type Heap, heapOfThread } from '../codec/codec.js'
import { Budget } from '../memory/budget.js'
import { Counts } from '../metrics/counts.js'
import type { Pool } from '../pool/pool.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import { Deadlines, ticksOf } from '../time/deadlines.js'
import { Callbacks } from './callbacks.js'
import type { Connection } from './connection.js'
import type { Agreed } from './deflateAgreements.js'
import type { ConnectionLimits, Handlers, OutputPolicy } from './handlers.js'
import { type Encoder, encoderOfThread } from './sending/encoder.js'
import { type Slices, slicesOfThread } from './slices.js'
import type { Publisher } from './subscriber.js'
import { type Turn, turnOfThread } from './turn.js'
import type { TimeLimits } from './vitals.js'
import { Work } from './work.js'

/** What an accepted opening handshake says about the connection. */
export interface Opening<Data> {
  readonly request: UpgradeRequest
  readonly data: Data
  readonly protocol: string
  /** How messages are compressed, if that was agreed on. */
  readonly deflate?: Agreed | undefined
  /** Until when the connection may stay, in milliseconds since 1970. */
  readonly expiresAt?: number | undefined
}

/** Where large messages go. */
export interface LargeRoute<Data> {
  readonly pool: Pool
  /** What the module gets with a message: anything that can be cloned. */
  context(connection: Connection<Data>): unknown
}

/** What all connections of a server share. */
export interface ServerParts<Data> {
  readonly codec: Codec
  readonly heap: Heap
  /** Frames what is sent, as the side of the connection that this is. */
  readonly encoder: Encoder
  readonly turn: Turn
  readonly slices: Slices
  readonly budget: Budget
  readonly deadlines: Deadlines
  /** The server's topics. */
  readonly topics: Publisher
  /** Every connection of the server that is not closed. */
  readonly connections: Set<Connection<unknown>>
  /** Handlers' promises that are pending. */
  readonly work: Work
  /** What is counted of all connections. */
  readonly counts: Counts
  /** Called after the last handler of a connection. */
  closed(connection: Connection<Data>): void
}

/** What a route says of its connections. */
export interface RouteSettings<Data> {
  readonly limits: ConnectionLimits
  readonly outputPolicy: OutputPolicy
  /** The pool for large messages, and what it is told of their connections. */
  readonly large: LargeRoute<Data> | undefined
  /** Payload bytes above which messages go to the `stream` handler. */
  readonly streamThreshold: number | undefined
  /** What happens to the rest of a message when its reader leaves the stream early. */
  readonly streamLeft: 'drain' | 'fail'
}

/** What all connections of a route share. */
export interface RouteContext<Data> extends ServerParts<Data>, RouteSettings<Data> {
  readonly handlers: Handlers<Data>
  readonly callbacks: Callbacks<Data>
  /** The limits of time, in ticks of the deadlines. */
  readonly times: TimeLimits
}

/** The parts of a server. All but those in `own` belong to the thread; so do the slices and the encoder, unless `own` has others. */
export function openServer<Data>(
  own: Pick<ServerParts<Data>, 'budget' | 'deadlines' | 'topics' | 'closed'> &
    Partial<Pick<ServerParts<Data>, 'slices' | 'encoder' | 'counts'>>,
): ServerParts<Data> {
  const [codec, heap, turn, slices] = [codecOfThread(), heapOfThread(), turnOfThread(), slicesOfThread()]
  return {
    codec,
    heap,
    encoder: encoderOfThread('server'),
    turn,
    slices,
    connections: new Set(),
    work: new Work(),
    counts: new Counts(),
    ...own,
  }
}

/** Makes what the connections of a route share, and tells the budget how long the route's messages may be. */
export function openRoute<Data>(
  parts: ServerParts<Data>,
  handlers: Handlers<Data>,
  settings: RouteSettings<Data>,
): RouteContext<Data> {
  const { limits, outputPolicy, large, streamThreshold, streamLeft } = settings
  parts.budget.serve(streamThreshold ?? limits.maxMessage)
  const times = {
    pingInterval: ticksOf(limits.pingInterval),
    idleTimeout: ticksOf(limits.idleTimeout),
    pauseTimeout: ticksOf(limits.pauseTimeout),
    maxLifetime: ticksOf(limits.maxLifetime),
  }
  const { codec, heap, encoder, turn, slices, budget, deadlines } = parts
  const { topics, connections, work, counts, closed } = parts
  const callbacks = new Callbacks(handlers, parts)
  // Written out: V8 gives each object that is spread into so many properties a shape of its own, which costs more than they do.
  return {
    codec,
    heap,
    encoder,
    turn,
    slices,
    budget,
    deadlines,
    topics,
    connections,
    work,
    counts,
    closed,
    limits,
    outputPolicy,
    large,
    streamThreshold,
    streamLeft,
    handlers,
    callbacks,
    times,
  }
}

/** The budget of a server, and the deadlines of its connections, which look after the payloads that must not stop. */
export function openBudget(bytes: number): Pick<ServerParts<unknown>, 'budget' | 'deadlines'> {
  const budget = new Budget(bytes, 0, () => deadlines.start())
  const deadlines: Deadlines = new Deadlines((now) => {
    budget.stalls.check(now)
    return budget.stalls.watched > 0
  })
  return { budget, deadlines }
}

/** Bytes above which messages go to the `stream` handler; undefined without one. */
export function streamThresholdOf(
  { stream, streamThreshold }: { readonly stream?: unknown; readonly streamThreshold?: number },
  maxMessage: number,
): number | undefined {
  if (stream === undefined) return undefined
  return Math.min(streamThreshold ?? routeQuantities.streamThreshold.byDefault, maxMessage)
}
