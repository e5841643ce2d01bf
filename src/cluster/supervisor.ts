// What the primary does: it starts the acceptors, replaces those that die, reloads them and stops them. It serves nothing.
import cluster from 'node:cluster'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { callerError } from '../checks/errors.js'
import { keepPorts } from '../internals/keptPorts.js'
import { type Drain, drainOf } from '../server/drainage.js'
import { AcceptorCounts, WELL } from './acceptorCounts.js'
import { AcceptorProcess } from './acceptorProcess.js'
import { acceptorEnvironment } from './environment.js'
import { Heartbeat } from './heartbeat.js'
import { STDIO } from './link.js'
import type { ClusterPlan } from './options.js'
import type { DrainOrder } from './orders.js'
import type { ProcessStatistics, ToldMetrics } from './statistics.js'
import { makeTally, type Tally } from './tally.js'

/** An acceptor that dies younger than this, in milliseconds, has not worked. */
const YOUNG = 5000

/** After so many young deaths in a row in one place, there is no hope. */
const MOST_DEATHS = 5

/** Why nothing is started any more. */
const CLOSING = 'the server is closing'

const AT_ONCE = drainOf(1001, '')

const SHORTEST_DELAY = 100
const LONGEST_DELAY = 5000

/** A place for one acceptor. When the acceptor dies or is replaced, another one takes the place. */
interface AcceptorPlace {
  acceptor: AcceptorProcess | undefined
  /** Young deaths in a row. */
  deaths: number
  restarts: number
  timer: NodeJS.Timeout | undefined
}

export interface SupervisorOptions extends ClusterPlan {
  readonly joined?: (link: Duplex) => void
  /** All acceptors have ended, because they kept dying. */
  gaveUp(): void
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #places: AcceptorPlace[]
  readonly #tally: Tally | undefined
  readonly #draining = new Set<AcceptorProcess>()
  readonly #counts = new AcceptorCounts()
  readonly #heartbeat: Heartbeat
  /** Ends what keeps ports open while no acceptor listens. */
  readonly #releasePorts: () => void
  /** Where all acceptors listen, or have last listened. */
  #addresses: readonly (AddressInfo | string)[] = []
  /** The ports for acceptors that start while no other acceptor listens: a port must not change. */
  #ports: readonly number[] = []
  /** How often the application has called `listen`. */
  #listens = 0
  /** Whether all acceptors have listened: one that dies before that is not replaced. */
  #started = false
  #stopping: Promise<void> | undefined
  /** Settles when the latest start or reload is over: they run one after the other. */
  #turns: Promise<unknown> = Promise.resolve()
  /** The reload that waits for its turn. A caller who asks for a reload meanwhile gets this one. */
  #awaited: Promise<void> | undefined
  /** The latest reload by a signal. */
  #signalled: Promise<void> | undefined

  /** Throws a TypeError where there is no program that acceptors could run. */
  constructor(options: SupervisorOptions) {
    this.#options = options
    const [, exec, ...args] = process.argv
    if (exec === undefined)
      throw callerError(
        'ERR_ACCEPTORS_PROGRAM',
        'acceptors start the program file again, and this process was not started with a file',
      )
    // Acceptors accept for themselves: that makes three times the handshakes of a primary that accepts for them.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    this.#tally = makeTally(options.acceptors)
    this.#heartbeat = new Heartbeat(options.hangTimeout, options.log)
    this.#releasePorts = keepPorts()
    const stdio = [...STDIO, this.#tally?.descriptor ?? 'ignore']
    cluster.setupPrimary({ exec, args, execArgv: process.execArgv, stdio, serialization: 'advanced' })
    const place = (): AcceptorPlace => ({ acceptor: undefined, deaths: 0, restarts: 0, timer: undefined })
    this.#places = Array.from({ length: options.acceptors }, place)
  }

  get addresses(): readonly (AddressInfo | string)[] {
    return this.#stopping === undefined ? this.#addresses : []
  }

  /** Resolves when every acceptor has listened once more. If one can't, rejects with its error when all have ended. */
  async listen(): Promise<void> {
    if (this.#stopping !== undefined)
      throw callerError('ERR_SERVER_CLOSED', 'the server is closed: make a new one to listen again')
    this.#listens++
    try {
      await this.#inTurn(() => this.#listen())
    } catch (error) {
      const closed = this.#stopping !== undefined
      await this.stop(AT_ONCE)
      throw closed ? callerError('ERR_SERVER_CLOSED', 'the server was closed before all acceptors listened') : error
    }
  }

  /**
   * Replaces every acceptor by one with the program's present code. Resolves when the new ones listen and the old ones
   * don't any more: those drain by themselves. Rejects, and changes nothing, if a new one does not listen. Waits for a
   * start or a reload that is under way; all reloads that are asked for meanwhile are one.
   */
  reload(): Promise<void> {
    this.#awaited ??= this.#inTurn(() => {
      this.#awaited = undefined // a caller who asks from now on may mean newer code
      return this.#reload()
    })
    return this.#awaited
  }

  /** The same by a signal, for which nobody waits: several signals are one reload, and one line if that fails. */
  reloadBySignal(): void {
    const reloaded = this.reload()
    if (reloaded === this.#signalled) return
    this.#signalled = reloaded
    reloaded.catch((error: Error) => this.#options.log(`millrace: nothing was reloaded: ${error.message}`))
  }

  /** Drains all acceptors; resolves when they have ended. A later call takes the place of an earlier one. */
  stop({ code, reason, drainAfter, drainOver }: Drain): Promise<void> {
    const order: DrainOrder = { kind: 'drain', after: drainAfter, over: drainOver, code, reason }
    const ended = this.#stop(order)
    this.#stopping ??= ended
    return this.#stopping
  }

  /** Ends all acceptors, now. */
  kill(): void {
    for (const acceptor of [...this.#acceptors, ...this.#draining]) acceptor.kill()
  }

  /** What all acceptors have counted together, those that have ended included, and what each reports of itself. */
  async metrics(): Promise<ToldMetrics> {
    const processes = await this.statistics()
    return { told: this.#counts.told, processes }
  }

  async statistics(): Promise<ProcessStatistics[]> {
    const placed = this.#places.flatMap(({ acceptor, restarts }) =>
      acceptor === undefined ? [] : [acceptor.statistics(restarts)],
    )
    return Promise.all([...placed, ...[...this.#draining].map((acceptor) => acceptor.statistics(0))])
  }

  get #acceptors(): AcceptorProcess[] {
    return this.#places.flatMap(({ acceptor }) => acceptor ?? [])
  }

  /** Runs `work` when all turns before it are over, however they ended. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turns.then(work)
    this.#turns = done.catch(() => undefined)
    return done
  }

  async #listen(): Promise<void> {
    if (this.#stopping !== undefined) throw callerError('ERR_SERVER_CLOSED', CLOSING)
    for (const place of this.#started ? [] : this.#places) this.#fill(place, this.#start(place))
    await this.#ready(this.#acceptors)
    this.#started = true
    this.#heartbeat.begin(() => this.#acceptors)
    for (const place of this.#places) if (place.acceptor === undefined) this.#restart(place)
  }

  #start(place: AcceptorPlace): AcceptorProcess {
    // If other acceptors listen, node:cluster shares their handle by the port that they asked for, also if that was 0.
    const others = [...this.#acceptors, ...this.#draining]
    if (!others.some(({ listens }) => listens)) this.#ports = this.#addresses.map(portOf)
    const environment = acceptorEnvironment(this.#places.indexOf(place), this.#ports)
    const acceptor = new AcceptorProcess(environment, this.#options.joined, () => this.metrics())
    this.#counts.add(acceptor)
    return acceptor
  }

  async #ready(acceptors: readonly AcceptorProcess[]): Promise<void> {
    await Promise.all(acceptors.map((acceptor) => acceptor.ready(this.#listens, this.#options.startTimeout)))
    for (const acceptor of acceptors) {
      const { addresses } = acceptor
      if (this.#addresses.every((address, at) => portOf(address) === portOf(addresses[at]))) this.#addresses = addresses
      else {
        acceptor.kill()
        throw callerError('ERR_ACCEPTOR_FAILED', 'an acceptor listens on another port: all others have died meanwhile')
      }
    }
  }

  #fill(place: AcceptorPlace, acceptor: AcceptorProcess): void {
    clearTimeout(place.timer)
    place.acceptor = acceptor
    acceptor.ended.then((how) => {
      if (place.acceptor === acceptor) this.#died(place, acceptor, how)
    })
  }

  #died(place: AcceptorPlace, { pid, age }: AcceptorProcess, how: string): void {
    place.acceptor = undefined
    this.#tally?.tell(this.#places.indexOf(place), undefined)
    if (!this.#started || this.#stopping !== undefined) return
    place.deaths = age < YOUNG ? place.deaths + 1 : 1
    place.restarts++
    const who = `millrace: acceptor ${pid} ${how}`
    if (place.deaths < MOST_DEATHS) {
      const delay = Math.min(SHORTEST_DELAY * 2 ** (place.deaths - 1), LONGEST_DELAY)
      this.#options.log(`${who}; another starts in ${delay} ms`)
      place.timer = setTimeout(() => this.#restart(place), delay)
    } else {
      this.#options.log(`${who}, as ${MOST_DEATHS - 1} before it soon after they had started: giving up`)
      this.stop(AT_ONCE).then(() => this.#options.gaveUp())
    }
  }

  #restart(place: AcceptorPlace): void {
    if (this.#stopping !== undefined) return
    try {
      this.#fill(place, this.#start(place))
      // An acceptor that is not ready in time is ended, which counts as its death.
      this.#ready(this.#acceptors).catch(() => undefined)
    } catch (error) {
      this.#options.log(`millrace: no acceptor can be started: ${error instanceof Error ? error.message : error}`)
      place.timer = setTimeout(() => this.#restart(place), LONGEST_DELAY)
    }
  }

  async #reload(): Promise<void> {
    await this.#thin()
    if (this.#stopping !== undefined) throw callerError('ERR_SERVER_CLOSED', CLOSING)
    const fresh: AcceptorProcess[] = []
    try {
      for (const place of this.#places) {
        const acceptor = this.#start(place)
        fresh.push(acceptor)
        this.#note(acceptor)
      }
      await this.#ready(fresh)
      if (this.#stopping !== undefined) throw callerError('ERR_SERVER_CLOSED', CLOSING)
    } catch (error) {
      // Acceptors that listen may have connections already.
      for (const acceptor of fresh) this.#drain(acceptor, 0)
      throw this.#stopping === undefined ? error : callerError('ERR_SERVER_CLOSED', CLOSING)
    }
    for (const [at, place] of this.#places.entries()) this.#replace(place, fresh[at])
  }

  /** While more drain than there are places, the oldest of them close what they have: processes must not pile up. */
  async #thin(): Promise<void> {
    const oldest = [...this.#draining].slice(0, -this.#places.length)
    for (const acceptor of oldest) this.#drain(acceptor, 0)
    await Promise.all(oldest.map(({ ended }) => ended))
  }

  #replace(place: AcceptorPlace, next: AcceptorProcess | undefined): void {
    const old = place.acceptor
    if (next === undefined) return
    this.#draining.delete(next)
    place.deaths = place.restarts = 0
    this.#fill(place, next)
    if (old === undefined) return
    this.#note(old)
    this.#drain(old, this.#options.drainAfter)
    old.ended.then((how) => {
      if (how !== WELL) this.#options.log(`millrace: acceptor ${old.pid} ${how} while it drained`)
    })
  }

  #drain(acceptor: AcceptorProcess, after: number): void {
    const { drainOver: over, drainCode: code, stopTimeout } = this.#options
    acceptor.drain({ kind: 'drain', after, over, code, reason: '' }, stopTimeout)
  }

  /** Keeps an acceptor without a place, until it ends. */
  #note(acceptor: AcceptorProcess): void {
    this.#draining.add(acceptor)
    acceptor.ended.then(() => this.#draining.delete(acceptor))
  }

  async #stop(order: DrainOrder): Promise<void> {
    for (const { timer } of this.#places) clearTimeout(timer)
    this.#heartbeat.end()
    this.#releasePorts()
    const all = [...this.#acceptors, ...this.#draining]
    for (const acceptor of all) acceptor.drain(order, this.#options.stopTimeout)
    await Promise.all(all.map(({ ended }) => ended))
  }
}

function portOf(address: AddressInfo | string | undefined): number {
  return typeof address === 'object' ? address.port : 0
}
