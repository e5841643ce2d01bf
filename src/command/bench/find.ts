// `millrace bench --find-rate --p99 5ms`: runs the search, and tells each step and the end of it.
import { loadBy } from '../../load/processes/loadBy.js'
import { type Found, findRate, type SearchStep } from '../../load/search.js'
import { print } from '../standardStreams.js'
import type { BenchCommand } from './arguments.js'
import { loadOf } from './report.js'
import { time, whole } from './words.js'

type Bench = Extract<BenchCommand, { name: 'bench' }>

/** Searches, and tells each step: on standard error if the output is for programs. */
export function found({ load, processes, output }: Bench, bound: number, signal: AbortSignal): Promise<Found> {
  const say = (text: string): void => (output.json ? console.error(text) : print(text))
  const { duration } = load
  say(searching({ ...load, rate: 1 }, bound))
  return findRate({
    bound,
    duration,
    pattern: load.pattern,
    stopped: () => signal.aborted,
    told: (step) => say(stepOf(step)),
    measure: (rate, seconds) => loadBy(processes, { ...load, rate, duration: seconds }, signal),
  })
}

/** What the search has come to, in a sentence. */
export function conclusionOf({ rate, limit, above, steps }: Found, bound: number): string {
  const held = `p99 within ${time(bound)}`
  if (rate === 0) return `no rate was found that holds ${held} (${steps.at(-1)?.reason || 'it was ended'})`
  if (limit === 'none') return `${whole(rate)} messages/s hold ${held}, and no larger rate was tried`
  if (limit === 'server') return `${whole(rate)} messages/s hold ${held}, and ${whole(above)} do not`
  return `the server holds ${held} at ${whole(rate)} messages/s at least. At ${whole(above)} the load generator was the
           limit, not the server: use --processes, or a machine of its own for the load`
}

/** The same for programs. */
export function searchOf({ rate, limit, above, steps }: Found, bound: number): object {
  return { bound, rate, limit, above, steps }
}

function searching(load: Parameters<typeof loadOf>[0], bound: number): string {
  const lines = loadOf(load)
    .replace(/, [\d,]+ per second on schedule/, '')
    .split('. ')
  return `Searching for the largest rate that holds p99 within ${time(bound)}\n${lines.join('\n')}\n`
}

function stepOf({ rate, seconds, p50, p99, verdict, reason, confirms }: SearchStep): string {
  const said = { holds: 'holds', fails: `fails: ${reason}`, generator: `${reason}, but the load generator was late` }
  const longer = confirms ? `, confirmed over ${seconds.toFixed(1)} s` : ''
  const figures = `p50 ${time(p50).padStart(7)}  p99 ${time(p99).padStart(7)}`
  return `  ${whole(rate).padStart(9)}/s  ${figures}  ${said[verdict]}${verdict === 'holds' ? longer : ''}`
}
