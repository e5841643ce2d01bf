// npm run bench:codec: what each step of the codec costs next to its peers, and the figures that set defaults.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { allocateSuite } from './allocating.js'
import { copySuite, inboxSuite } from './buffering.js'
import { maskSuite, unmaskSuite } from './masking.js'
import { runSuite, type Suite, type SuiteResult } from './measure.js'
import { offloadSuites } from './offloading.js'
import { parseSuites } from './parsing.js'
import { addonsAreNative } from './peers.js'
import { reportOf } from './report.js'
import { serializeSuite } from './serializing.js'
import { validateSuites } from './validating.js'

const HELP = `npm run bench:codec -- [--quick] [--json FILE] [--only TEXT]
  --quick      a millisecond a case: proves that each works, measures nothing
  --json FILE  writes all figures there
  --only TEXT  only suites whose name contains it`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) console.log(HELP)
else await run(values.quick, values.only, values.json)

async function run(quick: boolean, only: string, file: string | undefined): Promise<void> {
  if (!addonsAreNative) console.error('bufferutil or utf-8-validate has no binary here: they are plain JavaScript')
  const suites: readonly Suite[] = [
    unmaskSuite,
    maskSuite,
    ...parseSuites,
    serializeSuite,
    ...validateSuites,
    ...offloadSuites(),
    inboxSuite,
    copySuite,
    allocateSuite,
  ]
  const results: SuiteResult[] = []
  for (const suite of suites.filter(({ name }) => name.includes(only))) {
    const result = await runSuite(suite, quick)
    results.push(result)
    console.log(reportOf(result))
  }
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', addonsAreNative }
  if (file !== undefined) writeFileSync(file, `${JSON.stringify({ quick, machine, suites: results }, null, 2)}\n`)
}
