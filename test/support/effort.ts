// How much a test does. `npm test` is to be over in two minutes, so what could go on for long (property tests, soaks,
// floods) does less there; `npm run test:full` does all of it. This is the only file that knows which of them runs, so
// that both run the same files, and nothing is left out of the quick one without a word.

/** MILLRACE_SUITE=full, as `npm run test:full` sets it. */
const isFull = process.env['MILLRACE_SUITE'] === 'full'

/** Rounds, bytes, connections, milliseconds, a list of cases: `quick` in `npm test`, `full` in `npm run test:full`. */
export function effort<Amount>({ quick, full }: { readonly quick: Amount; readonly full: Amount }): Amount {
  return isFull ? full : quick
}

/**
 * For the `skip` option of a test that has no short form: why `npm test` leaves it out; false in the full suite. Prefer
 * `effort`, which leaves nothing out.
 */
export const onlyInFull: string | false = !isFull && 'in the full suite: npm run test:full'
