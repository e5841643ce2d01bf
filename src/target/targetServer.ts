// The server of a target, or of its admin port: routes and HTTP answers, made from a table of paths.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from '../cluster/createServer.js'
import type { Server } from '../cluster/server.js'
import { readTarget } from '../protocol/requestTarget.js'
import { Routes } from '../server/admission/routes.js'
import { defaultLimits, type Route, route } from '../server/options.js'
import { say } from './httpAnswer.js'
import { listOf } from './listing.js'
import { asking } from './need.js'
import type { TargetPath } from './path.js'
import type { TargetContext } from './targetContext.js'
import type { ServedOptions } from './targetOptions.js'

/** A server for these paths. `context` may be complete only later, when the first request comes. */
export function serverFor(paths: readonly TargetPath[], context: TargetContext, options: ServedOptions): Server {
  const { limits = {}, broker, deflate = false } = options
  const { maxConnections = defaultLimits.maxConnections } = limits
  const unknown = (): string => `Not found. There is:\n\n${listOf(paths, context)}`
  return createServer({
    maxConnectionsPerAddress: maxConnections, // all of the load comes from one machine
    ...limits,
    deflate,
    ...(broker === undefined ? {} : { broker }),
    routes: routesFor(paths, context),
    upgrade: () => ({ status: 404, body: unknown() }), // a path without a route
    request: answering(paths, context, unknown),
  })
}

function routesFor(paths: readonly TargetPath[], context: TargetContext): Record<string, Route> {
  const routes: Record<string, Route> = {}
  for (const path of paths) {
    const closed = closedBy(path, context)
    const made = closed === undefined ? path.route?.(context) : closedRoute(closed)
    if (made !== undefined) routes[path.path] = made
  }
  return routes
}

/** Why a path does not answer here; undefined if it does. */
function closedBy({ path, needs }: TargetPath, { allows }: TargetContext): string | undefined {
  if (needs === undefined || allows.has(needs)) return undefined
  return `${path} answers only where the target was started with ${asking[needs]}\n`
}

function closedRoute(body: string): Route {
  return route({ upgrade: () => ({ status: 403, body }) })
}

/** Answers plain HTTP. */
function answering(
  paths: readonly TargetPath[],
  context: TargetContext,
  unknown: () => string,
): (request: IncomingMessage, response: ServerResponse) => unknown {
  const routes = new Routes(Object.fromEntries(paths.map((path) => [path.path, path])))
  return (request, response) => {
    const { method, url = '' } = request
    if (method !== 'GET' && method !== 'HEAD') return say(response, 405, 'Method not allowed\n', { Allow: 'GET, HEAD' })
    const found = routes.find(readTarget(url).path)?.value
    if (found === undefined) return say(response, 404, unknown())
    const closed = closedBy(found, context)
    if (closed !== undefined) return say(response, 403, closed)
    if (found.answer !== undefined) return found.answer(request, response, context)
    return say(response, 426, `${found.path} is for WebSockets: it ${found.about}\n`, { Upgrade: 'websocket' })
  }
}
