// What an attack makes the server hold: when the peers have gone silent but stay, and after they have left.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Aftermath, PATIENCE, watched } from './aftermath.js'
import type { Attack } from './attack.js'
import type { Pace } from './processes.js'

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
const NOTHING = { sent: 0, resident: 0, live: 0 }

export function holdingOf(attack: Attack, checkout: string, pace: Pace): Promise<{ readonly done: Promise<Holding> }> {
  return watched(checkout, pace, NOTHING, async (processes, baseline) => {
    await processes.attack(attack.name)
    await sleep((pace.quick ? pace.seconds : Math.max(attack.seconds ?? 0, ATTACK)) * 1000)
    const sent = await processes.hush()
    await sleep((pace.quick ? SILENCE / 10 : SILENCE) * 1000)
    const { resident, live } = await processes.memory(PATIENCE)
    return { sent, resident: resident - baseline.resident, live: live - baseline.live }
  })
}
