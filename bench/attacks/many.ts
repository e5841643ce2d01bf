// A thousand attackers of one kind at once, beside ten honest peers and newcomers: who is answered, and when.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Aftermath, watched } from './aftermath.js'
import type { Attack } from './attack.js'
import type { Pace } from './processes.js'

export interface Many extends Aftermath {
  readonly attackers: number
  readonly sent: number
  /** Longest waits in milliseconds. */
  readonly connected: number
  readonly newcomers: number
  /** By how much the honest peers' own process was late, at most. */
  readonly late: number
  /** How often newcomers got each answer. */
  readonly answers: Readonly<Record<string, number>>
  /** Honest peers that were closed. */
  readonly lost: number
}

const HONEST = { connections: 10, interval: 50, newcomers: 100 } as const
const SECONDS = 5
const PATIENCE = 5000

const NOTHING = { sent: 0, connected: 0, newcomers: 0, late: 0, answers: {}, lost: 0 }

export function manyOf(attack: Attack, checkout: string, pace: Pace): Promise<{ readonly done: Promise<Many> }> {
  const attackers = pace.quick ? 50 : 1000
  return watched<Omit<Many, keyof Aftermath>>(checkout, pace, { attackers, ...NOTHING }, async (processes) => {
    await processes.begin(HONEST)
    await processes.attack(attack.name, attackers)
    await sleep((pace.quick ? pace.seconds : SECONDS) * 1000)
    const sent = await processes.leave()
    const { longest: connected, late, newcomers, lost, unanswered } = await processes.end(PATIENCE)
    const problems = unanswered === 0 ? [] : [`${unanswered} messages of honest peers were not answered`]
    return {
      attackers,
      sent,
      connected,
      newcomers: newcomers.longest,
      late,
      answers: newcomers.answers,
      lost,
      problems,
    }
  })
}
