// What a part of the benchmark found: a table for people, verdicts on what was to be reached, and the raw figures.
import { availablePeers, type Peer, type PeerName } from '../support/peers.js'
import { rounded, textTable } from '../support/table.js'

/** Small messages at a fixed rate, beside large ones: how long they take shows how long others are held up. */
export const smallEchoes = {
  connections: 10,
  pipeline: 1,
  kind: 'binary',
  verify: false,
  rate: 1000,
  shares: true,
} as const

/** A figure that was to be reached. */
export interface Goal {
  readonly what: string
  readonly value: number
  /** At most so much; or at least, if `least`. */
  readonly limit: number
  readonly least?: boolean
}

export interface Section {
  readonly id: string
  readonly title: string
  /** What each side does, so that a reader can judge whether it is fair. */
  readonly note: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
  /** Every round. */
  readonly raw: unknown
}

export function met({ value, limit, least = false }: Goal): boolean {
  return least ? value >= limit : value <= limit
}

/** What a person reads; with the verdicts, if the figures are good for any. */
export function textOf({ title, note, head, rows, goals }: Section, judge: boolean): string {
  const verdicts = (judge ? goals : []).map((goal) => {
    const { what, value, limit, least } = goal
    return `→ ${what}: ${rounded(value)} (${least ? 'at least' : 'at most'} ${limit}): ${met(goal) ? 'met' : 'MISSED'}`
  })
  return [`\n${title}`, note, '', ...textTable([head, ...rows]), ...verdicts].join('\n')
}

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

/** Megabytes, as limits of memory are given. */
export function megabytes(bytes: number): string {
  return rounded(bytes / 1e6)
}

/** The least of some figures; NaN if there are none. */
export function least(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : Math.min(...values)
}

/** The named peers that can run here; the others are named on standard error. */
export function peersFor(...names: readonly PeerName[]): Peer[] {
  return availablePeers(names, (name, why) => console.error(`${name} ${why}`))
}

/** What each round of a server gave. */
export interface Measured<Round> {
  readonly name: string
  readonly rounds: Round[]
}

/** Measures all servers round after round, by turns. */
export async function byTurns<Subject extends { readonly name: string }, Round>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject) => Promise<Round>,
): Promise<Measured<Round>[]> {
  const found = subjects.map(({ name }): Measured<Round> => ({ name, rounds: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, subject] of subjects.entries()) found[index]?.rounds.push(await measure(subject))
  }
  return found
}

/** The least figure of a server; NaN without one. */
export function leastOf<Round>(
  found: readonly Measured<Round>[],
  name: string,
  figure: (round: Round) => number,
): number {
  return least(found.find((server) => server.name === name)?.rounds.map(figure) ?? [])
}
