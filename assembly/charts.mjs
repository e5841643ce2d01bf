// Writes the library that draws the charts of the target's page, uPlot, to src/target/page/uPlot.generated.ts: the page is
// one file that asks nobody for anything, and whoever installs millrace installs no charts. Run before the TypeScript is compiled.
import { readFileSync, writeFileSync } from 'node:fs'

const from = new URL('../node_modules/uplot/', import.meta.url)
const target = new URL('../src/target/page/uPlot.generated.ts', import.meta.url)

const read = (path) => readFileSync(new URL(path, from), 'utf8').trim()
const script = read('dist/uPlot.iife.min.js')
const style = read('dist/uPlot.min.css')
if (/<\/script/i.test(script) || /<\/style/i.test(style)) throw new Error('uPlot can not stand in a page as it is')

const text = `// Made by assembly/charts.mjs from the package uplot. Do not edit.
export const uPlotScript: string = ${JSON.stringify(`/*\n${read('LICENSE')}\n*/\n${script}`)}
export const uPlotStyle: string = ${JSON.stringify(style)}
`

let before = ''
try {
  before = readFileSync(target, 'utf8')
} catch {
  // There is none yet.
}
// A file that is the same keeps its time, so that the compiler has nothing to do.
if (text !== before) writeFileSync(target, text)
