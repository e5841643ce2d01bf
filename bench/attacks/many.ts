// A thousand attackers of one kind at once, beside ten honest peers and newcomers: who is answered, and when.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Attack } from './attack.js'
import { type Pace, Yard } from './yard.js'

export interface Many {
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
  /** Connections and bytes in use that are left some seconds after the attackers. */
  readonly connections: number
  readonly after: number
  readonly problems: readonly string[]
}

const HONEST = { connections: 10, interval: 50, newcomers: 100 } as const
const SECONDS = 5
const PATIENCE = 5000
/** From the end of the attack to the last look. */
const LATER = 3000

export async function manyOf(attack: Attack, checkout: string, pace: Pace): Promise<Many> {
  const attackers = pace.quick ? 50 : 1000
  const yard = await Yard.open(checkout)
  const nothing = {
    connected: 0,
    newcomers: 0,
    answers: {},
    lost: 0,
    late: 0,
    connections: 0,
    after: 0,
    sent: 0,
    attackers,
  }
  try {
    await yard.begin({ ...HONEST, interval: 5, newcomers: 10 })
    await sleep(pace.quick ? 50 : 300)
    await yard.end(PATIENCE)
    const before = await yard.memory(PATIENCE)
    await yard.begin(HONEST)
    await yard.attack(attack.name, attackers)
    await sleep((pace.quick ? pace.seconds : SECONDS) * 1000)
    const sent = await yard.leave()
    const { longest, late, newcomers, lost, unanswered } = await yard.end(PATIENCE)
    await sleep(pace.quick ? 100 : LATER)
    const { live, connections } = await yard.memory(PATIENCE)
    return {
      attackers,
      sent,
      connected: longest,
      newcomers: newcomers.longest,
      answers: newcomers.answers,
      lost,
      late,
      connections,
      after: Math.max(0, live - before.live),
      problems: unanswered === 0 ? [] : [`${unanswered} messages of honest peers were not answered`],
    }
  } catch (error) {
    return { ...nothing, problems: [yard.ended ?? String(error)] }
  } finally {
    await yard.close()
  }
}
