// The parent's side of a load client: gives it orders, and samples the server's CPU time when it says so.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import type { LoadKind, Order as LoadOrder, Report } from './loadProgram.js'
import { memory, pinned, type RunningServer, type Usage, usageOf } from './process.js'
import { goes, type Order } from './talk.js'

/** One round of one server. */
export interface Round {
  /** Server CPU time a message (or a delivery, or a handshake), in microseconds. */
  readonly cpu: number
  /** What of `cpu` its main thread had, where the system tells. */
  readonly mainThread?: number
  /** Share of its core that the server used, 0 to 1. */
  readonly busy: number
  /** Messages, deliveries or handshakes a second. */
  readonly rate: number
  readonly latency: LoadResult['latency'] | undefined
  /** The server's highest resident memory so far, in bytes. */
  readonly peakMemory: number
}

const TIMEOUT = 120_000

export class LoadClient {
  readonly #child: ChildProcess
  #heard: (report: Report) => void = () => undefined

  /**
   * Runs on `core`, where cores can be chosen. One that goes last leaves the core to another client whose latency counts:
   * else that would wait for this one's turn, and the server be charged for it.
   */
  constructor(core: number, order: Order = 'next') {
    const path = fileURLToPath(new URL('./loadProgram.js', import.meta.url))
    const [program, ...args] = pinned(core, [process.execPath, path])
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    if (order !== 'next') goes(order, this.#child.pid)
    this.#child.on('message', (report: Report) => this.#heard(report))
  }

  /**
   * Loads a server, which by default echoes; the messages of one that broadcasts are its deliveries. Rejects with the
   * reason if the load broke off. `begun` is called when its warm-up is over.
   */
  async load(
    server: RunningServer,
    options: Omit<LoadOptions, 'url'>,
    kind: LoadKind = 'load',
    begun: () => void = () => undefined,
  ): Promise<Round> {
    let before = sampleOf(server)
    let after = before
    const { result } = await this.#order({ kind, url: server.url, options }, 'result', (report) => {
      if (report.kind === 'measuring') before = sampleOf(server)
      if (report.kind === 'measuring') begun()
      if (report.kind === 'measured') after = sampleOf(server)
    })
    if (result.error !== undefined) throw new Error(result.error)
    const { cpu, mainThread, milliseconds } = await difference(before, after)
    return {
      cpu: cpu / Math.max(result.messages, 1),
      mainThread: mainThread / Math.max(result.messages, 1),
      busy: cpu / 1000 / milliseconds,
      rate: result.messagesPerSecond,
      latency: result.latency,
      peakMemory: memory(server.pid).peak,
    }
  }

  /** Loads in the background while `work` is done: that begins when this load's warm-up is over, and both are awaited. */
  async beside<Result>(
    work: () => Promise<Result>,
    server: RunningServer,
    options: Omit<LoadOptions, 'url'>,
    kind: LoadKind = 'load',
  ): Promise<[Result, Round]> {
    let begun: () => void = () => undefined
    const beginning = new Promise<void>((resolve) => {
      begun = resolve
    })
    const load = this.load(server, options, kind, begun)
    return Promise.all([Promise.race([beginning, load]).then(work), load])
  }

  /** Opens connections, which stay open until `release`. */
  async handshakes(server: RunningServer, connections: number): Promise<Round> {
    const before = sampleOf(server)
    const { seconds } = await this.#order({ kind: 'handshakes', url: server.url, connections }, 'done')
    const { cpu } = await difference(before, sampleOf(server))
    const peakMemory = memory(server.pid).peak
    return {
      cpu: cpu / connections,
      busy: cpu / 1e6 / seconds,
      rate: connections / seconds,
      latency: undefined,
      peakMemory,
    }
  }

  async release(): Promise<void> {
    await this.#order({ kind: 'release' }, 'done')
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }

  /** Gives an order; resolves with the report that ends it. */
  #order<Kind extends Report['kind']>(
    order: LoadOrder,
    end: Kind,
    between: (report: Report) => void = () => undefined,
  ): Promise<Extract<Report, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the load client did not finish in time')), TIMEOUT)
      this.#heard = (report) => {
        if (report.kind !== end && report.kind !== 'failed') return between(report)
        clearTimeout(timer)
        if (report.kind === 'failed') reject(new Error(report.reason))
        else resolve(report as Extract<Report, { kind: Kind }>)
      }
      this.#child.send(order)
    })
  }
}

interface Sample extends Usage {
  readonly at: number
}

async function sampleOf(server: RunningServer): Promise<Sample> {
  const at = performance.now()
  return { at, ...(await usageOf(server)) }
}

async function difference(first: Promise<Sample>, second: Promise<Sample>): Promise<Usage & { milliseconds: number }> {
  const [before, after] = await Promise.all([first, second])
  const [cpu, mainThread] = [after.cpu - before.cpu, after.mainThread - before.mainThread]
  return { cpu, mainThread, milliseconds: after.at - before.at }
}
