// npm run bench:publish: puts the last comparison into the README: its table, and its charts in light and dark.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chartsOf, type Theme } from './charts.js'
import type { Results } from './results.js'
import { markdownTable } from './table.js'

const BEGIN = '<!-- figures: npm run bench && npm run bench:publish -->\n'
const END = '<!-- end of figures -->'
const CHARTS = 'docs/charts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The README's section of figures, and each chart's file. */
export function publication(results: Results): { section: string; files: ReadonlyMap<string, string> } {
  const files = new Map<string, string>()
  const pictures = chartsOf(results).map(({ id, title, caption, svg }) => {
    for (const theme of ['light', 'dark'] as const) files.set(path(id, theme), svg(theme))
    return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="${path(id, 'dark')}">
  <img alt="${title}. ${caption}" src="${path(id, 'light')}">
</picture>`
  })
  const { machine, versions, date } = results
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const origin = `${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores${machine.pinned ? ', server and client on one each' : ''}; ${names.join(', ')}.`
  return { section: `${pictures.join('\n\n')}\n\n${origin}\n\n${markdownTable(results)}\n`, files }
}

/** `readme` with `section` between its two marks. Throws an Error where they are missing. */
export function withSection(readme: string, section: string): string {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`the README lacks its marks: ${BEGIN.trim()} and ${END}`)
  return `${readme.slice(0, begin + BEGIN.length)}\n${section}\n${readme.slice(end)}`
}

function path(id: string, theme: Theme): string {
  return `${CHARTS}/${id}-${theme}.svg`
}

function publish(): void {
  const results: Results = JSON.parse(readFileSync(`${root}build/bench.json`, 'utf8'))
  const { section, files } = publication(results)
  mkdirSync(`${root}${CHARTS}`, { recursive: true })
  for (const [file, svg] of files) writeFileSync(`${root}${file}`, `${svg}\n`)
  writeFileSync(`${root}README.md`, withSection(readFileSync(`${root}README.md`, 'utf8'), section))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) publish()
