// Whoever watches the dashboard of a target: all are told the same, once a second, whatever the load. Where nobody
// watches, nothing is done.
import type { Server } from '../cluster/server.js'
import type { Connection } from '../connection/connection.js'
import { prepare } from '../connection/sending/prepared.js'
import { report } from '../internals/report.js'

/** Milliseconds between two looks at what the server has counted. */
const INTERVAL = 1000

/** The most who may watch at once in one process. */
const MOST = 32

export class Viewers {
  readonly #server: () => Server
  readonly #viewers = new Set<Connection>()
  #timer: NodeJS.Timeout | undefined

  /** `server` is asked for when somebody watches: it may be made later. */
  constructor(server: () => Server) {
    this.#server = server
  }

  get full(): boolean {
    return this.#viewers.size >= MOST
  }

  add(viewer: Connection): void {
    this.#viewers.add(viewer)
    this.#timer ??= setInterval(() => this.#look(), INTERVAL)
    this.#look()
  }

  delete(viewer: Connection): void {
    this.#viewers.delete(viewer)
    if (this.#viewers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    this.#server()
      .metrics()
      .then((metrics) => this.#tell(JSON.stringify({ at: Date.now(), ...metrics })))
      .catch(report)
  }

  #tell(text: string): void {
    const message = prepare(text)
    for (const viewer of this.#viewers) viewer.send(message)
    message.release()
  }
}
