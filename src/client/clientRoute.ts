// What the connections share that have the same handlers. Programs often give each connection handlers of its own: then all
// but these, and what calls them, is looked up in what was put together once for connections with the same settings.
import type { Codec, Heap } from '../codec/codec.js'
import { Callbacks } from '../connection/callbacks.js'
import type { Connection } from '../connection/connection.js'
import type { ConnectionLimits, Handlers, OutputPolicy } from '../connection/handlers.js'
import type { Encoder } from '../connection/sending/encoder.js'
import type { LargeRoute, RouteContext } from '../connection/shared.js'
import type { Slices } from '../connection/slices.js'
import type { Publisher } from '../connection/subscriber.js'
import type { Turn } from '../connection/turn.js'
import type { TimeLimits } from '../connection/vitals.js'
import type { Work } from '../connection/work.js'
import type { Budget } from '../memory/budget.js'
import type { Counts } from '../metrics/counts.js'
import type { Deadlines } from '../time/deadlines.js'

export class ClientRoute<Data> implements RouteContext<Data> {
  readonly handlers: Handlers<Data>
  readonly callbacks: Callbacks<Data>
  /** The route of all connections with these settings. Its own handlers are nobody's. */
  readonly #common: RouteContext<Data>

  constructor(common: RouteContext<Data>, handlers: Handlers<Data>) {
    this.#common = common
    this.handlers = handlers
    this.callbacks = new Callbacks(handlers, common)
  }

  get codec(): Codec {
    return this.#common.codec
  }

  get heap(): Heap {
    return this.#common.heap
  }

  get encoder(): Encoder {
    return this.#common.encoder
  }

  get turn(): Turn {
    return this.#common.turn
  }

  get slices(): Slices {
    return this.#common.slices
  }

  get budget(): Budget {
    return this.#common.budget
  }

  get deadlines(): Deadlines {
    return this.#common.deadlines
  }

  get topics(): Publisher {
    return this.#common.topics
  }

  get connections(): Set<Connection<unknown>> {
    return this.#common.connections
  }

  get work(): Work {
    return this.#common.work
  }

  get counts(): Counts {
    return this.#common.counts
  }

  get closed(): (connection: Connection<Data>) => void {
    return this.#common.closed
  }

  get limits(): ConnectionLimits {
    return this.#common.limits
  }

  get outputPolicy(): OutputPolicy {
    return this.#common.outputPolicy
  }

  get large(): LargeRoute<Data> | undefined {
    return this.#common.large
  }

  get streamThreshold(): number | undefined {
    return this.#common.streamThreshold
  }

  get streamLeft(): 'drain' | 'fail' {
    return this.#common.streamLeft
  }

  get times(): TimeLimits {
    return this.#common.times
  }
}
