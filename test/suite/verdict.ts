// What the process of a test file tells the runner of each of its tests: one line of JSON, written by ./reporter.ts.

export interface Verdict {
  /** The names of the suites and tests around it, and its own. */
  readonly path: readonly string[]
  /** `noted` is what node:test says beside the results, such as an error that came after the end of a test. */
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'noted'
  /** What went wrong, why it was skipped, or the note; empty if it passed. */
  readonly text: string
}
