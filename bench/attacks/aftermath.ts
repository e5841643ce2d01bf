// What the server still holds after an attack: looked at until it holds nothing, or until every limit of time is over.
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../support/talk.js'
import { type Pace, Processes } from './processes.js'
import type { Memory } from './target.js'

export interface Aftermath {
  /** Bytes in use above what was in use before, and the connections that the server still has. */
  readonly after: number
  readonly connections: number
  /** Seconds after which nothing was held any more; null if something was held to the end. */
  readonly freed: number | null
  readonly problems: readonly string[]
}

/** Less than this is the noise of a garbage collector: nothing is held. */
export const NOTHING = 2 ** 20
/** How long the server's own answers are waited for, in milliseconds. */
export const PATIENCE = 15_000
const FIRST_LOOK = 500
const NEXT_LOOK = 5000
/** How long the server is watched: longer than its limits of time, of which the longest is a minute. */
const LONGEST_LIMIT = 80_000
const FRESH = { connections: 1, interval: 10, newcomers: 0 } as const

/**
 * Does the work with a server that has served honest peers, and then looks at what it holds. Resolves with a promise when
 * the attackers are about to leave: to watch a server that still holds something takes a minute, beside other measurements.
 */
export async function watched<Found extends object>(
  checkout: string,
  pace: Pace,
  nothing: Found,
  work: (processes: Processes, baseline: Memory) => Promise<Found & Partial<Pick<Aftermath, 'problems'>>>,
): Promise<{ readonly done: Promise<Found & Aftermath> }> {
  const processes = await Processes.open(checkout)
  try {
    const baseline = await baselineOf(processes, pace)
    const { problems = [], ...found } = await work(processes, baseline)
    const done = aftermathOf(processes, baseline, pace).then((after) => {
      return { ...(found as Found), ...after, problems: [...problems, ...after.problems] }
    })
    return { done }
  } catch (error) {
    const problems = [processes.ended ?? messageOf(error)]
    await processes.close()
    return { done: Promise.resolve({ ...nothing, ...UNSEEN, problems }) }
  }
}

const UNSEEN = { after: 0, connections: 0, freed: null } as const

/** What a server holds after it has served honest peers: its code is compiled, and its memory made. */
async function baselineOf(processes: Processes, pace: Pace): Promise<Memory> {
  await processes.begin({ connections: 5, interval: 2, newcomers: 10 })
  await sleep(pace.quick ? 50 : 300)
  await processes.end(PATIENCE)
  await sleep(pace.quick ? 20 : 100)
  return processes.memory(PATIENCE)
}

/** Ends the attackers and, when all is over, the processes. */
async function aftermathOf(processes: Processes, baseline: Memory, pace: Pace): Promise<Aftermath> {
  try {
    await processes.leave()
    await processes.dismiss()
    const found = await lookOften(processes, baseline, pace.quick ? 1000 : LONGEST_LIMIT)
    return { ...found, problems: await fresh(processes) }
  } catch (error) {
    return { ...UNSEEN, problems: [processes.ended ?? messageOf(error)] }
  } finally {
    await processes.close()
  }
}

async function lookOften(
  processes: Processes,
  baseline: Memory,
  longest: number,
): Promise<Omit<Aftermath, 'problems'>> {
  const began = performance.now()
  for (let pause = Math.min(FIRST_LOOK, longest / 4); ; pause = Math.min(NEXT_LOOK, longest / 4)) {
    await sleep(pause)
    const { live, connections } = await processes.memory(PATIENCE)
    const passed = performance.now() - began
    const after = Math.max(0, live - baseline.live)
    if (after < NOTHING && connections === 0) return { after, connections, freed: passed / 1000 }
    if (passed > longest) return { after, connections, freed: null }
  }
}

/** Whether a new peer is served. */
async function fresh(processes: Processes): Promise<readonly string[]> {
  try {
    await processes.begin(FRESH)
    await sleep(100)
    const { echoes } = await processes.end(4000)
    return echoes > 0 ? [] : ['a new peer is not answered afterwards']
  } catch (error) {
    return [`afterwards ${messageOf(error)}`]
  }
}
