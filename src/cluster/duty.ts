// An acceptor's own side: it tells its primary that it listens, obeys its orders, and does not outlive it.
import cluster from 'node:cluster'
import { isMainThread } from 'node:worker_threads'
import { reserveForNode } from '../internals/channel.js'
import type { ListenOptions } from '../server/listener.js'
import { Balance } from './balance.js'
import { failureOf, orderIn, type Report } from './orders.js'
import { makeSecret, Seal } from './seal.js'
import type { Server } from './server.js'
import { ignoreSignals } from './signals.js'
import { ownStatistics } from './statistics.js'
import { inheritTally } from './tally.js'

/** In the environment of acceptors: the process that started them. Theirs is inherited by processes of their own. */
const PRIMARY = 'MILLRACE_PRIMARY'
/** In the environment of acceptors: the ports of those before them, for each `listen` that leaves its own open. */
const PORTS = 'MILLRACE_PORTS'
/** In the environment of acceptors: which one it is, from 0 on. */
const PLACE = 'MILLRACE_PLACE'
/** In the environment of acceptors, until they listen: what only this one and its primary know. */
const SECRET = 'MILLRACE_SECRET'

/** What tells a process that it is an acceptor of this one. */
export function dutyEnvironment(place: number, ports: readonly number[]): NodeJS.ProcessEnv {
  return { [PRIMARY]: String(process.pid), [PORTS]: JSON.stringify(ports), [PLACE]: String(place) }
}

/** What tells an acceptor the secret that is its own. */
export function secretEnvironment(secret: string): NodeJS.ProcessEnv {
  return { [SECRET]: secret }
}

/** Whether this process is an acceptor. */
export function isAcceptor(): boolean {
  return isMainThread && cluster.isWorker && process.env[PRIMARY] === String(process.ppid)
}

export class Duty {
  readonly #server: Server
  readonly #ports: number[] = JSON.parse(process.env[PORTS] ?? '[]')
  readonly #balance: Balance | undefined
  readonly #reports: Seal

  constructor(server: Server, signals: boolean) {
    this.#server = server
    this.#balance = balanceOf(server)
    if (signals) ignoreSignals()
    reserveForNode(process)
    const secret = takeSecret()
    const orders = new Seal(secret, 'primary')
    this.#reports = new Seal(secret, 'acceptor')
    process.on('message', (message: unknown) => {
      const order = orderIn(orders.open(message))
      if (order?.kind === 'drain') {
        this.#balance?.end()
        const { after: drainAfter, over: drainOver, code, reason } = order
        server.close({ code, reason, drainAfter, drainOver }).then(() => process.exit(0))
      } else if (order?.kind === 'report') {
        this.#tell({ kind: 'statistics', id: order.id, statistics: ownStatistics(server) })
      }
    })
    // The primary has gone: nobody would end this process any more.
    process.on('disconnect', () => process.exit(1))
  }

  /** Listens, and tells the primary. If that fails, the primary has the error, and this process ends. */
  async listen(options: ListenOptions, listen: (options: ListenOptions) => Promise<unknown>): Promise<void> {
    const port = this.#ports.shift() ?? 0
    const { path, fd } = options
    const open = (path ?? fd) === undefined && (options.port ?? 0) === 0
    try {
      await listen(open ? { ...options, port } : options)
      this.#balance?.begin()
      this.#tell({ kind: 'listening', addresses: this.#server.addresses })
    } catch (error) {
      this.#tell({ kind: 'failed', failure: failureOf(error) }, () => process.exit(1))
      await new Promise(() => undefined)
    }
  }

  #tell(report: Report, told: () => void = () => undefined): void {
    process.send?.(this.#reports.seal(report), undefined, undefined, told)
  }
}

/** Undefined where there is nobody to be even with. */
function balanceOf(server: Server): Balance | undefined {
  const tally = inheritTally()
  if (tally === undefined || tally.places < 2) return undefined
  const balance = new Balance(tally, Number(process.env[PLACE]), server.connections)
  server.opened = () => balance.opened()
  server.arrived = () => balance.arrived()
  return balance
}

/** The secret, which nothing that this process starts or shows needs to know. One that is not there is never ''. */
function takeSecret(): string {
  const { [SECRET]: secret = makeSecret() } = process.env
  delete process.env[SECRET]
  return secret
}
