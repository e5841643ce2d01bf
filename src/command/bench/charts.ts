// The charts of the report, as SVG: lines over an axis, and bars. Colours are those of the page, in light and dark.
import { escaped } from '../../html/escaped.js'

const WIDTH = 480
const HEIGHT = 240
const LEFT = 62
const RIGHT = 26
const TOP = 12
const BOTTOM = 34
const ACROSS = WIDTH - LEFT - RIGHT
const DOWN = HEIGHT - TOP - BOTTOM
const TICKS = 4

/** A line: its name, its class, which says its colour, and its points. */
export interface Line {
  readonly name: string
  readonly style: 'first' | 'second'
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** Labels of an axis, each at its value. */
type Labels = readonly (readonly [at: number, label: string])[]

interface Axes {
  readonly title: string
  /** The ends of the horizontal axis. */
  readonly from: number
  readonly to: number
  readonly below: Labels
  /** How a value of the vertical axis is written; it begins at 0. */
  readonly said: (value: number) => string
}

/** Lines over an axis. */
export function lineChart(axes: Axes, lines: readonly Line[]): string {
  const top = roundedUp(Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y)), 0))
  const x = (value: number): number => LEFT + ((value - axes.from) / Math.max(axes.to - axes.from, 1e-9)) * ACROSS
  const y = (value: number): number => TOP + DOWN - (value / top) * DOWN
  const drawn = lines.map(({ points, style, name }) => {
    const path = points.map(([at, value], n) => `${n === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`)
    const dots = points.map(
      ([at, value]) =>
        `<circle class="${style}" cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3"><title>${escaped(`${name}: ${axes.said(value)}`)}</title></circle>`,
    )
    return `<path class="${style}" d="${path.join('')}"/>${points.length > 60 ? '' : dots.join('')}`
  })
  const below = axes.below.map(([at, label]) => belowAt(x(at), label))
  return figure(axes.title, lines, [grid(top, y, axes.said), ...below, ...drawn])
}

/** A bar for each value. */
export function barChart(
  title: string,
  bars: readonly (readonly [label: string, value: number])[],
  said: Axes['said'],
): string {
  const top = roundedUp(Math.max(...bars.map(([, value]) => value), 0))
  const y = (value: number): number => TOP + DOWN - (value / top) * DOWN
  const step = ACROSS / Math.max(bars.length, 1)
  const every = Math.ceil(bars.length / 6)
  const drawn = bars.map(([label, value], at) => {
    const left = LEFT + at * step + 1
    const height = value === 0 ? 0 : Math.max(TOP + DOWN - y(value), 1)
    const bar = `<rect class="first" x="${left.toFixed(1)}" y="${(TOP + DOWN - height).toFixed(1)}" width="${Math.max(step - 2, 1).toFixed(1)}" height="${height.toFixed(1)}"><title>${escaped(`up to ${label}: ${said(value)}`)}</title></rect>`
    return at % every === 0 ? bar + belowAt(left + step / 2, label) : bar
  })
  return figure(title, [], [grid(top, y, said), ...drawn])
}

function figure(title: string, lines: readonly Line[], parts: readonly string[]): string {
  const legend =
    lines.length < 2
      ? ''
      : lines.map(({ name, style }) => `<span class="key ${style}">${escaped(name)}</span>`).join('')
  return `<figure><figcaption>${escaped(title)}${legend}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${parts.join('')}</svg></figure>`
}

function grid(top: number, y: (value: number) => number, said: Axes['said']): string {
  const ticks = Array.from({ length: TICKS + 1 }, (_, tick) => (top / TICKS) * tick)
  return ticks
    .map((value) => {
      const at = y(value).toFixed(1)
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${escaped(said(value))}</text>`
    })
    .join('')
}

function belowAt(x: number, label: string): string {
  return `<text x="${x.toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escaped(label)}</text>`
}

/** The next of 1, 2, 4, 5, 8 and 10 with zeros, so that a quarter of it is a short number. */
function roundedUp(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 8, 10].find((step) => step * power >= value) ?? 10) * power
}
