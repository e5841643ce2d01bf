// What the load generator itself took: a load that its own process held up says little of the server.
import { availableParallelism } from 'node:os'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Latencies } from './latencies.js'

/** What the load client took while it measured. */
export interface GeneratorUse {
  /** CPU time as a share of the time: 1 is one core. */
  readonly cpu: number
  /** The 99th percentile of the event loop's delay, in milliseconds. */
  readonly loopDelay: number
  /** At a fixed rate: how late messages were sent, in milliseconds; the 99th percentile. */
  readonly late: number
  /** Why the load generator was the limit; undefined if it was not. */
  readonly limit: string | undefined
}

const RESOLUTION = 10
/** From this share of its core on, a closed loop may have been held up by its own client. */
const BUSY = 0.9
/** Messages that are sent later than this are charged for their client, in milliseconds. */
export const GENERATOR_LATE = 1

export class Generator {
  readonly lateness = new Latencies()
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  #cpu: NodeJS.CpuUsage | undefined
  #began = 0

  begin(): void {
    this.#cpu = process.cpuUsage()
    this.#began = performance.now()
    this.#delay.enable()
  }

  /** Something is sent that was due so many milliseconds ago. */
  sentLate(milliseconds: number): void {
    if (this.#cpu !== undefined) this.lateness.record(milliseconds * 1e6)
  }

  /** What it took since it began. At a fixed rate it spins between messages, so its CPU time says nothing of a limit. */
  end(rate: number): GeneratorUse {
    const { user, system } = process.cpuUsage(this.#cpu)
    const cpu = (user + system) / 1000 / Math.max(performance.now() - this.#began, 1)
    this.#delay.disable()
    const delay = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1e6 - RESOLUTION
    const late = this.lateness.percentile(99) / 1e6
    return { cpu, loopDelay: Math.max(0, delay), late, limit: limitOf(rate, [cpu], late) }
  }
}

/**
 * Why the load generator was the limit; undefined if it was not. `shares` are the CPU time of each of its processes as a share of the
 * time, and `late` is how late messages were sent.
 */
export function limitOf(rate: number, shares: readonly number[], late: number): string | undefined {
  if (rate > 0) return late > GENERATOR_LATE ? `it sent messages up to ${late.toFixed(1)} ms late (p99)` : undefined
  const busy = shares.filter((share) => share >= BUSY)
  const percent = Math.round(Math.min(Math.max(...shares), 1) * 100)
  if (busy.length > 0 && shares.length === 1) return `it kept its core ${percent} % busy`
  if (busy.length > 0) return `${busy.length} of its ${shares.length} processes kept a core ${percent} % busy`
  const cores = availableParallelism()
  const all = shares.reduce((sum, share) => sum + share, 0)
  return shares.length >= cores && all >= BUSY * cores ? `its processes kept all ${cores} cores busy` : undefined
}
