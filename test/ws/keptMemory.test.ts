// Memory of long messages that has been given back is used again, instead of being taken from the system anew: told by page faults.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const MIB = 1024 * 1024
/** As many as V8 leaves to one collection. */
const MESSAGES = 24
const PAGE = 4096

/** The C library has mallopt of glibc, which says its version. */
const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
const skip = header?.glibcVersionRuntime === undefined && 'the C library is not glibc'

const program = `
import { Buffer } from 'node:buffer'
import { keepMemory } from '${new URL('../../src/ws/keptMemory.js', import.meta.url).href}'
import { giveBack } from '${new URL('../../src/transport/spentChunk.js', import.meta.url).href}'

function faults() {
  const before = process.resourceUsage().minorPageFault
  const messages = Array.from({ length: ${MESSAGES} }, () => Buffer.allocUnsafeSlow(${MIB}).fill(1))
  for (const message of messages) giveBack(message)
  return process.resourceUsage().minorPageFault - before
}

faults()
const before = faults()
keepMemory(${MIB})
faults()
console.log(JSON.stringify([before, faults()]))
`

test('what a collection frees of long messages is used for the next ones', { skip }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  const [before = 0, after = Infinity] = JSON.parse(stdout) as number[]
  const pages = (MESSAGES * MIB) / PAGE
  assert.ok(before > pages / 2, `without it, ${before} faults for ${pages} pages`)
  assert.ok(after < pages / 10, `with it, ${after} faults for ${pages} pages`)
})
