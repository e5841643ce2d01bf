// A target that runs: `startTarget` starts one, in the command and in the tests of others.
import type { AddressInfo } from 'node:net'
import { checkOptions } from '../checks/check.js'
import { limitsOfTarget, servedOptions, targetOptions } from '../checks/targetTable.js'
import type { ClusterOptions } from '../cluster/options.js'
import type { Server } from '../cluster/server.js'
import type { ProcessStatistics } from '../cluster/statistics.js'
import type { CloseOptions } from '../server/drainage.js'
import type { ListenOptions } from '../server/listener.js'
import { isLoopback } from './loopback.js'
import type { TargetOptions } from './targetOptions.js'
import { TargetServer } from './targetServer.js'

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

/** A target that runs. `startTarget` starts it. */
export class Target {
  readonly #target: TargetServer
  readonly #secure: boolean

  /** Made by `startTarget`. @internal */
  constructor(target: TargetServer, secure: boolean) {
    this.#target = target
    this.#secure = secure
  }

  /** The server that serves it. */
  get server(): Server {
    return this.#target.server
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
      pushers: this.#target.pushers.size,
      visits: this.#target.visits.byPath,
      processes,
    }
  }

  /**
   * Closes it, as `server.close` does: clients get 1001 unless you name another code. From the call on, `/readyz`
   * answers 503.
   */
  async close(how: CloseOptions = {}): Promise<void> {
    this.#target.draining = true
    await this.server.close(how)
  }

  #urlOf(scheme: 'ws' | 'http'): string {
    const [first] = this.server.addresses
    const s = this.#secure ? 's' : ''
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
  checkOptions(options, targetOptions, [limitsOfTarget])
  const place = placeIn(options)
  const where = place.path === undefined && place.fd === undefined ? { host: TARGET_HOST, ...place } : place
  const near = isLoopback(where)
  const target = new TargetServer({ ...options, faults: options.faults ?? near, admin: options.admin ?? near })
  await target.server.listen(where)
  return new Target(target, place.tls !== undefined)
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
