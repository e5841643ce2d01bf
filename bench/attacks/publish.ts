// Puts the figures of the last run into the guide on limits, between two marks.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { manyTableOf, type Results, tableOf } from './report.js'

export const BEGIN = '<!-- figures: npm run bench:attacks -- --publish -->\n'
const END = '<!-- end of figures -->'

const guide = fileURLToPath(new URL('../../../docs/limits.md', import.meta.url))

/** Both tables, with where they come from. */
export function sectionOf(results: Results): string {
  const { date, machine } = results
  const origin = `${date.slice(0, 10)}, Node.js ${machine.node.slice(1)}, ${machine.cpu}, ${machine.cores} cores${machine.pinned ? ', server and clients on one each' : ''}.`
  return `${origin}\n\n${tableOf(results)}\n\nA thousand attackers at once:\n\n${manyTableOf(results)}\n`
}

/** `text` with `section` between its two marks. Throws an Error where they are missing. */
export function withSection(text: string, section: string): string {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END, begin)
  if (begin < 0 || end < begin) throw new Error(`docs/limits.md lacks its marks: ${BEGIN.trim()} and ${END}`)
  return `${text.slice(0, begin + BEGIN.length)}\n${section}\n${text.slice(end)}`
}

export function publish(results: Results): void {
  writeFileSync(guide, withSection(readFileSync(guide, 'utf8'), sectionOf(results)))
}
