// Writes the tables of docs/limits.md, docs/errors.md and docs/metrics.md from those in src/checks/limits.ts,
// src/checks/errors.ts, src/protocol/violation.ts and src/metrics/table.ts: `npm run docs`.
// With --check it writes nothing, and fails if a document is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs'
import { callerErrors } from '../dist/src/checks/errors.js'
import { connectionLimits, serverLimits } from '../dist/src/checks/limits.js'
import { metricTable } from '../dist/src/metrics/table.js'
import { violations } from '../dist/src/protocol/violation.js'
import { boundQuantities, defaultBounds } from '../dist/src/target/bounds.js'
import { corruptions } from '../dist/src/target/corruption.js'
import { asking } from '../dist/src/target/need.js'
import { targetPaths } from '../dist/src/target/paths.js'

const isCheck = process.argv.includes('--check')

/** `16 MiB`, `131,072`: a default as the documents write it. */
function formatted({ unit, byDefault }) {
  const [name, factor] = [
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ].find(([, size]) => unit === 'bytes' && byDefault >= size && byDefault % size === 0) ?? ['', 1]
  return `${(byDefault / factor).toLocaleString('en-US')} ${name}`.trimEnd()
}

function limitsTable(limits, answer) {
  const rows = Object.entries(limits).map(([name, limit]) => [
    `\`${name}\``,
    limit.counted,
    formatted(limit),
    limit.zero ?? 'not allowed',
    limit.atLimit,
    limit.answer,
  ])
  const head = ['option', 'unit', 'default', '0 means', 'what happens at the limit', answer]
  return [row(head), '|---|---|--:|---|---|---|', ...rows.map(row)].join('\n')
}

function errorsTable() {
  const rows = Object.entries(callerErrors).map(([code, [Kind, when, remedy]]) => [
    `\`${code}\``,
    Kind.name,
    when,
    remedy,
  ])
  return [row(['code', 'class', 'when', 'what to do']), '|---|---|---|---|', ...rows.map(row)].join('\n')
}

function violationsTable() {
  const rows = Object.entries(violations).map(([code, [closeCode, text]]) => [`\`${code}\``, closeCode, text])
  return [row(['code', 'close code', 'what the client did']), '|---|--:|---|', ...rows.map(row)].join('\n')
}

/** Labels with all of their values, but for those that stand in another document. */
function labelsOf(labels) {
  return Object.entries(labels)
    .map(([name, values]) => `\`${name}\`${values.length > 20 ? '' : `: ${values.join(', ')}`}`)
    .join('<br>')
}

function metricsTable() {
  const rows = Object.entries(metricTable).map(([member, { name, kind, help, labels }]) => [
    `\`${member}\``,
    `\`${name}\``,
    kind,
    help,
    labelsOf(labels),
  ])
  const head = ['member of `metrics()`', 'name in Prometheus', 'kind', 'what it is', 'labels']
  return [row(head), '|---|---|---|---|---|', ...rows.map(row)].join('\n')
}

function pathsTable() {
  const rows = targetPaths.map(({ path, about, example, parameters, needs, client }) => [
    `\`${path}\`${needs === undefined ? '' : `, with \`${asking[needs]}\``}`,
    about,
    Object.entries(parameters).map(parameterOf).join('<br>'),
    example === path ? '' : `\`${example}\``,
    client,
  ])
  return [
    row(['path', 'what it does', 'parameters', 'example', 'a right client']),
    '|---|---|---|---|---|',
    ...rows.map(row),
  ].join('\n')
}

function parameterOf([name, { about, shown, words }]) {
  return `\`${name}\`: ${about}; ${words(defaultBounds)}${shown === '' ? '' : `; by default ${shown}`}`
}

function corruptionsTable() {
  const rows = Object.entries(corruptions).map(([kind, { about, client }]) => [`\`${kind}\``, about, client])
  return [row(['kind', 'what is sent', 'a right client closes with']), '|---|---|---|', ...rows.map(row)].join('\n')
}

function boundsTable() {
  const rows = Object.entries(boundQuantities).map(([name, quantity]) => [
    `\`${name}\``,
    `\`--bound-${name}\``,
    quantity.unit === 'ms' ? `${formatted(quantity)} ms` : formatted(quantity),
    quantity.help,
  ])
  return [row(['`bounds`', 'option', 'default', 'what it bounds']), '|---|---|--:|---|', ...rows.map(row)].join('\n')
}

/** A row of a table; an empty last cell has a single blank. */
function row(cells) {
  return `| ${cells.join(' | ')} |`.replace(/ {2}\|$/, ' |')
}

/** A document with what stands between its markers `name` replaced. */
function replaced(text, name, table) {
  const [begin, end] = [`<!-- ${name}: npm run docs -->`, `<!-- end of ${name} -->`]
  const [before, rest] = [text.indexOf(begin), text.indexOf(end)]
  if (before < 0 || rest < before) throw new Error(`the markers of "${name}" are missing`)
  return `${text.slice(0, before)}${begin}\n\n${table}\n\n${text.slice(rest)}`
}

function write(name, make) {
  const url = new URL(name, import.meta.url)
  const before = readFileSync(url, 'utf8')
  const after = make(before)
  if (!isCheck) writeFileSync(url, after)
  else if (after !== before) {
    console.error(`docs/${name} is not what its tables say: npm run docs`)
    process.exitCode = 1
  }
}

write('limits.md', (text) => {
  const own = replaced(text, 'limits of a connection', limitsTable(connectionLimits, 'close code, `code`'))
  return replaced(own, 'limits of the server', limitsTable(serverLimits, 'answer'))
})

write('errors.md', (text) =>
  replaced(replaced(text, 'errors of a caller', errorsTable()), 'violations of a peer', violationsTable()),
)

write('metrics.md', (text) => replaced(text, 'metrics', metricsTable()))

write('target.md', (text) => {
  const own = replaced(replaced(text, 'paths', pathsTable()), 'corruptions', corruptionsTable())
  return replaced(own, 'bounds', boundsTable())
})
