// The parent's side of a load client: gives it orders, and samples the server's CPU time when it says so.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import type { Order, Report } from './loader.js'
import type { RunningPeer } from './peers.js'
import { cpuTime, memory, pinned } from './process.js'

/** One round of one server. */
export interface Round {
  /** Server CPU time a message (or a delivery, or a handshake), in microseconds. */
  readonly cpu: number
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

  /** Runs on `core`, where cores can be chosen. */
  constructor(core: number) {
    const path = fileURLToPath(new URL('./loader.js', import.meta.url))
    const [program, ...args] = pinned(core, [process.execPath, path])
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (report: Report) => this.#heard(report))
  }

  /** Loads a server. Rejects with the reason if the load broke off. */
  load(server: RunningPeer, options: Omit<LoadOptions, 'url'>): Promise<Round> {
    return this.#loaded('load', server, options)
  }

  /** The same of a server that broadcasts: its messages are deliveries. */
  broadcast(server: RunningPeer, options: Omit<LoadOptions, 'url'>): Promise<Round> {
    return this.#loaded('broadcast', server, options)
  }

  async #loaded(kind: 'load' | 'broadcast', server: RunningPeer, options: Omit<LoadOptions, 'url'>): Promise<Round> {
    let before = { cpu: 0, at: 0 }
    let after = before
    const { result } = await this.#order({ kind, url: server.url, options }, 'result', (report) => {
      const sample = { cpu: cpuTime(server.pid), at: performance.now() }
      if (report.kind === 'measuring') before = sample
      if (report.kind === 'measured') after = sample
    })
    if (result.error !== undefined) throw new Error(result.error)
    const cpu = after.cpu - before.cpu
    return {
      cpu: cpu / Math.max(result.messages, 1),
      busy: cpu / 1000 / (after.at - before.at),
      rate: result.messagesPerSecond,
      latency: result.latency,
      peakMemory: memory(server.pid).peak,
    }
  }

  /** Opens connections, which stay open until `release`. */
  async handshakes(server: RunningPeer, connections: number): Promise<Round> {
    const before = cpuTime(server.pid)
    const { seconds } = await this.#order({ kind: 'handshakes', url: server.url, connections }, 'done')
    const cpu = cpuTime(server.pid) - before
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
    order: Order,
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
