// Memory of long messages that has been given back is used again, instead of being taken from the system anew: told by page faults.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'

const MIB = 1024 * 1024
/** As many as V8 leaves to one collection. */
const MESSAGES = 24
const PAGE = 4096

/** The C library has mallopt of glibc, which says its version. */
const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
/** How Linux is set to take memory in pages of 2 MiB: where it always does, there are too few faults to tell anything. */
const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled'
const areHuge = existsSync(HUGE_PAGES) && readFileSync(HUGE_PAGES, 'latin1').includes('[always]')
const isOther = header?.glibcVersionRuntime === undefined
const skip = isOther ? 'the C library is not glibc' : areHuge && 'memory is taken in huge pages'

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
