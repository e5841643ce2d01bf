// What a person reads: one table a suite.
import type { Row, SuiteResult } from './measure.js'

const NOTE_WIDTH = 110

export function reportOf(suite: SuiteResult): string {
  const rows = suite.cases.flatMap(({ label, length, rows: found }) =>
    found.map((row, index) => [index === 0 ? label : '', row.name, ...cells(row, length)]),
  )
  const heading = ['', '', 'ops/s', 'ns/op', 'GB/s', '× best peer']
  const lines = [`\n${suite.name} (${suite.operation})`, ...wrap(suite.note), ...table([heading, ...rows])]
  if (suite.conclusion !== null) lines.push(`→ ${suite.conclusion}`)
  return lines.join('\n')
}

function cells({ operationsPerSecond, nanoseconds, timesBestPeer }: Row, length: number): string[] {
  const rate = length / nanoseconds
  return [
    Math.round(operationsPerSecond).toLocaleString('en'),
    nanoseconds < 100 ? nanoseconds.toFixed(1) : Math.round(nanoseconds).toLocaleString('en'),
    rate < 0.05 || rate > 500 ? '' : rate.toFixed(1), // faster than memory: no byte was touched
    timesBestPeer === null ? '' : timesBestPeer.toFixed(timesBestPeer < 0.1 ? 4 : 2),
  ]
}

/** Lines up columns: the first two to the left, figures to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

function wrap(text: string): string[] {
  const lines: string[] = []
  let line = ' '
  for (const word of text.split(' ')) {
    if (line.length + word.length >= NOTE_WIDTH) {
      lines.push(line)
      line = ' '
    }
    line += ` ${word}`
  }
  return [...lines, line]
}
