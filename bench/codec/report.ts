// What a person reads: a table for each step.
import { textTable } from '../support/table.js'
import type { Row, StepResult } from './measure.js'

const NOTE_WIDTH = 110

export function reportOf(step: StepResult): string {
  const rows = step.cases.flatMap(({ label, length, rows: found }) =>
    found.map((row, index) => [index === 0 ? label : '', row.name, ...cells(row, length)]),
  )
  const heading = ['', '', 'ops/s', 'ns/op', 'GB/s', '× best peer']
  const lines = [`\n${step.name} (${step.operation})`, ...wrap(step.note), ...textTable([heading, ...rows])]
  if (step.conclusion !== null) lines.push(`→ ${step.conclusion}`)
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
