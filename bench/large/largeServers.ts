// Measures what work on large messages costs a server, by setting; servers stay up from figure to figure.
import { fileURLToPath } from 'node:url'
import { KeptServers } from '../support/keptServers.js'
import { LoadClient, type Round } from '../support/loadClient.js'
import type { RunningServer } from '../support/process.js'
import { startServer } from '../support/serverProcess.js'
import type { Pace } from '../support/suite.js'
import { smallEchoes } from './section.js'
import type { Setting } from './workServer.js'

const PROGRAM = fileURLToPath(new URL('./workServer.js', import.meta.url))
const SMALL = { ...smallEchoes, size: 125 } as const

/** Times in microseconds, each from the round in which it was least; the rate from the round in which it was highest. */
export interface Cost {
  /** CPU time per message, of the main thread and of the whole process. */
  mainThread: number
  cpu: number
  /** From sending a message to its answer, as the client sees it. */
  answer: number
  rate: number
  /** 99th percentile of a small echo, 1,000 per second, while the large ones go on without pause. */
  beside: number
}

export interface Material {
  readonly size: number
  readonly connections: number
}

export class LargeServers {
  readonly #large: LoadClient
  readonly #small = new LoadClient(1, 'first')
  readonly #servers = new KeptServers()
  readonly #pace: Pace
  readonly #pin: boolean

  /** `pin`: the servers' threads share one core, which the clients leave to them. Otherwise they may run anywhere. */
  constructor(pace: Pace, pin: boolean) {
    this.#pace = pace
    this.#pin = pin
    this.#large = new LoadClient(1, pin ? 'aside' : 'next')
  }

  /** The costs of each setting, with the same material. */
  async measure(settings: readonly Setting[], material: Material): Promise<Cost[]> {
    const costs = settings.map(
      (): Cost => ({ mainThread: Infinity, cpu: Infinity, answer: Infinity, rate: 0, beside: Infinity }),
    )
    for (let round = 0; round < this.#pace.rounds; round++) {
      for (const [index, setting] of settings.entries()) {
        const [alone, small] = await this.#round(await this.#server(setting), material)
        const cost = costs[index]
        if (cost !== undefined) note(cost, alone, small)
      }
    }
    return costs
  }

  async stop(): Promise<void> {
    this.#large.stop()
    this.#small.stop()
    await this.#servers.stop()
  }

  /** First the large ones alone, so that nothing else is in their CPU time; then both. */
  async #round(server: RunningServer, material: Material): Promise<[alone: Round, small: Round]> {
    const { seconds, warmup } = this.#pace
    const load = { ...material, pipeline: 1, kind: 'text', verify: false, rate: 0 } as const
    const alone = await this.#large.load(server, { ...load, duration: seconds, warmup }, 'documents')
    const [small] = await Promise.all([
      this.#small.load(server, { ...SMALL, duration: seconds, warmup: warmup + 0.1 }),
      this.#large.load(server, { ...load, duration: seconds + 0.2, warmup }, 'documents'),
    ])
    return [alone, small]
  }

  #server(setting: Setting): Promise<RunningServer> {
    const key = JSON.stringify(setting)
    const command = (port: number): readonly string[] => [process.execPath, PROGRAM, String(port), key]
    return this.#servers.get(key, () => startServer(command, { pin: this.#pin }))
  }
}

function note(cost: Cost, { cpu, mainThread = cpu, latency, rate }: Round, small: Round): void {
  cost.cpu = Math.min(cost.cpu, cpu)
  cost.mainThread = Math.min(cost.mainThread, mainThread)
  cost.answer = Math.min(cost.answer, latency?.p50 ?? Infinity)
  cost.rate = Math.max(cost.rate, rate)
  cost.beside = Math.min(cost.beside, small.latency?.p99 ?? Infinity)
}
