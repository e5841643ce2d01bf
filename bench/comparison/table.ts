// The comparison as text: a table for the terminal, and the same in Markdown for the README.
import type { PeerName } from '../support/peers.js'
import { markdownTable, textTable } from '../support/table.js'
import { best, type Results, type Row, ratio, roundOf, wasBusy } from './results.js'

/** In the order of the columns. */
export const columns: readonly PeerName[] = ['floor', 'millrace', 'uWebSockets.js', 'Bun', 'ws']

/** A figure with three digits that count. */
export function digits(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value.toPrecision(value >= 1 ? 3 : 2)
}

function cell(row: Row, peer: PeerName): string {
  const value = best(row, peer)
  if (value === undefined) return row.servers[peer]?.problem === undefined ? '–' : 'failed'
  return `${digits(value)}${wasBusy(row, peer) ? '' : '*'}`
}

function relative(row: Row, peer: PeerName): string {
  const value = ratio(row, peer)
  return value === undefined ? '–' : `${value.toFixed(2)}`
}

export const head: readonly string[] = ['', ...columns, '÷ floor', '÷ uWS', '÷ Bun', '÷ ws']

/** With its unit, where that is not time per message. */
export function titleOf({ title, unit }: Row): string {
  if (unit === 'µs per message') return title
  return `${title} (${unit.replace(/ per( later)? handshake| to import/, '')})`
}

/** The cells of a row, in the order of the head. */
export function cells(row: Row): string[] {
  const peers = ['floor', 'uWebSockets.js', 'Bun', 'ws'] as const
  return [titleOf(row), ...columns.map((peer) => cell(row, peer)), ...peers.map((peer) => relative(row, peer))]
}

/** For the terminal. */
export function textOf({ rows, missing }: Results): string {
  return `${textTable([head, ...rows.map(cells)], 1).join('\n')}\n\n${notes(rows, missing)}`
}

/** For the README. */
export function markdownOf({ rows, missing }: Results): string {
  return `${markdownTable([head, ...rows.map(cells)])}\n\n${notes(rows, missing)}`
}

function notes(rows: readonly Row[], missing: Results['missing']): string {
  return [
    'Server CPU time per message in µs, of the least disturbed round; the last columns divide millrace by the others: below 1 is less work.',
    '* The server never had 90 % of its core to do: its CPU time counts, its rate does not.',
    ...rows.flatMap(streamed),
    ...problems(rows, missing),
  ].join('\n')
}

/** How many large messages per second each server echoed beside the small ones whose latency the row tells. */
export function streamed(row: Row): string[] {
  const told = columns.flatMap((peer) => {
    const { beside, latency } = roundOf(row, peer) ?? {}
    if (beside === undefined || latency === undefined) return []
    return [`${peer} ${digits(beside)} (p50 ${digits(latency.p50)}, p99 ${digits(latency.p99)} µs)`]
  })
  return told.length === 0 ? [] : [`${titleOf(row)}: large messages per second: ${told.join(', ')}.`]
}

/** A line for each server that could not run, and for each row in which one failed. */
export function problems(rows: readonly Row[], missing: Results['missing']): string[] {
  return [
    ...Object.entries(missing).map(([peer, reason]) => `${peer} ${reason}.`),
    ...rows.flatMap(({ title, servers }) =>
      Object.entries(servers).flatMap(([peer, { problem }]) =>
        problem === undefined ? [] : [`${peer}, ${title}: ${problem}`],
      ),
    ),
  ]
}
