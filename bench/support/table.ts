// Tables for the terminal and for Markdown, and figures as people read them.

type Rows = readonly (readonly string[])[]

/** Lines up columns: the first `names` to the left, figures to the right. */
export function textTable(rows: Rows, names = 2): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const padded = (cell: string, column: number): string =>
    column < names ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return rows.map((row) => row.map(padded).join('  ').trimEnd())
}

/** The same for Markdown; the first column is names. */
export function markdownTable([head = [], ...rows]: Rows): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = line(head.map((_, column) => (column === 0 ? '---' : '--:')))
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** A figure with three digits that count; a dash for none. */
export function rounded(value: number): string {
  return roundedTo(value, 3, 6)
}

/** The same with so many digits that count, and so many after the point at most. */
export function roundedTo(value: number, digits: number, most: number): string {
  if (!Number.isFinite(value)) return '–'
  const figure = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(digits))
  return figure.toLocaleString('en', { maximumFractionDigits: most })
}
