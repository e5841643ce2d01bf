// The comparison as one HTML page that needs no network: charts, the table, the machine.
import { escaped } from '../../src/html/escaped.js'
import { chartsOf } from './charts.js'
import { BUSY, best, median, type Results, type Row, spread, wasBusy } from './results.js'
import { columns, digits } from './table.js'

const style = `
:root { color-scheme: light dark; --ground: #fff; --ink: #24292f; --faint: #57606a; --line: #d0d7de; --ours: #fff1e8 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d; --ours: #2d1c10 }
  .light { display: none }
}
@media (prefers-color-scheme: light) { .dark { display: none } }
body { background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 2rem 1rem }
h1 { margin-bottom: 0 } h2 { margin-top: 3rem }
p, caption, footer { color: var(--faint) }
figure { margin: 0; overflow-x: auto } svg { max-width: 100%; height: auto }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
.ours { background: var(--ours); font-weight: 600 } small { color: var(--faint); font-weight: 400 }
`

/** The whole page. */
export function pageOf(results: Results): string {
  const { machine, versions, date, rows, missing } = results
  const facts = `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node.js ${versions['node']}`
  const charts = chartsOf(results).map(({ id, title, caption, svg }) => {
    const figures = (['light', 'dark'] as const).map((theme) => `<figure class="${theme}">${svg(theme)}</figure>`)
    return `<section id="${id}"><h2>${escaped(title)}</h2><p>${escaped(caption)}</p>${figures.join('')}</section>`
  })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>millrace, compared</title>
<style>${style}</style>
<h1>millrace, compared</h1>
<p>${escaped(facts)}; ${escaped(date.slice(0, 10))}. Server and client ${machine.pinned ? 'had a core each' : 'shared the cores'}.</p>
${charts.join('\n')}
<h2>Every row</h2>
<p>The figure of the least disturbed round, then the median and how far the rounds lie apart. CPU time is the server's, of
all its threads. * never had ${BUSY * 100} % of its core to do: its CPU time counts, its rate does not.</p>
<div class="scroll"><table><thead><tr><th></th>${columns.map((name) => `<th>${name}</th>`).join('')}</tr></thead>
<tbody>${rows.map(rowOf).join('\n')}</tbody></table></div>
<footer><p>${Object.entries({ ...versions, ...missing })
    .map(([name, value]) => escaped(`${name} ${value}`))
    .join(' · ')}</p></footer>
</html>
`
}

function rowOf(row: Row): string {
  const cells = columns.map((peer) => {
    const value = best(row, peer)
    const ours = peer === 'millrace' ? ' class="ours"' : ''
    if (value === undefined) return `<td${ours}>${escaped(row.servers[peer]?.problem ?? '–')}</td>`
    const detail = `${digits(median(row, peer) ?? 0)} ±${Math.round(spread(row, peer) * 100)} %`
    return `<td${ours}>${digits(value)}${wasBusy(row, peer) ? '' : '*'}<br><small>${detail}</small></td>`
  })
  return `<tr><th>${escaped(row.title)}<br><small>${escaped(row.unit)}</small></th>${cells.join('')}</tr>`
}
