// Makes a path of the target that serves WebSockets by parameters: reads them, keeps a place among the pushers where the
// path needs one, and tells each visitor of what happens on its own connection.
import type { Connection } from '../connection/connection.js'
import type { Message } from '../connection/message.js'
import type { MessageStream } from '../connection/receiving/messageStream.js'
import type { LargeOptions } from '../pool/pool.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import { type Acceptance, type Rejection, Route, type RouteOptions } from '../server/options.js'
import type { Transport } from '../transport/transport.js'
import { type Parameters, readParameters, type ValuesOf } from './parameters.js'
import type { PathDescription, TargetPath } from './path.js'
import type { TargetContext } from './targetContext.js'
import { Wire } from './wire.js'

/** One connection to a path, with what it was asked for. */
export interface Visit<Values> {
  readonly connection: Connection
  readonly values: Values
  readonly context: TargetContext
}

/** A visit whose bytes the path may spoil. */
export interface WiredVisit<Values> extends Visit<Values> {
  readonly wire: Wire
}

/** What a path does about what happens on one connection. */
export interface Visitor {
  message?(message: Message): unknown
  /** The same for messages that arrive piece by piece, on a path that streams. */
  stream?(message: MessageStream): unknown
  /** What was buffered has left: more may be sent. */
  drained?(): void
  /** The connection has ended: timers must be gone. */
  left?(): void
}

type Settings = Pick<
  RouteOptions,
  'pendingHandlers' | 'pauseTimeout' | 'idleTimeout' | 'pingInterval' | 'deflate' | 'streamThreshold'
> & { readonly large?: LargeOptions }

export interface SocketPath<Given extends Parameters> extends PathDescription {
  readonly parameters: Given
  /** Whether a visit takes one of the places of the pushers. */
  readonly pushes?: boolean
  /** Whether messages are handed over while they arrive. */
  readonly streams?: boolean
  /** Options of the route that are not those of the server. */
  readonly settings?: Settings
  /** What else the answer to the request says; a refusal takes the place of the visit. */
  decide?(request: UpgradeRequest, values: ValuesOf<Given>): Rejection | { readonly protocol?: string }
  /** Begins a visit, when the connection has opened. */
  visit?(visit: Visit<ValuesOf<Given>>): Visitor
  /** The same for a path that spoils what the transport does. */
  spoil?(visit: WiredVisit<ValuesOf<Given>>): Visitor
}

interface Data<Values> {
  wire: Wire | undefined
  readonly values: Values
  visitor: Visitor | undefined
  leave: (() => void) | undefined
}

export function socketPath<Given extends Parameters>(made: SocketPath<Given>): TargetPath {
  return {
    ...made,
    route(context) {
      const options = optionsOf(made, context)
      return new Route(options, made.spoil === undefined ? { trusted: true } : { trusted: true, interposed: interpose })
    },
  }
}

function optionsOf<Given extends Parameters>(
  made: SocketPath<Given>,
  context: TargetContext,
): RouteOptions<Data<ValuesOf<Given>>> {
  const { settings, pushes, streams } = made
  return {
    ...(pushes === true ? { maxLifetime: context.bounds.time } : {}),
    ...settings,
    ...(streams === true ? { stream: ({ data }, message) => data.visitor?.stream?.(message) } : {}),
    upgrade: (request) => answerTo(request, made, context),
    open: (connection) => begin(connection, made, context),
    message: ({ data }, message) => data.visitor?.message?.(message),
    drain: ({ data }) => data.visitor?.drained?.(),
    close({ data }, code, reason) {
      context.visits.ended(made.path, code, reason)
      data.leave?.()
      data.visitor?.left?.()
    },
  }
}

function interpose(transport: Transport, data: unknown): Transport {
  const wire = new Wire(transport)
  ;(data as Data<unknown>).wire = wire
  return wire
}

function answerTo<Given extends Parameters>(
  request: UpgradeRequest,
  { path, parameters, pushes, decide }: SocketPath<Given>,
  { bounds, pushers }: TargetContext,
): Rejection | Acceptance<Data<ValuesOf<Given>>> {
  if (pushes === true && pushers.full) return { status: 503, body: `${crowded(pushers.most)}\n` }
  const values = readParameters(path, parameters, request.query, bounds)
  if (typeof values === 'string') return { status: 400, body: `${values}\n` }
  const more = decide?.(request, values) ?? {}
  if ('status' in more) return more
  return { ...more, data: { values, wire: undefined, visitor: undefined, leave: undefined } }
}

/** The place is taken only now: between the answer and this, the connection may have been refused, or lost. */
function begin<Given extends Parameters>(
  connection: Connection<Data<ValuesOf<Given>>>,
  { path, pushes, visit, spoil }: SocketPath<Given>,
  context: TargetContext,
): void {
  const { data } = connection
  context.visits.count(path, connection)
  if (pushes === true) {
    data.leave = context.pushers.take()
    if (data.leave === undefined) return connection.close(1013, crowded(context.pushers.most))
  }
  const begun = { connection: connection as Connection, values: data.values, context }
  data.visitor = data.wire === undefined ? visit?.(begun) : spoil?.({ ...begun, wire: data.wire })
}

function crowded(most: number): string {
  return `this target pushes to ${most} ${most === 1 ? 'connection' : 'connections'} at once, and not to more`
}
