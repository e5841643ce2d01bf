// Makes a path of the target that serves WebSockets by parameters: reads them, keeps a place among the pushers where the
// path needs one, and tells each visitor of what happens on its own connection.
import type { Connection } from '../connection/connection.js'
import type { Message } from '../connection/message.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import { type Rejection, type RouteOptions, route } from '../server/options.js'
import { type Parameters, readParameters, type ValuesOf } from './parameters.js'
import type { PathDescription, TargetPath } from './path.js'
import type { TargetContext } from './targetContext.js'

/** One connection to a path, with what it was asked for. */
export interface Visit<Values> {
  readonly connection: Connection
  readonly values: Values
  readonly context: TargetContext
}

/** What a path does about what happens on one connection. */
export interface Visitor {
  message?(message: Message): unknown
  /** What was buffered has left: more may be sent. */
  drained?(): void
  /** The connection has ended: timers must be gone. */
  left?(): void
}

export interface SocketPath<Given extends Parameters> extends PathDescription {
  readonly parameters: Given
  /** Whether a visit takes one of the places of the pushers. */
  readonly pushes?: boolean
  /** Limits of the route that are not those of the server. */
  readonly settings?: Pick<RouteOptions, 'maxMessage' | 'pendingHandlers' | 'pauseTimeout' | 'idleTimeout' | 'deflate'>
  /** Begins a visit, when the connection has opened. */
  visit(visit: Visit<ValuesOf<Given>>): Visitor
}

interface Data<Values> {
  readonly values: Values
  visitor: Visitor | undefined
  leave: (() => void) | undefined
}

export function socketPath<Given extends Parameters>(made: SocketPath<Given>): TargetPath {
  return {
    ...made,
    route: (context) =>
      route<Data<ValuesOf<Given>>>({
        ...made.settings,
        upgrade: (request) => answerTo(request, made, context),
        open: (connection) => begin(connection, made, context),
        message: ({ data }, message) => data.visitor?.message?.(message),
        drain: ({ data }) => data.visitor?.drained?.(),
        close({ data }) {
          data.leave?.()
          data.visitor?.left?.()
        },
      }),
  }
}

function answerTo<Given extends Parameters>(
  { query }: UpgradeRequest,
  { path, parameters, pushes }: SocketPath<Given>,
  { bounds, pushers }: TargetContext,
): Rejection | { data: Data<ValuesOf<Given>> } {
  if (pushes === true && pushers.full) return { status: 503, body: `${crowded(pushers.most)}\n` }
  const values = readParameters(path, parameters, query, bounds)
  if (typeof values === 'string') return { status: 400, body: `${values}\n` }
  return { data: { values, visitor: undefined, leave: undefined } }
}

/** The place is taken only now: between the answer and this, the connection may have been refused, or lost. */
function begin<Given extends Parameters>(
  connection: Connection<Data<ValuesOf<Given>>>,
  { path, pushes, visit }: SocketPath<Given>,
  context: TargetContext,
): void {
  const { data } = connection
  context.visits.count(path)
  if (pushes === true) {
    data.leave = context.pushers.take()
    if (data.leave === undefined) return connection.close(1013, crowded(context.pushers.most))
  }
  data.visitor = visit({ connection: connection as Connection, values: data.values, context })
}

function crowded(most: number): string {
  return `this target pushes to ${most} ${most === 1 ? 'connection' : 'connections'} at once, and not to more`
}
