// One path of the target, as its table has it: what it is, what it may be asked for, what it needs, and who serves it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Route } from '../server/options.js'
import type { Need } from './need.js'
import type { Parameters } from './parameters.js'
import type { TargetContext } from './targetContext.js'

/** What a person reads of a path. */
export interface PathDescription {
  /** As a route: `/topics/:topic`. */
  readonly path: string
  /** What it does, in a line. */
  readonly about: string
  /** The target of a request that shows its parameters. */
  readonly example: string
  /** What a right client does there. */
  readonly client: string
  readonly parameters: Parameters
  readonly needs?: Need
}

export interface TargetPath extends PathDescription {
  /** Makes the route that serves WebSockets here; a path without one is for plain HTTP. */
  route?(context: TargetContext): Route
  /** Answers GET and HEAD here. Without it, the answer says that this path is for WebSockets. */
  answer?(request: IncomingMessage, response: ServerResponse, context: TargetContext): unknown
}
