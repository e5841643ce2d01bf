// What is left of an attack when its peers have left: looked at until nothing is, or until every limit of time is over.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Memory } from './target.js'
import type { Pace, Yard } from './yard.js'

export interface Aftermath {
  /** Bytes in use above what was in use before, and the connections that the server still has. */
  readonly after: number
  readonly connections: number
  /** Seconds after which nothing was held any more; null if that did not come. */
  readonly freed: number | null
  readonly problems: readonly string[]
}

/** Less than this is the noise of a garbage collector: nothing is held. */
export const NOTHING = 2 ** 20
/** How long the server's own answers are waited for, in milliseconds. */
export const PATIENCE = 15_000
const FIRST_LOOK = 500
const NEXT_LOOK = 5000
/** Longer than the limits of time, of which the longest is a minute. */
const LONGEST_LIMIT = 80_000
const FRESH = { connections: 1, interval: 10, newcomers: 0 } as const

/** What a server holds that has served honest peers: code is compiled, and memory made. */
export async function baselineOf(yard: Yard, pace: Pace): Promise<Memory> {
  await yard.begin({ connections: 5, interval: 2, newcomers: 10 })
  await sleep(pace.quick ? 50 : 300)
  await yard.end(PATIENCE)
  await sleep(pace.quick ? 20 : 100)
  return yard.memory(PATIENCE)
}

/** Ends the attackers and, when all is over, the yard. */
export async function aftermathOf(yard: Yard, baseline: Memory, pace: Pace): Promise<Aftermath> {
  try {
    await yard.leave()
    await yard.dismiss()
    const found = await lookOften(yard, baseline, pace.quick ? 1000 : LONGEST_LIMIT)
    return { ...found, problems: await fresh(yard) }
  } catch (error) {
    return { after: 0, connections: 0, freed: null, problems: [yard.ended ?? messageOf(error)] }
  } finally {
    await yard.close()
  }
}

async function lookOften(yard: Yard, baseline: Memory, longest: number): Promise<Omit<Aftermath, 'problems'>> {
  const began = performance.now()
  for (let pause = Math.min(FIRST_LOOK, longest / 4); ; pause = Math.min(NEXT_LOOK, longest / 4)) {
    await sleep(pause)
    const { live, connections } = await yard.memory(PATIENCE)
    const passed = performance.now() - began
    const after = Math.max(0, live - baseline.live)
    if (after < NOTHING && connections === 0) return { after, connections, freed: passed / 1000 }
    if (passed > longest) return { after, connections, freed: null }
  }
}

/** Whether a new peer is served. */
async function fresh(yard: Yard): Promise<readonly string[]> {
  try {
    await yard.begin(FRESH)
    await sleep(100)
    const { echoes } = await yard.end(4000)
    return echoes > 0 ? [] : ['a new peer is not answered afterwards']
  } catch (error) {
    return [`afterwards ${messageOf(error)}`]
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
