// What the paths of one target share: what its operator allows, who is being pushed to, and the server itself.
import type { Server } from '../cluster/server.js'
import type { Bounds } from './bounds.js'
import type { Need } from './need.js'
import type { Pushers } from './pushers.js'
import type { Visits } from './visits.js'

export interface TargetContext {
  readonly bounds: Bounds
  /** What is answered here of what not every target answers. */
  readonly allows: ReadonlySet<Need>
  /** Whether `/headers` shows Cookie and Authorization, too. */
  readonly showSecrets: boolean
  readonly pushers: Pushers
  readonly visits: Visits
  /** Whether the target has begun to drain: load balancers should send nobody any more. */
  readonly draining: boolean
  readonly server: Server
}
