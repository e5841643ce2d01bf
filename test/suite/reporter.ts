// A reporter for node:test that a program reads: a line of JSON for each test. It goes to a file of its own, so that
// nothing a test prints can be mistaken for a result.
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { BEGINS, type Verdict } from './verdict.js'

type Ended = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>

/** What node:test counts at the end. */
const COUNT = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

/** How Node 20 reports a test whose name --test-name-pattern does not match; later versions report nothing. */
const NOT_ASKED_FOR = 'test name does not match pattern'

/** The default export is what node:test asks for. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  const names: string[] = []
  for await (const event of events) {
    if (event.type === 'test:start') names[event.data.nesting] = event.data.name
    else if (event.type === 'test:pass' || event.type === 'test:fail') {
      const verdict = verdictOf(event, names.slice(0, event.data.nesting))
      if (verdict !== undefined) yield `${JSON.stringify(verdict)}\n`
    } else if (event.type === 'test:diagnostic' && !COUNT.test(event.data.message)) {
      const note: Verdict = { path: [], outcome: 'noted', text: event.data.message }
      yield `${JSON.stringify(note)}\n`
    }
  }
}

/** Undefined for a suite, unless something of its own failed, such as a hook. */
function verdictOf({ type, data }: Ended, around: readonly string[]): Verdict | undefined {
  const path = [...around, data.name]
  if (data.name === BEGINS) return { path: [], outcome: 'begins', text: String(performance.now() / 1000) }
  if (/\p{Cc}/u.test(data.name))
    return { path, outcome: 'failed', text: 'its name is no text: write it with inspect()' }
  if (type === 'test:fail') {
    const error: Error & { failureType?: string } = data.details.error
    if (error.failureType === 'subtestsFailed') return undefined
    return { path, outcome: 'failed', text: inspect(error.cause ?? error) }
  }
  if (data.details.type === 'suite' && data.skip === undefined) return undefined
  if (data.skip === NOT_ASKED_FOR) return undefined
  if (data.skip === undefined || data.skip === false) return { path, outcome: 'passed', text: '' }
  return { path, outcome: 'skipped', text: typeof data.skip === 'string' ? data.skip : 'without a reason' }
}
