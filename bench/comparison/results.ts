// What a comparison found, as it is written to JSON, and what can be read from it.
import type { Round } from '../support/loadClient.js'
import type { Machine } from '../support/machine.js'
import type { PeerName } from '../support/peers.js'
import type { Group, Workload } from './workloads.js'

export interface Results {
  readonly date: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** Peers that could not run, and why. */
  readonly missing: Readonly<Partial<Record<PeerName, string>>>
  readonly rows: readonly Row[]
}

export interface Row {
  readonly id: string
  readonly group: Group
  readonly title: string
  readonly unit: Workload['unit']
  readonly servers: Readonly<Partial<Record<PeerName, Measured>>>
}

/** Every raw round of one server in one row, or why there is none. */
export interface Measured {
  readonly rounds: readonly Round[]
  readonly problem?: string
}

/** Below this share of its core, a server was waiting for the load client, and its rate says nothing. */
export const BUSY = 0.9

/** A row's figure for a server: of its least disturbed round. Undefined without one. */
export function best(row: Row, peer: PeerName): number | undefined {
  const rounds = row.servers[peer]?.rounds ?? []
  return rounds.length === 0 ? undefined : Math.min(...rounds.map((round) => figure(row, round)))
}

/** The round that `best` tells of. */
export function roundOf(row: Row, peer: PeerName): Round | undefined {
  return row.servers[peer]?.rounds.find((round) => figure(row, round) === best(row, peer))
}

export function median(row: Row, peer: PeerName): number | undefined {
  const figures = (row.servers[peer]?.rounds ?? []).map((round) => figure(row, round)).sort((a, b) => a - b)
  return figures[Math.floor(figures.length / 2)]
}

/** How far the rounds lie apart, relative to the least. */
export function spread(row: Row, peer: PeerName): number {
  const figures = (row.servers[peer]?.rounds ?? []).map((round) => figure(row, round))
  const least = Math.min(...figures)
  return figures.length === 0 ? 0 : (Math.max(...figures) - least) / least
}

/** The best rate among the rounds in which the server was busy; undefined if it never was. */
export function bestRate(row: Row, peer: PeerName): number | undefined {
  const rounds = (row.servers[peer]?.rounds ?? []).filter(({ busy }) => busy >= BUSY)
  return rounds.length === 0 ? undefined : Math.max(...rounds.map(({ rate }) => rate))
}

/** millrace's figure relative to another's; below 1 is better. */
export function ratio(row: Row, peer: PeerName, subject: PeerName = 'millrace'): number | undefined {
  const ours = best(row, subject)
  const theirs = best(row, peer)
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs
}

/** What the row is about: CPU time, except where its unit says otherwise. */
function figure({ unit }: Row, { cpu, warm = Number.NaN, latency }: Round): number {
  if (unit === 'µs (p99)') return latency?.p99 ?? 0
  if (unit === 'µs (p50)') return latency?.p50 ?? 0
  return unit === 'µs per later handshake' ? warm : cpu
}

/** Whether the server had enough to do for its rate to count, or the row is not about that. */
export function wasBusy({ unit, servers }: Row, peer: PeerName): boolean {
  if (unit === 'bytes per connection' || unit.startsWith('µs (')) return true
  return servers[peer]?.rounds.some(({ busy }) => busy >= BUSY) ?? false
}
