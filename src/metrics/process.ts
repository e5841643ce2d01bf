// What a process knows of itself: its CPU time, its memory, and how busy its event loop is.
import type { Counts } from './counts.js'
import { type MetricName, metricNames, startOf } from './places.js'

/** Milliseconds between two looks at how late the event loop is. */
const INTERVAL = 20

/** Watches the event loop of its thread, from `start` on: nobody pays for that who never asks. */
export class LoopDelay {
  readonly #counts: Counts
  #timer: NodeJS.Timeout | undefined

  constructor(counts: Counts) {
    this.#counts = counts
  }

  start(): void {
    if (this.#timer !== undefined) return
    let due = performance.now() + INTERVAL
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#counts.observe('eventLoopDelay', Math.max(0, now - due) / 1000)
      due = now + INTERVAL
    }, INTERVAL)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** Writes numbers of metrics at their places in `values`, and returns these. */
export function fill(
  values: Float64Array,
  numbers: Readonly<Partial<Record<MetricName, readonly number[]>>>,
): Float64Array {
  for (const metric of metricNames) values.set(numbers[metric] ?? [], startOf(metric))
  return values
}

/** Writes what the process knows of itself. */
export function fillProcess(values: Float64Array): void {
  const { idle, active } = performance.eventLoopUtilization()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  fill(values, {
    eventLoopActive: [active / 1000],
    eventLoopIdle: [idle / 1000],
    cpu: [user / 1e6, system / 1e6],
    residentMemory: [rss],
    heapUsed: [heapUsed],
  })
}
