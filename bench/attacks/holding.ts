// What an attack makes the server hold: when the peers have gone silent but stay, and after they have left.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Attack } from './attack.js'
import type { Memory } from './target.js'
import { type Pace, Yard } from './yard.js'

/** In bytes, above what the server held before. */
export interface Holding {
  readonly sent: number
  /** While the peers stay connected, silent: the process as the system sees it, and what is in use in it. */
  readonly resident: number
  readonly live: number
  /** In use after they have left, and the connections that the server still has. */
  readonly after: number
  readonly connections: number
  /** Seconds after which nothing was held any more; null if that did not come. */
  readonly freed: number | null
  readonly problems: readonly string[]
}

/** Less than this is the noise of a garbage collector: nothing is held. */
const NOTHING = 2 ** 20
/** Between two looks, and how long it is looked for: longer than the limits of time, of which the longest is a minute. */
const LOOK = 2000
const LONGEST_LIMIT = 80_000
const ATTACK = 2
const PATIENCE = 15_000

/** Resolves at once with a promise: what becomes of a server that still holds something takes its minute beside others. */
export async function holdingOf(
  attack: Attack,
  checkout: string,
  pace: Pace,
): Promise<{ readonly done: Promise<Holding> }> {
  const yard = await Yard.open(checkout)
  try {
    const baseline = await baselineOf(yard, pace)
    await yard.attack(attack.name)
    await sleep((pace.quick ? pace.seconds : Math.max(attack.seconds ?? 0, ATTACK)) * 1000)
    const sent = await yard.hush()
    await sleep(pace.quick ? 50 : 500)
    const during = await yard.memory(PATIENCE).catch((error: unknown) => {
      throw new Error(`${yard.ended ?? error}, after ${Math.round(sent / 1e6)} MB`)
    })
    await yard.leave()
    await yard.dismiss()
    const found = { sent, resident: during.resident - baseline.resident, live: during.live - baseline.live }
    return { done: afterwards(yard, baseline, pace).then((after) => ({ ...found, ...after })) }
  } catch (error) {
    const problems = [error instanceof Error ? error.message : String(error)]
    await yard.close()
    return {
      done: Promise.resolve({ sent: 0, resident: 0, live: 0, after: 0, connections: 0, freed: null, problems }),
    }
  }
}

/** After an honest peer has been served, so that code is compiled and memory made. */
async function baselineOf(yard: Yard, pace: Pace): Promise<Memory> {
  await yard.begin({ connections: 5, interval: 2, newcomers: 10 })
  await sleep(pace.quick ? 50 : 300)
  await yard.end(PATIENCE)
  await sleep(pace.quick ? 20 : 100)
  return yard.memory(PATIENCE)
}

async function afterwards(
  yard: Yard,
  baseline: Memory,
  pace: Pace,
): Promise<Pick<Holding, 'after' | 'connections' | 'freed' | 'problems'>> {
  const began = performance.now()
  try {
    for (;;) {
      await sleep(pace.quick ? 100 : began + 500 > performance.now() ? 500 : LOOK)
      const { live, connections } = await yard.memory(PATIENCE)
      const seconds = (performance.now() - began) / 1000
      const after = { after: Math.max(0, live - baseline.live), connections, problems: [] }
      if (after.after < NOTHING && connections === 0) return { ...after, freed: seconds }
      if (seconds * 1000 > (pace.quick ? 1000 : LONGEST_LIMIT)) return { ...after, freed: null }
    }
  } catch (error) {
    return { after: 0, connections: 0, freed: null, problems: [yard.ended ?? String(error)] }
  } finally {
    await yard.close()
  }
}
