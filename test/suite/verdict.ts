// What the process of a test file tells the runner of each of its tests: one line of JSON, written by ./reporter.ts.

export interface Verdict {
  /** The names of the suites and tests around it, and its own. */
  readonly path: readonly string[]
  /**
   * `noted` is what node:test says beside the results, such as an error that came after the end of a test; `begins` says
   * that what follows is of the next file, where several run in one process.
   */
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'noted' | 'begins'
  /** What went wrong, why it was skipped, the note, or seconds since the process began; empty if it passed. */
  readonly text: string
}

/** The name of the test that stands before each file where several run in one process. */
export const BEGINS = 'the next file begins'
