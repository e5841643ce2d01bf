// What the paths of a target share, made from its options.
import type { Server } from '../cluster/server.js'
import { defaultBounds } from './bounds.js'
import type { Need } from './need.js'
import type { TargetPath } from './path.js'
import { Pushers } from './pushers.js'
import type { TargetContext } from './targetContext.js'
import type { ServedOptions } from './targetOptions.js'
import { serverFor } from './targetServer.js'
import { Visits, type VisitWatcher } from './visits.js'

export class TargetState implements TargetContext {
  readonly bounds: TargetContext['bounds']
  readonly allows: ReadonlySet<Need>
  readonly showSecrets: boolean
  readonly pushers: Pushers
  readonly visits: Visits
  readonly server: Server
  draining = false

  constructor(paths: readonly TargetPath[], options: ServedOptions, watcher?: VisitWatcher) {
    this.bounds = { ...defaultBounds, ...options.bounds }
    this.allows = needsMet(options)
    this.showSecrets = options.showSecrets ?? false
    this.pushers = new Pushers(this.bounds.pushers)
    this.visits = new Visits(watcher)
    this.server = serverFor(paths, this, options)
  }
}

function needsMet({ faults = true, admin = true, allowCorrupt = false }: ServedOptions): ReadonlySet<Need> {
  const met: readonly (readonly [Need, boolean])[] = [
    ['faults', faults],
    ['admin', admin],
    ['corrupt', allowCorrupt],
  ]
  return new Set(met.flatMap(([need, is]) => (is ? [need] : [])))
}
