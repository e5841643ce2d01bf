// What the process of a test file tells the runner of each of its tests: one line of JSON, written by ./reporter.ts.

export interface Verdict {
  /** The names of the suites and tests around it, and its own. */
  readonly path: readonly string[]
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** What went wrong, or why it was skipped; empty if it passed. */
  readonly text: string
}
