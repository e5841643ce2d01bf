// The admin port of a target: the page, the paths about the target's health, and those that tell of the server. They
// tell of the target, and not of this server.
import type { Server } from '../cluster/server.js'
import type { Need } from './need.js'
import type { TargetPath } from './path.js'
import { healthPaths } from './paths/health.js'
import type { TargetContext } from './targetContext.js'
import { serverFor } from './targetServer.js'

export function adminServerFor(paths: readonly TargetPath[], target: TargetContext): Server {
  const own = paths.filter((path) => path.path === '/' || path.needs === 'admin' || healthPaths.includes(path))
  const allows: ReadonlySet<Need> = new Set(['admin'])
  const context: TargetContext = {
    bounds: target.bounds,
    allows,
    showSecrets: false,
    pushers: target.pushers,
    visits: target.visits,
    get draining() {
      return target.draining
    },
    get server() {
      return target.server
    },
  }
  return serverFor(own, context, {})
}
