// The process of the attackers.
// usage: attackerProgram; it answers to the questions below.

import { answer, goes } from '../support/talk.js'
import { Attacker } from './attacker.js'
import { attackOf } from './catalogue.js'
import type { Ports } from './target.js'

export interface AttackOrder {
  readonly name: string
  readonly ports: Ports
  /** Connections; default: those of the attack. */
  readonly count?: number
  /** The address they come from. */
  readonly from: string
}

let attacker: Attacker | undefined

/** Everybody connects and goes on, until somebody says otherwise. */
async function attack({ name, ports, count, from }: AttackOrder): Promise<void> {
  const { one, prepare, count: usual = 1 } = attackOf(name)
  const running = new Attacker(ports, from)
  attacker = running
  await prepare?.(running)
  for (let index = 0; index < (count ?? usual); index++) void one(running, index).catch(() => undefined)
}

function leave(): number {
  const sent = attacker?.sent ?? 0
  attacker?.leave()
  return sent
}

function hush(): number {
  attacker?.hush()
  return attacker?.sent ?? 0
}

// Attackers may have the whole core, but not that of the honest peer, whose delays would be taken for the server's.
goes('next')
answer({ attack, hush, leave })
