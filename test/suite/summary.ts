// What a person reads at the end of a run: how much there was, what failed and why, what was left out and why, and where
// the time went.
import type { Outcome } from './process.js'

export interface Tally {
  passed: number
  failed: number
  skipped: number
}

/** How many of the slowest files are named. */
const SLOWEST = 5

export function tallyOf(outcomes: readonly Outcome[]): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  for (const { outcome } of outcomes.flatMap(({ verdicts }) => verdicts)) {
    if (outcome !== 'noted' && outcome !== 'begins') tally[outcome]++
  }
  return tally
}

/** One line for a room. */
export function lineOf(room: string, outcomes: readonly Outcome[]): string {
  const { passed, failed, skipped } = tallyOf(outcomes)
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0)
  const parts = [`${String(passed).padStart(5)} passed`]
  if (skipped > 0) parts.push(`${skipped} skipped`)
  if (failed > 0) parts.push(`${failed} FAILED`)
  const files = `${outcomes.length} ${outcomes.length === 1 ? 'file' : 'files'}`
  return `${room.padEnd(12)} ${files.padStart(9)} ${seconds.toFixed(1).padStart(7)} s ${parts.join(', ')}`
}

/** The failed tests of a file with their errors, and what it printed; empty if there are none. */
export function failuresOf({ file, verdicts, printed }: Outcome): string {
  const failed = verdicts.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return ''
  const texts = failed.map(({ path, text }) => `FAILED ${[file.name, ...path].join(' > ')}\n${indented(text)}`)
  if (printed.trim() !== '') texts.push(`What ${file.name} printed:\n${indented(printed.trimEnd())}`)
  return readable(texts.join('\n'))
}

/** Why tests were left out, and how many for each reason. */
export function skipsOf(outcomes: readonly Outcome[]): string[] {
  const reasons = new Map<string, number>()
  for (const { outcome, text } of outcomes.flatMap(({ verdicts }) => verdicts)) {
    if (outcome === 'skipped') reasons.set(text, (reasons.get(text) ?? 0) + 1)
  }
  return [...reasons].map(([reason, count]) => readable(`skipped ${count}: ${reason}`))
}

export function slowestOf(outcomes: readonly Outcome[]): string {
  const slowest = outcomes.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST)
  return `slowest: ${slowest.map(({ file, seconds }) => `${file.name} ${seconds.toFixed(1)} s`).join(', ')}`
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ')
}

/** Without what a terminal would take for an order: bytes that are no text are written as numbers. */
function readable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`)
}
