// The curves of the crossover for docs/large-messages.md, in light and in dark.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { draw, type Series, type Theme } from '../comparison/charts.js'
import { labelOf, type Point } from './crossover.js'
import type { Cost } from './largeServers.js'
import { type Work, works } from './work.js'

const FOLDER = fileURLToPath(new URL('../../../docs/charts/', import.meta.url))

/** Told apart without red and green; the place is the line's style. */
const colours: Readonly<Record<Work, string>> = {
  nothing: '#8a8f98',
  'UTF-8 validation': '#b15fd0',
  sha256: '#2b7fd4',
  'JSON.parse': '#e8590c',
}

const charts: Readonly<Record<string, (cost: Cost) => number>> = {
  'crossover-cpu': ({ mainThread }) => mainThread,
  'crossover-answer': ({ answer }) => answer,
}

/** Each chart's file, and its content. */
export function crossoverCharts(points: readonly Point[]): ReadonlyMap<string, string> {
  const sizes = [...new Set(points.map(({ size }) => size))].toSorted((one, other) => one - other)
  const files = new Map<string, string>()
  for (const [name, value] of Object.entries(charts)) {
    const series = works.flatMap((work) => (['inline', 'pool'] as const).map((place) => seriesOf(work, place, value)))
    for (const theme of ['light', 'dark'] as const satisfies Theme[]) {
      const svg = draw({ type: 'line', categories: sizes.map(labelOf), series, unit: 'µs', logarithmic: true }, theme)
      files.set(`${name}-${theme}.svg`, `${svg}\n`)
    }
  }
  return files

  function seriesOf(work: Work, place: 'inline' | 'pool', value: (cost: Cost) => number): Series {
    const data = sizes.map((size) => {
      const point = points.find((candidate) => candidate.work === work && candidate.size === size)
      return point === undefined ? null : value(point[place])
    })
    return { name: `${work}, ${place}`, colour: colours[work], dashed: place === 'pool', data }
  }
}

/** Writes them to docs/charts; returns their names. */
export function writeCharts(points: readonly Point[]): string[] {
  mkdirSync(FOLDER, { recursive: true })
  const files = crossoverCharts(points)
  for (const [name, svg] of files) writeFileSync(FOLDER + name, svg)
  return [...files.keys()]
}
