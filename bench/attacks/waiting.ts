// How long an honest peer waits beside an attack: a small echo every 5 ms, the longest wait of each round.
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../support/talk.js'
import type { Attack } from './attack.js'
import type { HonestResult } from './honest.js'
import type { Pace } from './processes.js'
import { Processes } from './processes.js'

/** Longest waits in milliseconds, of each round. */
export interface Waiting {
  /** The same echo without an attack, the rounds by turns. */
  readonly alone: readonly number[]
  readonly beside: readonly number[]
  /** By how much the honest peer's own process was late, of each round beside the attack. */
  readonly late: readonly number[]
  /** Bytes that the attackers sent in all rounds. */
  readonly sent: number
  /** What else went wrong: peers that were closed, a server that ended. */
  readonly problems: readonly string[]
}

const ONE = { connections: 1, interval: 5, newcomers: 0 } as const
/** A server that does not answer in time is given up when its rounds have taken so many milliseconds. */
const ENOUGH = 25_000
/** Seconds of a round without an attack. */
const ALONE = 0.3
/** Between the end of an attack and the next round. */
const SETTLING = 60

export async function waitingBeside(attack: Attack, checkout: string, pace: Pace): Promise<Waiting> {
  const processes = await Processes.open(checkout)
  const found = {
    alone: [] as number[],
    beside: [] as number[],
    late: [] as number[],
    sent: 0,
    problems: [] as string[],
  }
  const began = performance.now()
  try {
    await processes.begin(ONE) // the first connection warms the code
    await sleep(pace.quick ? 50 : 300)
    await processes.end(pace.patience)
    for (let round = 0; round < pace.rounds && performance.now() - began < budgetOf(attack, pace); round++) {
      found.alone.push((await roundOf(processes, undefined, pace)).account.longest)
      const { account, sent } = await roundOf(processes, attack, pace)
      found.beside.push(account.longest)
      found.late.push(account.late)
      found.sent += sent
      if (account.lost > 0) found.problems.push('the honest peer was closed')
      await sleep(SETTLING)
    }
  } catch (error) {
    found.problems.push(processes.ended ?? messageOf(error))
  } finally {
    await processes.close()
  }
  return { ...found, problems: [...new Set(found.problems)] }
}

function budgetOf({ seconds = 0 }: Attack, pace: Pace): number {
  return ENOUGH + pace.rounds * (Math.max(seconds, pace.seconds) + ALONE) * 1000
}

interface Round {
  readonly account: HonestResult
  readonly sent: number
}

/** Begins before the attack, and ends when it has left. */
async function roundOf(processes: Processes, attack: Attack | undefined, pace: Pace): Promise<Round> {
  await processes.begin(ONE)
  if (attack === undefined) {
    await sleep(Math.min(pace.seconds, ALONE) * 1000)
    return { account: await processes.end(pace.patience), sent: 0 }
  }
  await processes.attack(attack.name)
  await sleep((pace.quick ? pace.seconds : Math.max(attack.seconds ?? 0, pace.seconds)) * 1000)
  const sent = await processes.leave()
  return { account: await processes.end(pace.patience), sent }
}
