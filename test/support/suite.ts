// How much a random test does: enough to notice in the quick suite, and as much as it takes in the full one.

/** `quick`, or `full` where the full suite is asked for: MILLRACE_FULL=1. */
export function amount(quick: number, full: number): number {
  return process.env['MILLRACE_FULL'] === '1' ? full : quick
}
