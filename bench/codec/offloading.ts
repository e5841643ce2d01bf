// From which length on is work worth a thread? What handing a task over costs the main thread, against what doing the
// work there costs it. This sets the defaults of the pool's thresholds.
import { createHash } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Piscina } from 'piscina'
import { atEnd, jsonOf } from './material.js'
import { type Case, type CaseResult, type Step, timeOf, type Way, way } from './measure.js'
import type { Task } from './threadTask.js'

const KIB = 1024
const TASKS = 256
const SIZES = [1, 4, 16, 64, 256, 1024, 4096, 16_384].map((kib) => kib * KIB)

/** The two steps belong together: the second is judged by what the first one found. */
export function offloadSteps(): readonly Step[] {
  let cost = 0
  return [
    {
      name: 'hand-over to a thread',
      operation: 'one task',
      note:
        'piscina, with one thread, which waits for a message or for Atomics.notify. "main thread" is the time in which the main event loop was busy ' +
        '(eventLoopUtilization) for a task: handing it over, being woken, taking the answer. The thread does nothing. One in flight wakes both threads for ' +
        'each task; of 16, most are found without.',
      *cases() {
        yield handOverCase('postMessage', 'disabled')
        yield handOverCase('Atomics.notify', 'sync')
      },
      conclude(results) {
        cost = timeOf(results[0], ONE)
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

const MOST_IN_FLIGHT = 16
const TASK: Task = { pointer: 65_536, length: 1024 }
const ONE = 'main thread, 1 in flight'
const WORK = ['JSON.parse', 'sha256', 'inflate'] as const

function handOverCase(label: string, atomics: 'disabled' | 'sync'): Case {
  const filename = new URL('./threadTask.js', import.meta.url).href
  const pool = new Piscina<Task, number>({
    filename,
    atomics,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: MOST_IN_FLIGHT,
  })
  atEnd(() => void pool.destroy())
  const ready = pool.run(TASK) // the thread's start is in no figure
  const timed = (name: string, inFlight: number, clock: () => () => number): Way => ({
    name,
    ours: true,
    async run(repeats) {
      await ready
      const since = clock()
      await handOver(pool, repeats, inFlight)
      return { overriddenDuration: since() }
    },
  })
  return {
    label,
    length: 0,
    ways: [
      timed(ONE, 1, busyTime),
      timed(`main thread, ${MOST_IN_FLIGHT} in flight`, MOST_IN_FLIGHT, busyTime),
      timed('round trip, 1 in flight', 1, wallTime),
    ],
    repeats: TASKS,
  }
}

/** Milliseconds from now on: in which the main thread's event loop was busy, or all of them. */
function busyTime(): () => number {
  const before = performance.eventLoopUtilization()
  return () => performance.eventLoopUtilization(before).active
}

function wallTime(): () => number {
  const before = performance.now()
  return () => performance.now() - before
}

/** Hands over so many tasks, never more than `inFlight` ahead of the answers; resolves with the last answer. */
async function handOver(pool: Piscina<Task, number>, tasks: number, inFlight: number): Promise<void> {
  let left = tasks
  const hand = async (): Promise<void> => {
    while (left-- > 0) {
      await pool.run(TASK)
      // One by one, each task gets a turn of the loop: else both threads find the next message before they fall asleep,
      // and what waking them costs, which a single large message pays in full, is in no figure.
      if (inFlight === 1) await nextTurn()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, hand))
}

function inlineCase(length: number): Case {
  const text = jsonOf(length)
  const deflated = deflateRawSync(text)
  const [json, sha256, inflate] = WORK
  return {
    label: length < 1024 * KIB ? `${length / KIB} KiB` : `${length / KIB / KIB} MiB`,
    length,
    ways: [
      way(json, () => JSON.parse(text.toString('utf8')), true),
      way(sha256, () => createHash('sha256').update(text).digest(), true),
      way(inflate, () => inflateRawSync(deflated), true),
    ],
  }
}

function crossovers(results: readonly CaseResult[], cost: number): string {
  const found = WORK.map((name) => {
    const first = results.find((result) => timeOf(result, name) > cost)
    return `${name} from ${first?.label ?? 'more than 16 MiB'} on`
  })
  return `costs the main thread more than handing it over (${(cost / 1000).toFixed(1)} µs): ${found.join(', ')}`
}
