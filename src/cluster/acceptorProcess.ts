// An acceptor as its primary sees it: a process that starts, listens, drains and ends.
import cluster, { type Worker } from 'node:cluster'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { callerError } from '../checks/errors.js'
import { reserveForNode } from '../internals/channel.js'
import { remainsOf, type Told } from '../metrics/snapshot.js'
import { secretEnvironment } from './environment.js'
import { linkTo } from './link.js'
import { type DrainOrder, errorOf, type Order, type Report, reportIn } from './orders.js'
import { makeSecret, Seal } from './seal.js'
import { noStatistics, type OwnStatistics, type ProcessStatistics, type ToldMetrics } from './statistics.js'

/** How long an acceptor may take to tell its statistics, in milliseconds: it may be busy, or hang. */
const PATIENCE = 1000

interface Waiter {
  readonly places: number
  resolve(): void
  reject(error: Error): void
}

export class AcceptorProcess {
  /** Resolves with how the process ended, in words. Never rejects. */
  readonly ended: Promise<string>
  addresses: readonly (AddressInfo | string)[] = []
  readonly #worker: Worker
  /** The channel on which orders go to the acceptor. */
  readonly #orders: Seal
  readonly #began = performance.now()
  readonly #waiting: Waiter[] = []
  readonly #asking = new Map<number, () => void>()
  #state: ProcessStatistics['state'] = 'starting'
  /** How often the acceptor has reported that it listens. */
  #places = 0
  #over: Error | undefined
  #timer: NodeJS.Timeout | undefined
  #questions = 0
  #told: OwnStatistics = noStatistics
  #toldAt = performance.now()
  #reports = 0
  /** What it has counted, as it has told last. */
  #counted: Told = {}
  readonly #asked: () => Promise<ToldMetrics>

  /**
   * Starts it. `joined` gets the link to it; without, nobody reads from the link. `asked` knows the metrics of all
   * acceptors. Throws if it can't be started.
   */
  constructor(
    environment: NodeJS.ProcessEnv,
    joined: ((link: Duplex) => void) | undefined,
    asked: () => Promise<ToldMetrics>,
  ) {
    this.#asked = asked
    const secret = makeSecret()
    const reports = new Seal(secret, 'acceptor')
    this.#orders = new Seal(secret, 'primary')
    this.#worker = cluster.fork({ ...environment, ...secretEnvironment(secret) })
    reserveForNode(this.#worker.process)
    const link = linkTo(this.#worker)
    this.ended = new Promise((resolve) => {
      const over = (
        how: string,
        error: Error = callerError('ERR_ACCEPTOR_FAILED', `an acceptor ${how} before it listened`),
      ): void => {
        clearTimeout(this.#timer)
        if (joined === undefined) link?.destroy()
        this.#fail(error)
        for (const answer of this.#asking.values()) answer()
        resolve(how)
      }
      this.#worker.process.once('exit', (code, signal) => {
        over(signal === null ? `ended with code ${code}` : `was killed by ${signal}`)
      })
      // A process that could not be started has no end; other errors are those of messages to one that is ending.
      this.#worker.on('error', (error: Error) => {
        if (this.pid === 0) over(`could not be started (${error.message})`, error)
      })
    })
    this.#worker.on('message', (message: unknown) => {
      const report = reportIn(reports.open(message))
      if (report !== undefined) this.#take(report)
    })
    if (link !== undefined) joined?.(link)
  }

  /** The process id; 0 if the process could not be started. */
  get pid(): number {
    return this.#worker.process.pid ?? 0
  }

  /** The time since the process was started, in milliseconds. */
  get age(): number {
    return performance.now() - this.#began
  }

  get listens(): boolean {
    return this.#state === 'listening'
  }

  /** How often the acceptor has told what it does. */
  get reports(): number {
    return this.#reports
  }

  /** What the acceptor has counted, as it has told last; of one that has ended, what remains. */
  get counted(): Told {
    return this.#over === undefined ? this.#counted : remainsOf(this.#counted)
  }

  /** Resolves when the acceptor has listened `places` times; rejects, and ends it, if it does not listen in time. */
  async ready(places: number, timeout: number): Promise<void> {
    if (this.#over !== undefined) throw this.#over
    if (this.#places >= places) return
    const late = setTimeout(() => {
      this.#fail(callerError('ERR_ACCEPTOR_TIMEOUT', `an acceptor did not listen within ${timeout} ms: startTimeout`))
      this.kill()
    }, timeout)
    await new Promise<void>((resolve, reject) => this.#waiting.push({ places, resolve, reject })).finally(() =>
      clearTimeout(late),
    )
  }

  /** Drains the acceptor, which ends by itself; kills it if it takes `limit` milliseconds longer than the drain says. */
  drain(order: DrainOrder, limit: number): void {
    if (this.#state === 'starting') return this.kill()
    this.#state = 'draining'
    this.#send(order)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.kill(), order.after + order.over + limit)
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  async statistics(restarts: number): Promise<ProcessStatistics> {
    if (this.#state !== 'starting' && this.#over === undefined) await this.ask()
    const age = performance.now() - this.#toldAt
    return { pid: this.pid, state: this.#state, ...this.#told, restarts, age: age < PATIENCE ? 0 : age }
  }

  /** Asks the acceptor what it does; resolves when it has told, or after a second without an answer. */
  ask(): Promise<void> {
    const id = this.#questions++
    return new Promise((resolve) => {
      const answer = (): void => {
        clearTimeout(timer)
        this.#asking.delete(id)
        resolve()
      }
      const timer = setTimeout(answer, PATIENCE)
      this.#asking.set(id, answer)
      this.#send({ kind: 'report', id })
    })
  }

  #take(report: Report): void {
    if (report.kind === 'listening') {
      this.addresses = report.addresses
      this.#places++
      if (this.#state === 'starting') this.#state = 'listening'
      for (const wait of this.#waiting.filter(({ places }) => places <= this.#places)) wait.resolve()
    } else if (report.kind === 'failed') this.#fail(errorOf(report.failure))
    else if (report.kind === 'asks') {
      this.#asked().then((metrics) => this.#send({ kind: 'metrics', id: report.id, ...metrics }))
    } else {
      this.#told = report.statistics
      this.#counted = report.told
      this.#toldAt = performance.now()
      this.#reports++
      this.#asking.get(report.id)?.()
    }
  }

  #fail(error: Error): void {
    this.#over ??= error
    for (const wait of this.#waiting.splice(0)) wait.reject(this.#over)
  }

  #send(order: Order): void {
    // Without a callback, a message to a process that has just ended would be an error event.
    this.#worker.send(this.#orders.seal(order), () => undefined)
  }
}
