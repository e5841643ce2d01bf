// The debug build of the codec is worth what its assertions are worth: each kind is broken here on purpose, and the debug
// build must trap where the release build goes on. It also must be the same codec otherwise.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { CodecExports } from '../../src/codec/instance.js'
import { base64, HEAP, INBOX, MASKED, RESULT, SLOT_SIZE, TABLE } from '../../src/codec/wasm.generated.js'
import { importedMemory, SECTION_DATA, SECTION_IMPORT, SECTION_START, sectionsOf } from './wasmBinary.js'

interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { readonly exports: object }
  readonly RuntimeError: new () => Error
}

const builds = {
  release: Buffer.from(base64, 'base64'),
  debug: readFileSync(new URL('../../../build/codec.debug.wasm', import.meta.url)),
}
const SLOT = HEAP
const REGION = HEAP + 4096

/** A codec with memory of its own. */
function codecOf(build: keyof typeof builds): { call: CodecExports; bytes: Buffer } {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536, shared: true })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(builds[build]), { env: { memory } })
  return { call: exports as CodecExports, bytes: Buffer.from(memory.buffer) }
}

/** A text frame of 10 bytes, and the slot of a client whose message it is. */
function begin({ call, bytes }: ReturnType<typeof codecOf>): void {
  bytes.set(Buffer.from([0x81, 10, ...Buffer.from('abcdefghij')]), INBOX)
  call.openSlot(SLOT, 0, 1000, 0)
}

const broken: readonly (readonly [what: string, run: (codec: ReturnType<typeof codecOf>) => void])[] = [
  ['a span that ends before it begins', ({ call }) => call.parse(SLOT, INBOX + 12, INBOX)],
  ['a span to count that ends before it begins', ({ call }) => call.count(SLOT, INBOX + 12, INBOX)],
  ['a slot that lies in the frame table', ({ call }) => call.openSlot(TABLE, 0, 1000, 0)],
  ['a slot that is not aligned', ({ call }) => call.openSlot(SLOT + SLOT_SIZE + 1, 0, 1000, 0)],
  ['a mask bit that is none', ({ call }) => call.openSlot(SLOT, 1, 1000, 0)],
  ['a limit that no number counts exactly', ({ call }) => call.openSlot(SLOT, MASKED, 2 ** 60, 0)],
  ['a region that lies in the inbox', ({ call }) => call.grant(SLOT, INBOX, 100)],
  ['room without a region', ({ call }) => call.grant(SLOT, 0, 100)],
  [
    'a region that is shorter than what it holds',
    ({ call }) => {
      call.parse(SLOT, INBOX, INBOX + 8)
      call.grant(SLOT, REGION, 20)
      call.parse(SLOT, INBOX + 2, INBOX + 8)
      call.grant(SLOT, REGION, 3)
    },
  ],
  ['a target that overlaps its source', ({ call }) => call.mask(INBOX + 1, INBOX, 10, 0)],
  ['a header of a length that no number counts exactly', ({ call }) => call.header(INBOX, 0x82, 2 ** 60)],
  ['a state that the UTF-8 automaton does not have', ({ call }) => call.validate(9, INBOX, 1)],
  [
    'a slot that something else has written to',
    ({ call, bytes }) => {
      bytes[SLOT + 4] = 200 // so many bytes of a header can't have been carried
      call.parse(SLOT, INBOX, INBOX)
    },
  ],
]

describe('the debug build traps at', () => {
  for (const [what, run] of broken) {
    it(what, () => {
      const codec = codecOf('debug')
      begin(codec)
      assert.throws(() => run(codec), WebAssembly.RuntimeError)
    })
  }

  it('nothing of that in a frame as it comes', () => {
    const codec = codecOf('debug')
    begin(codec)
    assert.equal(codec.call.parse(SLOT, INBOX, INBOX + 12), 0)
    assert.deepEqual([codec.bytes.readUInt32LE(RESULT), codec.bytes.readUInt32LE(TABLE + 8)], [1, 10])
  })
})

it('the debug build has the same exports as the release build, and needs no more', () => {
  const [release, debug] = [codecOf('release'), codecOf('debug')]
  assert.deepEqual(Object.keys(debug.call), Object.keys(release.call))
  const sections = sectionsOf(builds.debug)
  assert.equal(
    sections.some(({ id }) => id === SECTION_DATA || id === SECTION_START),
    false,
  )
  const imports = sections.find(({ id }) => id === SECTION_IMPORT)?.content
  assert.deepEqual(importedMemory(imports ?? Buffer.alloc(0)), { module: 'env', name: 'memory', shared: true })
})

it('the release build has no assertion in it', () => {
  const codec = codecOf('release')
  begin(codec)
  const runs = broken.filter(([what]) => what.startsWith('a target') || what.startsWith('a header'))
  assert.equal(runs.length, 2)
  for (const [, run] of runs) run(codec)
})
