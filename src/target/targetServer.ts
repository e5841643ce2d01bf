// The server of a target: routes and HTTP answers, made from the table of paths.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from '../cluster/createServer.js'
import type { Server } from '../cluster/server.js'
import { readTarget } from '../protocol/requestTarget.js'
import { Routes } from '../server/admission/routes.js'
import { defaultLimits, type Route, route } from '../server/options.js'
import { defaultBounds } from './bounds.js'
import { say } from './httpAnswer.js'
import { listOf } from './listing.js'
import { asking, type Need } from './need.js'
import type { TargetPath } from './path.js'
import { targetPaths } from './paths.js'
import { Pushers } from './pushers.js'
import type { TargetContext } from './targetContext.js'
import type { ServedOptions } from './targetOptions.js'
import { Visits } from './visits.js'

/** A target's server, and what its paths share. */
export class TargetServer implements TargetContext {
  readonly bounds: TargetContext['bounds']
  readonly allows: ReadonlySet<Need>
  readonly showSecrets: boolean
  readonly pushers: Pushers
  readonly visits = new Visits()
  readonly server: Server
  draining = false
  readonly #paths: Routes<TargetPath>

  constructor(options: ServedOptions = {}) {
    this.bounds = { ...defaultBounds, ...options.bounds }
    this.allows = needsMet(options)
    this.showSecrets = options.showSecrets ?? false
    this.pushers = new Pushers(this.bounds.pushers)
    this.#paths = new Routes(Object.fromEntries(targetPaths.map((path) => [path.path, path])))
    this.server = this.#open(options)
  }

  #open({ limits = {}, broker, deflate = false }: ServedOptions): Server {
    const { maxConnections = defaultLimits.maxConnections } = limits
    return createServer({
      maxConnectionsPerAddress: maxConnections, // all of the load comes from one machine
      ...limits,
      deflate,
      ...(broker === undefined ? {} : { broker }),
      routes: this.#routes(),
      upgrade: () => ({ status: 404, body: this.#unknown }), // a path without a route
      request: (request, response) => this.#answer(request, response),
    })
  }

  #routes(): Record<string, Route> {
    const routes = targetPaths.map((path): [string, Route][] => {
      const made = this.#closed(path) === undefined ? path.route?.(this) : closedRoute(this.#closed(path) ?? '')
      return made === undefined ? [] : [[path.path, made]]
    })
    return Object.fromEntries(routes.flat())
  }

  /** Why a path does not answer here; undefined if it does. */
  #closed({ path, needs }: TargetPath): string | undefined {
    if (needs === undefined || this.allows.has(needs)) return undefined
    return `${path} answers only where the target was started with ${asking[needs]}\n`
  }

  get #unknown(): string {
    return `Not found. There is:\n\n${listOf(targetPaths, this)}`
  }

  #answer(request: IncomingMessage, response: ServerResponse): unknown {
    const { method, url = '' } = request
    if (method !== 'GET' && method !== 'HEAD') return say(response, 405, 'Method not allowed\n', { Allow: 'GET, HEAD' })
    const { path } = readTarget(url)
    const found = this.#paths.find(path)?.value
    if (found === undefined) return say(response, 404, this.#unknown)
    const closed = this.#closed(found)
    if (closed !== undefined) return say(response, 403, closed)
    if (found.answer !== undefined) return found.answer(request, response, this)
    return say(response, 426, `${found.path} is for WebSockets: it ${found.about}\n`, { Upgrade: 'websocket' })
  }
}

function closedRoute(body: string): Route {
  return route({ upgrade: () => ({ status: 403, body }) })
}

function needsMet({ faults = true, admin = true, allowCorrupt = false }: ServedOptions): ReadonlySet<Need> {
  const met: readonly (readonly [Need, boolean])[] = [
    ['faults', faults],
    ['admin', admin],
    ['corrupt', allowCorrupt],
  ]
  return new Set(met.flatMap(([need, is]) => (is ? [need] : [])))
}
