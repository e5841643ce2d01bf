// What millrace is to reach, row by row: relative to a peer of the same rounds, or to another row of its own.
import type { PeerName } from '../support/peers.js'
import { rounded } from '../support/table.js'
import { best, type Row, ratio } from './results.js'

export interface Goal {
  /** The id of the row. */
  readonly row: string
  /** What the figure is divided by. */
  readonly against: string
  /** What is most. */
  readonly most: number
  readonly value: (row: Row, find: (id: string) => Row | undefined) => number | undefined
  /** The peers that must be measured for it. */
  readonly peers: readonly PeerName[]
}

/** At most so many times the figure of a peer. */
export function against(row: string, peer: PeerName, most: number, subject: PeerName = 'millrace'): Goal {
  return { row, against: peer, most, value: (found) => ratio(found, peer, subject), peers: [peer, subject] }
}

/** At most so many times our own figure of another row. */
export function ours(row: string, other: string, most: number): Goal {
  const value: Goal['value'] = (found, find) => quotient(best(found, 'millrace'), bestOf(find(other), 'millrace'))
  return { row, against: other, most, value, peers: [] }
}

/** From another row on, the figure grows at most as much as that of a peer. */
function growth(row: string, from: string, peer: PeerName): Goal {
  const of = (name: PeerName, found: Row, first: Row | undefined): number | undefined =>
    quotient(best(found, name), bestOf(first, name))
  const value: Goal['value'] = (found, find) => {
    return quotient(of('millrace', found, find(from)), of(peer, found, find(from)))
  }
  return { row, against: `${peer}, growth from ${from}`, most: 1, value, peers: [peer] }
}

export function atMost(row: string, most: number): Goal {
  return { row, against: 'nothing', most, value: (found) => best(found, 'millrace'), peers: [] }
}

function bestOf(row: Row | undefined, peer: PeerName): number | undefined {
  return row === undefined ? undefined : best(row, peer)
}

function quotient(figure: number | undefined, than: number | undefined): number | undefined {
  return figure === undefined || than === undefined || than === 0 ? undefined : figure / than
}

const UWS = 'uWebSockets.js'

export const goals: readonly Goal[] = [
  against('20x1', UWS, 1),
  against('16384x1', UWS, 1),
  against('16384x1', 'floor', 1.05),
  against('65536x1', UWS, 1),
  against('1048576x1', UWS, 0.85),
  against('16777216x1', UWS, 0.85),
  against('utf8-1024', UWS, 1),
  ours('utf8-1024', 'text-1024', 1.03),
  against('tls-1024', 'floor', 1.05),
  against('tls-1024', 'ws', 0.75),
  against('tls-65536', 'floor', 1.05),
  against('tls-65536', 'ws', 0.75),
  against('public-125', 'millrace', 1.3, 'public API'),
  against('public-65536', 'millrace', 1.3, 'public API'),
  against('handshake-cold', UWS, 1.8),
  against('handshake-cold', 'ws', 0.33),
  against('handshake-warm', UWS, 1.3),
  against('handshake-warm', 'ws', 0.35),
  atMost('idle-8000', 2200),
  against('idle-8000', 'ws', 0.35),
  against('paced-1000-p50', UWS, 1.05),
  against('paced-1000', UWS, 1.05),
  against('latency-16MiB-p50', UWS, 0.7),
  against('latency-16MiB', UWS, 0.7),
  growth('growth-8000', 'growth-100', UWS),
  against('growth-10000', UWS, 1),
  against('broadcast-1000x1', UWS, 1.05),
  against('broadcast-1000x16', UWS, 1.05),
  against('import', 'ws', 1),
]

/** Rows without a goal of their own, by which the goals of others are judged. */
const bases: readonly string[] = ['text-1024', 'growth-100']

export function isJudged(id: string): boolean {
  return bases.includes(id) || goals.some(({ row }) => row === id)
}

/** Whether a goal of the row needs the figure of this peer. */
export function isNeeded(id: string, peer: PeerName): boolean {
  const needing = goals.filter(({ row, against }) => row === id || against.endsWith(id))
  return peer === 'millrace' || needing.some(({ peers }) => peers.includes(peer))
}

/** A line for each goal: what it is divided by, the ratio, what was asked, and whether it is reached. */
export function verdicts(
  rows: readonly Row[],
  asked: readonly Goal[] = goals,
): ReadonlyMap<Row, readonly (readonly string[])[]> {
  const find = (id: string): Row | undefined => rows.find((row) => row.id === id)
  return new Map(
    rows.map((row) => {
      const lines = asked.filter((goal) => goal.row === row.id).map((goal) => verdict(goal, goal.value(row, find)))
      return [row, lines]
    }),
  )
}

function verdict({ against, most }: Goal, value: number | undefined): string[] {
  if (value === undefined) return [against, '–', `≤ ${most}`, '–']
  return [against, rounded(value), `≤ ${most}`, value <= most ? 'yes' : 'NO']
}
