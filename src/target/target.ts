// A target that runs: `startTarget` starts one, in the command and in the tests of others.
import cluster from 'node:cluster'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkOptions } from '../checks/check.js'
import { limitsOfTarget, servedOptions, targetOptions } from '../checks/targetTable.js'
import type { ClusterOptions } from '../cluster/options.js'
import type { Server } from '../cluster/server.js'
import type { ProcessStatistics } from '../cluster/statistics.js'
import { drainOf } from '../server/drainage.js'
import type { ListenOptions } from '../server/listener.js'
import { adminServerFor } from './adminServer.js'
import { isLoopback } from './loopback.js'
import { targetPaths } from './paths.js'
import type { TargetCloseOptions, TargetOptions } from './targetOptions.js'
import { TargetState } from './targetState.js'
import type { VisitWatcher } from './visits.js'

/** What a target has done so far. */
export interface TargetStatistics {
  /** How many connections are not closed yet, in all processes. */
  readonly connections: number
  /** How many opening handshakes were accepted, in all processes. */
  readonly handshakes: number
  /** How many connections are being pushed to, flooded or stalled in this process. */
  readonly pushers: number
  /** How many connections have opened on each path in this process, by the path as `GET /paths` lists it. */
  readonly visits: Readonly<Record<string, number>>
  /** One entry for each process that serves. */
  readonly processes: readonly ProcessStatistics[]
}

/** This machine only: a server that does what strangers ask is something to ask for. */
export const TARGET_HOST = '127.0.0.1'

/** From the primary to its acceptors: they are about to be closed. */
const NOTICE = 'millrace target: draining'

/** A target that runs. `startTarget` starts it. */
export class Target {
  readonly #state: TargetState
  readonly #options: TargetOptions
  readonly #place: ListenOptions & ClusterOptions
  #admin: Server | undefined

  /** Made by `startTarget`. Throws for options that are wrong. @internal */
  constructor(options: TargetOptions, watcher?: VisitWatcher) {
    checkOptions(options, targetOptions, [limitsOfTarget])
    const place = placeIn(options)
    this.#place = place.path === undefined && place.fd === undefined ? { host: TARGET_HOST, ...place } : place
    const near = isLoopback(this.#place)
    const { faults = near, admin = near && options.adminPort === undefined } = options
    this.#options = options
    this.#state = new TargetState(targetPaths, { ...options, faults, admin }, watcher)
  }

  /** Begins to listen. @internal */
  async listen(): Promise<this> {
    const { adminPort, adminHost = this.#place.host ?? TARGET_HOST } = this.#options
    if (cluster.isWorker) process.on('message', (message) => this.#hear(message))
    await this.server.listen(this.#place)
    if (adminPort === undefined || cluster.isWorker) return this // the primary tells of its acceptors
    const admin = adminServerFor(targetPaths, this.#state)
    try {
      await admin.listen({ port: adminPort, host: adminHost })
    } catch (error) {
      await this.close()
      throw error
    }
    this.#admin = admin
    return this
  }

  /** The server that serves it. */
  get server(): Server {
    return this.#state.server
  }

  /** The port on which it listens. Undefined on a Unix socket, and after `close`. */
  get port(): number | undefined {
    return this.server.port
  }

  /**
   * Its URL for WebSockets, without a path: `ws://127.0.0.1:9001`, or `ws+unix:///path` on a Unix socket. Empty after
   * `close`.
   */
  get url(): string {
    return this.#urlOf('ws')
  }

  /** Its URL for plain HTTP, without a path. */
  get httpUrl(): string {
    return this.#urlOf('http')
  }

  /** What it has done so far. */
  async statistics(): Promise<TargetStatistics> {
    const processes = await this.server.statistics()
    return {
      connections: processes.reduce((sum, { connections }) => sum + connections, 0),
      handshakes: processes.reduce((sum, { handshakes }) => sum + handshakes, 0),
      pushers: this.#state.pushers.size,
      visits: this.#state.visits.byPath,
      processes,
    }
  }

  /** The port on which the paths about the server answer, if they have one of their own. */
  get adminPort(): number | undefined {
    return this.#admin?.port
  }

  /**
   * Closes it, as `server.close` does: clients get 1001 unless you name another code. From the call on, `/readyz`
   * answers 503, for `notice` milliseconds before anything is refused. A later call takes the place of an earlier one.
   */
  async close({ notice = 0, ...how }: TargetCloseOptions = {}): Promise<void> {
    drainOf(how, '') // throws before anything is closed
    this.#state.draining = true
    if (notice > 0) {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.send(NOTICE, () => undefined)
      await sleep(notice)
    }
    await this.server.close(how)
    await this.#admin?.close()
    this.#admin = undefined
  }

  #hear(message: unknown): void {
    if (message === NOTICE) this.#state.draining = true
  }

  #urlOf(scheme: 'ws' | 'http'): string {
    const [first] = this.server.addresses
    const s = this.#options.tls === undefined ? '' : 's'
    if (first === undefined) return ''
    return typeof first === 'string' ? `${scheme}${s}+unix://${first}` : `${scheme}${s}://${authorityOf(first)}`
  }
}

/**
 * Starts a target for WebSocket clients: a server whose paths echo, push, delay, close and fail on demand. `GET /paths`
 * lists them. It listens on 127.0.0.1 and on any free port unless you say otherwise. Rejects as `listen` does, and with
 * a TypeError or a RangeError for a wrong option.
 * @example
 * ```js
 * import { startTarget } from 'millrace/target'
 *
 * const target = await startTarget()
 * const socket = new WebSocket(`${target.url}/close?code=1011&after=3`)
 * socket.onclose = async ({ code }) => {
 *   console.log(code)
 *   await target.close()
 * }
 * ```
 */
export async function startTarget(options: TargetOptions = {}): Promise<Target> {
  return await new Target(options).listen()
}

/** Host and port as a browser wants them. All addresses of a machine are no address to visit: its own one is. */
function authorityOf({ address, family, port }: AddressInfo): string {
  if (family === 'IPv6') return `[${address === '::' ? '::1' : address}]:${port}`
  return `${address === '0.0.0.0' ? '127.0.0.1' : address}:${port}`
}

/** The options that `listen` takes. */
function placeIn(options: TargetOptions): ListenOptions & ClusterOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(servedOptions, name)))
}
