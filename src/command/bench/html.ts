// The report as one HTML file: it needs no network and no script, follows light and dark, and fits a phone.
import { escaped } from '../../html/escaped.js'
import type { LoadOptions, LoadResult } from '../../load/load.js'
import { barChart, type Line, lineChart } from './charts.js'
import { countedLines, unitOf } from './patternWords.js'
import { loadOf } from './report.js'
import type { Verdict } from './threshold.js'
import { short, time, whole } from './words.js'

const STYLE = `
:root { color-scheme: light dark; --ground: #fbfbfa; --raised: #fff; --ink: #1c2024; --quiet: #5b636b; --line: #dfe2e5;
  --good: #10703c; --bad: #b3261e; --first: #0b6f6c; --second: #b45309 }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --raised: #1c2024; --ink: #e9ecef; --quiet: #a3abb3;
  --line: #31373d; --good: #66cc91; --bad: #ff8a80; --first: #4dc3bf; --second: #f0a95b } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { margin: 0; font-size: 1.5rem } h2 { margin: 1.75rem 0 .5rem; font-size: 1.1rem }
p { margin: 0 } .quiet, figcaption { color: var(--quiet); font-size: .9rem }
.good { color: var(--good) } .bad { color: var(--bad) }
.note { border-left: 3px solid var(--bad); padding: .25rem .75rem; margin-top: 1rem; background: var(--raised) }
.tiles { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; padding: 0; margin: 1.25rem 0 }
.tiles li, figure { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem }
.tiles b { display: block; font-size: 1.4rem; line-height: 1.3; font-variant-numeric: tabular-nums }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: .75rem }
figure { margin: 0; min-width: 0 } svg { width: 100%; height: auto; display: block; margin-top: .25rem }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif } .grid { stroke: var(--line); fill: none }
path { fill: none; stroke-width: 2; stroke-linejoin: round } path.first { stroke: var(--first) } path.second { stroke: var(--second) }
circle.first, rect.first { fill: var(--first) } circle.second { fill: var(--second) }
.key { margin-left: 1rem; white-space: nowrap } .key::before { content: ''; display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .35rem; background: var(--first) }
.key.second::before { background: var(--second) }
table { border-collapse: collapse; font-size: .9rem; width: 100% } td, th { text-align: left; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; color: var(--quiet); white-space: nowrap }
`

export function htmlOf(options: LoadOptions, result: LoadResult, verdicts: readonly Verdict[]): string {
  const { error, generator } = result
  const notes = [
    error === undefined ? '' : `<p class="note">${escaped(error)}</p>`,
    generator.limit === undefined
      ? ''
      : `<p class="note">The load generator was the limit: ${escaped(generator.limit)}.</p>`,
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Load of ${escaped(options.url.host)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Load</h1>
<p class="quiet">${escaped(loadOf(options))}</p>
</header>
${notes.join('')}
${tiles(unitOf(options), result)}
${verdictsOf(verdicts)}
<div class="charts">
${overTime(unitOf(options), result)}
${distribution(unitOf(options), result)}
</div>
<h2>Figures</h2>
${figures(result)}
</main>
</body>
</html>
`
}

function tiles(unit: string, { messagesPerSecond, messages, latency, disorder, error }: LoadResult): string {
  const { lost = 0, doubled = 0, reordered = 0 } = disorder ?? {}
  const wrong = lost + doubled + reordered
  const errors = wrong > 0 ? whole(wrong) : error === undefined ? 'none' : 'failed'
  const all = [
    [whole(messagesPerSecond), `${unit} per second`, ''],
    [whole(messages), unit, ''],
    [time(latency.p50), 'p50', ''],
    [time(latency.p99), 'p99', ''],
    [time(latency.max), 'longest', ''],
    [errors, 'errors', errors === 'none' ? 'good' : 'bad'],
  ] as const
  return `<ul class="tiles">${all.map(([value, name, style]) => `<li><b class="${style}">${value}</b> <span class="quiet">${name}</span></li>`).join('')}</ul>`
}

function verdictsOf(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return ''
  const rows = verdicts.map(
    ({ threshold: { text }, value, ok }) =>
      `<tr><td>${escaped(text)}</td><td>${Number(value.toPrecision(4))}</td><td class="${ok ? 'good' : 'bad'}">${ok ? 'holds' : 'does not hold'}</td></tr>`,
  )
  return `<h2>Thresholds</h2><table><thead><tr><th>threshold</th><th>measured</th><th>verdict</th></tr></thead><tbody>${rows.join('')}</tbody></table><h2>Charts</h2>`
}

/** Rate and latency, interval by interval. */
function overTime(unit: string, { intervals }: LoadResult): string {
  const to = intervals.at(-1)?.at ?? 1
  const below = [0, to / 2, to].map((at) => [at, `${Number(at.toFixed(1))} s`] as const)
  const line = (name: string, style: Line['style'], of: (interval: (typeof intervals)[number]) => number): Line => ({
    name,
    style,
    points: intervals.map((interval) => [interval.at, of(interval)]),
  })
  const axes = { from: 0, to, below }
  const rate = line(`${unit} per second`, 'first', ({ messagesPerSecond }) => messagesPerSecond)
  const p50 = line('p50', 'first', ({ p50 }) => p50)
  const p99 = line('p99', 'second', ({ p99 }) => p99)
  return [
    lineChart({ ...axes, title: `${unit.charAt(0).toUpperCase()}${unit.slice(1)} per second`, said: thousands }, [
      rate,
    ]),
    lineChart({ ...axes, title: 'Latency over time', said: time }, [p50, p99]),
  ].join('\n')
}

/** How the latencies are spread. */
function distribution(unit: string, { histogram, latencies }: LoadResult): string {
  const total = histogram.reduce((sum, [, count]) => sum + count, 0)
  const bars = histogram.map(([edge, count]) => [time(edge), total === 0 ? 0 : (count / total) * 100] as const)
  const percents = [0, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 99.999].filter(
    (percent) => percent === 0 || latencies.count * (1 - percent / 100) >= 1,
  )
  const nines = (percent: number): number => -Math.log10(1 - percent / 100)
  const values = latencies.percentiles(percents)
  const points = percents.map((percent, at) => [nines(percent), (values[at] ?? 0) / 1000] as const)
  const below = [50, 90, 99, 99.9, 99.99, 99.999].filter((percent) => percents.includes(percent))
  const axes = {
    title: 'Latency by percentile',
    from: 0,
    to: nines(percents.at(-1) ?? 50),
    below: below.map((percent) => [nines(percent), `${percent} %`] as const),
    said: time,
  }
  return [
    barChart(`Share of ${unit} by latency`, bars, (value) => `${short(value)} %`),
    lineChart(axes, [{ name: 'latency', style: 'first', points }]),
  ].join('\n')
}

function figures(result: LoadResult): string {
  const { latency, disorder, generator, seconds, connecting, greetings } = result
  const rows: readonly (readonly [string, string])[] = [
    ['measured', `${seconds.toFixed(2)} s`],
    ...Object.entries(latency).map(([name, value]) => [name.replace('p999', 'p99.9'), time(value)] as const),
    ['bytes sent', `${short(result.sentMegabytesPerSecond)} MB/s`],
    ['bytes received', `${short(result.receivedMegabytesPerSecond)} MB/s`],
    ['opening a connection', `${time(connecting.percentile(50) / 1000)} (p50), ${time(connecting.max / 1000)} at most`],
    ['greetings', whole(greetings)],
    ...countedLines(result),
    ...(disorder === undefined ? [] : Object.entries(disorder).map(([name, count]) => [name, whole(count)] as const)),
    [
      'load generator',
      `${Math.round(generator.cpu * 100)} % of a core, event loop delayed by ${time(generator.loopDelay * 1000)} (p99)`,
    ],
  ]
  return `<table><tbody>${rows.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join('')}</tbody></table>`
}

function thousands(value: number): string {
  if (value >= 1e6) return `${short(value / 1e6)} M`
  return value >= 1000 ? `${short(value / 1000)} k` : short(value)
}
