// How often each path of a target has been connected to, in this process; and who is told of each connection, if anybody.
import type { Connection } from '../connection/connection.js'

/** Somebody who is told of connections as they come and go. */
export interface VisitWatcher {
  opened(path: string, address: string | undefined): void
  closed(path: string, code: number, reason: string): void
}

export class Visits {
  readonly #counts = new Map<string, number>()
  readonly #watcher: VisitWatcher | undefined

  constructor(watcher: VisitWatcher | undefined) {
    this.#watcher = watcher
  }

  /** A connection has opened on this path. */
  count(path: string, connection: Connection): void {
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1)
    this.#watcher?.opened(path, connection.remoteAddress)
  }

  /** A connection on this path has ended. */
  ended(path: string, code: number, reason: string): void {
    this.#watcher?.closed(path, code, reason)
  }

  /** The connections that have opened, by path. */
  get byPath(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
