// `millrace conform`: sees whether the server can be tested at all, runs the cases, and writes the reports.
import type { Case, Outcome } from '../../conform/case.js'
import { shownSection } from '../../conform/cases.js'
import { problemOf } from '../../conform/probe.js'
import { htmlReport } from '../../conform/reports/html.js'
import { jsonReport } from '../../conform/reports/json.js'
import { junitReport } from '../../conform/reports/junit.js'
import { hasFailed, type Report } from '../../conform/reports/report.js'
import { textReport } from '../../conform/reports/text.js'
import { runCases } from '../../conform/run.js'
import { printable } from '../../protocol/printable.js'
import { mustBeWritable, writeReport } from '../reportFiles.js'
import { print } from '../standardStreams.js'
import type { ConformOptions } from './arguments.js'

/** Runs the cases and prints what came of them; returns the exit code. Throws a UsageError if a file can't be written. */
export async function conform(options: ConformOptions): Promise<number> {
  const { target, strict, json, junit, html } = options
  mustBeWritable(Object.entries({ json, junit, html }))
  const subject = target.unix ?? `${target.url.protocol}//${target.url.host}${target.url.pathname}`
  const problem = await problemOf(target, options.timeout)
  if (problem !== undefined) return fail(`${subject} ${problem}`)
  const begun = performance.now()
  const progress = new Progress(options.cases.length)
  let outcomes: readonly Outcome[]
  try {
    outcomes = await runCases({ ...options, ended: () => progress.step() })
  } catch (error) {
    return fail(`${subject} ${error instanceof Error ? error.message : error}`)
  } finally {
    progress.end()
  }
  const report = { subject, outcomes, strict, milliseconds: Math.round(performance.now() - begun) }
  print(textReport(report))
  return write(options, report) && !hasFailed(report) ? 0 : 1
}

/** Prints the cases, a line each. */
export function list(cases: readonly Case[]): void {
  for (const { id, level, title, section } of cases)
    print(`${id.padEnd(18)}${level.padEnd(8)}${title} (${shownSection(section)})`)
  print(`${cases.length} cases`)
}

/** Writes the files that are asked for; false if one can't be written. */
function write({ json, junit, html }: ConformOptions, report: Report): boolean {
  const files: readonly (readonly [file: string | undefined, content: () => string])[] = [
    [json, () => `${JSON.stringify(jsonReport(report), undefined, 2)}\n`],
    [junit, () => junitReport(report)],
    [html, () => htmlReport(report)],
  ]
  const problems = files.flatMap(([file, content]) => (file && writeReport(file, content())) || [])
  for (const problem of problems) fail(problem)
  return problems.length === 0
}

function fail(problem: string): number {
  console.error(`millrace: ${printable(problem)}`)
  return 1
}

/** How many cases are done, on a terminal only. */
class Progress {
  readonly #all: number
  #done = 0

  constructor(all: number) {
    this.#all = all
  }

  step(): void {
    this.#done++
    if (process.stderr.isTTY && this.#done % 10 === 0) process.stderr.write(`\r${this.#done} of ${this.#all} cases`)
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u{1b}[K')
  }
}
