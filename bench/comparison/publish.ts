// npm run bench:publish: puts the last comparison into the README: its table, and its charts in light and dark.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FiguresPage, publish, root } from '../support/publish.js'
import type { Suite } from '../support/suite.js'
import { chartsOf, type Theme } from './charts.js'
import type { Results } from './results.js'
import { markdownOf } from './table.js'

export const README: FiguresPage = { file: 'README.md', command: 'npm run bench && npm run bench:publish' }
const CHARTS = 'docs/charts'

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
  return { section: `${pictures.join('\n\n')}\n\n${origin}\n\n${markdownOf(results)}\n`, files }
}

function path(id: string, theme: Theme): string {
  return `${CHARTS}/${id}-${theme}.svg`
}

export const suite: Suite = {
  about: 'Puts the charts and the table of build/bench.json, which npm run bench has written, into the README.',
  options: {},
  async run() {
    const results: Results = JSON.parse(readFileSync(`${root}build/bench.json`, 'utf8'))
    const { section, files } = publication(results)
    mkdirSync(`${root}${CHARTS}`, { recursive: true })
    for (const [file, svg] of files) writeFileSync(`${root}${file}`, `${svg}\n`)
    publish(section, README)
    return { figures: {}, ok: true }
  },
}
