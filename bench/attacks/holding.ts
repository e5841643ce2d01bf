// What an attack makes the server hold: when the peers have gone silent but stay, and after they have left.
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../support/talk.js'
import { type Aftermath, aftermathOf, baselineOf, PATIENCE } from './aftermath.js'
import type { Attack } from './attack.js'
import { type Pace, Processes } from './processes.js'

/** In bytes, above what the server held before. */
export interface Holding extends Aftermath {
  readonly sent: number
  /** While the peers stay connected, silent: the process as the system sees it, and what is in use in it. */
  readonly resident: number
  readonly live: number
}

const ATTACK = 2
/** Seconds after the last byte. */
const SILENCE = 0.5
const NOTHING_SEEN = { sent: 0, resident: 0, live: 0, after: 0, connections: 0, freed: null } as const

/** Resolves with a promise: to watch a server that still holds something takes a minute, beside other measurements. */
export async function holdingOf(
  attack: Attack,
  checkout: string,
  pace: Pace,
): Promise<{ readonly done: Promise<Holding> }> {
  const processes = await Processes.open(checkout)
  let sent = 0
  try {
    const baseline = await baselineOf(processes, pace)
    await processes.attack(attack.name)
    await sleep((pace.quick ? pace.seconds : Math.max(attack.seconds ?? 0, ATTACK)) * 1000)
    sent = await processes.hush()
    await sleep((pace.quick ? SILENCE / 10 : SILENCE) * 1000)
    const { resident, live } = await processes.memory(PATIENCE)
    const found = { sent, resident: resident - baseline.resident, live: live - baseline.live }
    return { done: aftermathOf(processes, baseline, pace).then((after) => ({ ...found, ...after })) }
  } catch (error) {
    const problems = [processes.ended ?? messageOf(error)]
    await processes.close()
    return { done: Promise.resolve({ ...NOTHING_SEEN, sent, problems }) }
  }
}
