// The charts of a comparison, as SVG: drawn by ECharts on the server's side, once in light and once in dark.
import * as echarts from 'echarts'
import type { PeerName } from '../support/peers.js'
import { best, bestRate, type Results, type Row, ratio } from './results.js'
import { columns } from './table.js'

export type Theme = 'light' | 'dark'

export interface Chart {
  readonly id: string
  readonly title: string
  /** What the reader should see. */
  readonly caption: string
  readonly svg: (theme: Theme) => string
}

/** One colour per server, in every chart; readable on both grounds, and told apart without red and green. */
const colours: Readonly<Record<PeerName, string>> = {
  floor: '#8a8f98',
  'bare handle': '#b3b8c0',
  millrace: '#e8590c',
  'public API': '#f2a33a',
  'uWebSockets.js': '#2b7fd4',
  'uWS dedicated': '#7db3ea',
  Bun: '#b15fd0',
  ws: '#2a9d8f',
}

const inks = {
  light: { text: '#24292f', line: '#d0d7de' },
  dark: { text: '#e6edf3', line: '#3d444d' },
} as const

const SIZE = { width: 860, height: 380 }

type Axis = Record<string, unknown>

export interface Series {
  readonly name: string
  readonly colour: string
  readonly dashed?: boolean
  readonly data: readonly (number | null)[]
}

/** A chart's content. */
export interface Drawing {
  readonly type: 'bar' | 'line'
  readonly categories: readonly string[]
  readonly series: readonly Series[]
  readonly unit: string
  readonly logarithmic: boolean
}

/** A chart as SVG. */
export function draw({ type, categories, series, unit, logarithmic }: Drawing, theme: Theme): string {
  const { text, line } = inks[theme]
  const label = { color: text, fontSize: 12 }
  const axis: Axis = { axisLabel: label, nameTextStyle: label, splitLine: { lineStyle: { color: line } } }
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...SIZE })
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    legend: { textStyle: label, top: 0, itemGap: 24 },
    grid: { left: 70, right: 20, top: 60, bottom: 70 },
    xAxis: { type: 'category', data: categories, ...axis, axisLabel: { ...label, interval: 0, rotate: 30 } },
    yAxis: { type: logarithmic ? 'log' : 'value', name: unit, ...axis },
    series: series.map(({ name, data, colour, dashed = false }) => ({
      name,
      type,
      data,
      itemStyle: { color: colour },
      lineStyle: { type: dashed ? 'dashed' : 'solid' },
    })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

function seriesOf(rows: readonly Row[], value: Figure): Series[] {
  return columns
    .map((name) => ({ name, colour: colours[name], data: rows.map((row) => value(row, name) ?? null) }))
    .filter(({ data }) => data.some((point) => point !== null))
}

type Figure = (row: Row, peer: PeerName) => number | undefined

/** Every chart that the results have data for. */
export function chartsOf({ rows }: Results): readonly Chart[] {
  const ofGroup = (...groups: Row['group'][]): Row[] => rows.filter(({ group }) => groups.includes(group))
  const tiers = ofGroup('tiers')
  const latency = ofGroup('tiers', 'latency').filter((row) => row.unit !== 'µs (p50)' && columns.some(hasLatency(row)))
  const floor = 'Lower is better; 1 is the least that the machine allows.'
  const rate = 'Messages per second, of rounds in which the server was busy.'
  const wait = 'Of a batch, under full load; of a message, at a fixed rate.'
  return [
    ...chart('cpu', 'CPU per message, relative to the floor', floor, tiers, overFloor, '× floor'),
    ...chart('throughput', 'Throughput by tier', rate, tiers, bestRate, 'messages/s'),
    ...chart('latency', 'Latency, 99th percentile', wait, latency, least, 'µs'),
    ...chart(
      'growth',
      'CPU per message, as connections grow',
      'Flat is what you want.',
      ofGroup('growth'),
      best,
      'µs per message',
    ),
  ]
}

function chart(id: string, title: string, caption: string, rows: readonly Row[], value: Figure, unit: string): Chart[] {
  const series = seriesOf(rows, value)
  const type = id === 'growth' ? 'line' : 'bar'
  const drawing = { type, categories: rows.map(categoryOf), series, unit, logarithmic: type === 'bar' } as const
  return series.length === 0 ? [] : [{ id, title, caption, svg: (theme) => draw(drawing, theme) }]
}

function overFloor(row: Row, peer: PeerName): number | undefined {
  return peer === 'floor' ? undefined : ratio(row, 'floor', peer)
}

function hasLatency({ servers }: Row): (peer: PeerName) => boolean {
  return (peer) => servers[peer]?.rounds.some((round) => round.latency) ?? false
}

function categoryOf({ title }: Row): string {
  return title
    .replace(' in flight', '')
    .replace(/^125 B over /, '')
    .replace(/ at 1,000.*while.*/, ' beside 16 MiB')
}

/** The least p99 of a server's rounds, in microseconds. */
function least(row: Row, peer: PeerName): number | undefined {
  const values = (row.servers[peer]?.rounds ?? []).flatMap(({ latency }) =>
    latency === undefined ? [] : [latency.p99],
  )
  return values.length === 0 ? undefined : Math.min(...values)
}
