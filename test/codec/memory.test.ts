// The memory of the codec is shared between instances and reserved generously. A second instance must not write over
// live state, and a system that grants less address space must still get a server.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { base64 } from '../../src/codec/wasm.generated.js'
import type { EchoReport } from '../support/socketEchoProgram.js'

const PROGRAM = fileURLToPath(new URL('../support/socketEchoProgram.js', import.meta.url))

/** The sections of a WebAssembly module by their numbers (core specification, section 5.5). */
function sectionsOf(module: Buffer): number[] {
  assert.deepEqual([...module.subarray(0, 8)], [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
  const sections: number[] = []
  let at = 8
  while (at < module.length) {
    sections.push(module.readUInt8(at++))
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = module.readUInt8(at++)
      size += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    at += size
  }
  assert.equal(at, module.length)
  return sections
}

test('the module has no data to write over live memory when it is instantiated again', () => {
  const sections = sectionsOf(Buffer.from(base64, 'base64'))
  const [types, imports, exports, start, code, data, dataCount] = [1, 2, 7, 8, 10, 11, 12]
  for (const needed of [types, imports, exports, code]) assert.ok(sections.includes(needed ?? 0), `section ${needed}`)
  for (const forbidden of [start, data, dataCount])
    assert.ok(!sections.includes(forbidden ?? 0), `section ${forbidden}`)
})

const [major = 0] = process.versions.node.split('.').map(Number)
// Node 20 and 22 reserve 10 GB for any memory, however small its maximum, unless their trap handler is off.
const unguarded = major < 24 ? ['--disable-wasm-trap-handler'] : []

for (const [gigabytes, flags] of [
  [32, []],
  [8, unguarded],
  [3, unguarded], // less than the 4 GiB that 32-bit addresses reach
] as const) {
  test(`the server works with ${gigabytes} GB of address space`, {
    skip: process.platform === 'linux' ? false : 'needs ulimit -v',
  }, () => {
    const script = `ulimit -v ${gigabytes * 1_000_000}; exec "$0" "$@"`
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, ...flags, PROGRAM], {
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
      timeout: 60_000,
    })
    assert.equal(stderr, '')
    assert.equal(status, 0)
    const report: EchoReport = JSON.parse(stdout)
    assert.deepEqual(report, { privateApi: true, echo: 'echo', large: true, warnings: [] })
  })
}
