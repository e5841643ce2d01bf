// A thousand attackers of one kind at once, beside ten honest peers and newcomers: who is answered, and when.
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../support/talk.js'
import { type Aftermath, aftermathOf, baselineOf } from './aftermath.js'
import type { Attack } from './attack.js'
import { type Pace, Processes } from './processes.js'

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

/** Resolves with a promise when the attackers are about to leave: whether all is over then takes its minute beside others. */
export async function manyOf(attack: Attack, checkout: string, pace: Pace): Promise<{ readonly done: Promise<Many> }> {
  const attackers = pace.quick ? 50 : 1000
  const processes = await Processes.open(checkout)
  try {
    const baseline = await baselineOf(processes, pace)
    await processes.begin(HONEST)
    await processes.attack(attack.name, attackers)
    await sleep((pace.quick ? pace.seconds : SECONDS) * 1000)
    const sent = await processes.leave()
    const { longest, late, newcomers, lost, unanswered } = await processes.end(PATIENCE)
    const found = { attackers, sent, connected: longest, newcomers: newcomers.longest, late, lost }
    const owed = unanswered === 0 ? [] : [`${unanswered} messages of honest peers were not answered`]
    const done = aftermathOf(processes, baseline, pace).then(({ problems, ...after }) => {
      return { ...found, answers: newcomers.answers, ...after, problems: [...owed, ...problems] }
    })
    return { done }
  } catch (error) {
    const problems = [processes.ended ?? messageOf(error)]
    await processes.close()
    const nothing = { connected: 0, newcomers: 0, late: 0, answers: {}, lost: 0, sent: 0, attackers }
    return { done: Promise.resolve({ ...nothing, after: 0, connections: 0, freed: null, problems }) }
  }
}
