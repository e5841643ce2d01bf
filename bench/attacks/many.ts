// A thousand attackers of one kind at once, beside ten honest peers and newcomers: who is answered, and when.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Aftermath, aftermathOf, baselineOf, messageOf } from './aftermath.js'
import type { Attack } from './attack.js'
import { type Pace, Yard } from './yard.js'

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
  const yard = await Yard.open(checkout)
  try {
    const baseline = await baselineOf(yard, pace)
    await yard.begin(HONEST)
    await yard.attack(attack.name, attackers)
    await sleep((pace.quick ? pace.seconds : SECONDS) * 1000)
    const sent = await yard.leave()
    const { longest, late, newcomers, lost, unanswered } = await yard.end(PATIENCE)
    const found = { attackers, sent, connected: longest, newcomers: newcomers.longest, late, lost }
    const owed = unanswered === 0 ? [] : [`${unanswered} messages of honest peers were not answered`]
    const done = aftermathOf(yard, baseline, pace).then(({ problems, ...after }) => {
      return { ...found, answers: newcomers.answers, ...after, problems: [...owed, ...problems] }
    })
    return { done }
  } catch (error) {
    const problems = [yard.ended ?? messageOf(error)]
    await yard.close()
    const nothing = { connected: 0, newcomers: 0, late: 0, answers: {}, lost: 0, sent: 0, attackers }
    return { done: Promise.resolve({ ...nothing, after: 0, connections: 0, freed: null, problems }) }
  }
}
