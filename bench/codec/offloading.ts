// From which length on is work worth a thread? What handing a task over costs the main thread, against what doing the
// work there costs it. This sets the defaults of the pool's thresholds.
import { createHash } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { jsonOf } from './material.js'
import { type Case, type CaseResult, type Contender, contender, type Suite } from './measure.js'
import { Pool, type Way } from './pool.js'

const KIB = 1024
const TASKS = 256
const SIZES = [1, 4, 16, 64, 256, 1024, 4096, 16_384].map((kib) => kib * KIB)

/** The two suites belong together: the second is judged by what the first one found. */
export function offloadSuites(): readonly Suite[] {
  let cost = 0
  return [
    {
      name: 'hand-over to a thread',
      operation: 'one task',
      note:
        'A plain worker thread stands in for piscina. "main thread" is the time in which the main event loop was busy ' +
        '(eventLoopUtilization) for a task: handing it over, being woken, taking the answer. The thread does nothing. One in flight wakes both threads for ' +
        'each task; of 16, most are found without.',
      *cases() {
        for (const way of ['postMessage', 'Atomics.notify'] as const) yield handOverCase(way)
      },
      conclude(results) {
        cost = rowOf(results[0], ONE)
        return `a task costs the main thread ${(cost / 1000).toFixed(1)} µs by postMessage, one in flight`
      },
    },
    {
      name: 'work on the main thread',
      operation: 'one message',
      note:
        'Text in an ordinary buffer: decode it and JSON.parse; sha256; inflateRawSync of the same text (a kept handle ' +
        'costs less below 64 KiB). The result of JSON.parse must also be cloned back from a thread, which costs the main ' +
        'thread about as much as parsing: work whose result is small gains most.',
      *cases() {
        for (const length of SIZES) yield inlineCase(length)
      },
      conclude: (results) => crossovers(results, cost),
    },
  ]
}

const ONE = 'main thread, 1 in flight'
const WORK = ['JSON.parse', 'sha256', 'inflate'] as const

function handOverCase(way: Way): Case {
  const pool = new Pool(way)
  const ready = pool.ready()
  const busy = (name: string, inFlight: number): Contender => ({
    name,
    ours: true,
    async run(repeats) {
      await ready
      const before = performance.eventLoopUtilization()
      await pool.run(repeats, inFlight)
      return { overriddenDuration: performance.eventLoopUtilization(before).active }
    },
  })
  const roundTrip: Contender = {
    name: 'round trip, 1 in flight',
    ours: true,
    async run(repeats) {
      await ready
      const before = performance.now()
      await pool.run(repeats, 1)
      return { overriddenDuration: performance.now() - before }
    },
  }
  return {
    label: way,
    length: 0,
    contenders: [busy(ONE, 1), busy('main thread, 16 in flight', 16), roundTrip],
    repeats: TASKS,
    free: () => void pool.close(),
  }
}

function inlineCase(length: number): Case {
  const text = jsonOf(length)
  const deflated = deflateRawSync(text)
  const [json, sha256, inflate] = WORK
  return {
    label: length < 1024 * KIB ? `${length / KIB} KiB` : `${length / KIB / KIB} MiB`,
    length,
    contenders: [
      contender(json, () => JSON.parse(text.toString('utf8')), true),
      contender(sha256, () => createHash('sha256').update(text).digest(), true),
      contender(inflate, () => inflateRawSync(deflated), true),
    ],
  }
}

function crossovers(results: readonly CaseResult[], cost: number): string {
  const found = WORK.map((name) => {
    const first = results.find((result) => rowOf(result, name) > cost)
    return `${name} from ${first?.label ?? 'more than 16 MiB'} on`
  })
  return `costs the main thread more than handing it over (${(cost / 1000).toFixed(1)} µs): ${found.join(', ')}`
}

function rowOf(result: CaseResult | undefined, name: string): number {
  return result?.rows.find((row) => row.name === name)?.nanoseconds ?? Number.NaN
}
