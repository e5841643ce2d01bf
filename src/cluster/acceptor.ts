// An acceptor, in its own process: it tells its primary that it listens, obeys its orders, and does not outlive it.
import { reserveForNode } from '../internals/channel.js'
import { tell } from '../metrics/snapshot.js'
import type { ListenOptions } from '../server/listener.js'
import type { ProcessServer } from '../server/server.js'
import { Balance } from './balance.js'
import { inheritPlace, inheritPorts, takeSecret } from './environment.js'
import { failureOf, orderIn, type Report } from './orders.js'
import { Seal } from './seal.js'
import { ignoreSignals } from './signals.js'
import { ownStatistics, type ServerMetrics, serverMetrics } from './statistics.js'
import { inheritTally } from './tally.js'

/** The number of the report that an acceptor makes of itself before it ends: nobody has asked for it. */
const LAST = Number.MAX_SAFE_INTEGER

/** Milliseconds that the program has for its own end after it has closed its server. */
const LEAVE = 5000

export class Acceptor {
  readonly #server: ProcessServer
  readonly #ports = inheritPorts()
  readonly #balance: Balance | undefined
  readonly #reports: Seal
  /** Who waits for the metrics of all acceptors, by the number of the question. */
  readonly #asking = new Map<number, (metrics: ServerMetrics) => void>()
  #questions = 0

  constructor(server: ProcessServer, signals: boolean) {
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
        server.close({ code, reason, drainAfter, drainOver }).then(() => this.#report(LAST, () => process.exit(0)))
      } else if (order?.kind === 'report') this.#report(order.id)
      else if (order?.kind === 'metrics') {
        this.#asking.get(order.id)?.(serverMetrics(order))
        this.#asking.delete(order.id)
      }
    })
    // The primary has gone, so nobody else would end this process.
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

  /**
   * The application has closed its server here, which has nothing left to do: this process ends when nothing else holds it,
   * and soon in any case. The primary starts another one.
   */
  closed(): void {
    this.#balance?.end()
    this.#report(LAST, () => {
      process.channel?.unref()
      setTimeout(() => process.exit(0), LEAVE).unref()
    })
  }

  /** The metrics of all acceptors, which only the primary can ask for. Without a primary, this process ends. */
  metrics(): Promise<ServerMetrics> {
    const id = this.#questions++
    return new Promise((resolve) => {
      this.#asking.set(id, resolve)
      this.#tell({ kind: 'asks', id })
    })
  }

  #report(id: number, told?: () => void): void {
    this.#tell(
      { kind: 'statistics', id, statistics: ownStatistics(this.#server), told: tell(this.#server.counted()) },
      told,
    )
  }

  #tell(report: Report, told: () => void = () => undefined): void {
    process.send?.(this.#reports.seal(report), undefined, undefined, told)
  }
}

/** Undefined if there is no tally, and so nothing to compare with. */
function balanceOf(server: ProcessServer): Balance | undefined {
  const tally = inheritTally()
  if (tally === undefined || tally.places < 2) return undefined
  const balance = new Balance(tally, inheritPlace(), server.connections)
  server.watcher = balance
  return balance
}
