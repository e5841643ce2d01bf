// What the rest of millrace relies on in the compiled module: it is small, brings no data that would overwrite a
// memory in use, needs nothing but that memory, and says the same numbers as the constants generated from it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec, violationName } from '../../src/codec/codec.js'
import { Heap } from '../../src/codec/heap.js'
import * as wasm from '../../src/codec/wasm.generated.js'
import { ProtocolViolation, type ViolationName } from '../../src/protocol/violation.js'
import { buildFrame, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { CodecParser } from './codecParser.js'
import { importedMemory, SECTION_DATA, SECTION_IMPORT, SECTION_START, sectionsOf } from './wasmBinary.js'

const LARGEST = 11 * 1024
const PREFIX = 'VIOLATION_'

/** The violations that are the codec's to find; the other ones are found in what a frame says, or in time. */
type Elsewhere =
  | `CLOSE_${string}`
  | `${'MESSAGE' | 'BYTE'}_RATE`
  | 'PAYLOAD_STALLED'
  | 'MEMORY_SPENT'
  | 'STREAM_LEFT'
  | 'IDLE'
  | 'UNREAD'
  | 'OUTPUT_FULL'
  | 'INVALID_JSON'
  | 'INVALID_DEFLATE'
const closeCodes: Record<Exclude<ViolationName, Elsewhere>, number> = {
  RESERVED_BITS: 1002,
  RESERVED_OPCODE: 1002,
  CONTROL_FRAGMENTED: 1002,
  CONTROL_TOO_LONG: 1002,
  CONTINUATION_UNEXPECTED: 1002,
  CONTINUATION_EXPECTED: 1002,
  MASK_MISSING: 1002,
  MASK_FORBIDDEN: 1002,
  LENGTH_NOT_MINIMAL: 1002,
  LENGTH_TOP_BIT: 1002,
  LENGTH_UNSAFE: 1009,
  MESSAGE_TOO_LONG: 1009,
  INVALID_UTF8: 1007,
  TOO_MANY_FRAGMENTS: 1008,
}

interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => object
}

const binary = Buffer.from(wasm.base64, 'base64')
const sections = sectionsOf(binary)

function contentOf(id: number): Buffer | undefined {
  return sections.find((section) => section.id === id)?.content
}

/** The module's exported globals; a u32 comes out of WebAssembly signed. */
function exportedGlobals(): Map<string, number | bigint> {
  const globals = new Map<string, number | bigint>()
  for (const [name, exported] of Object.entries(new Codec().call) as [string, unknown][]) {
    if (typeof exported !== 'object' || exported === null || !('value' in exported)) continue
    const { value } = exported
    if (typeof value === 'bigint') globals.set(name, value)
    else if (typeof value === 'number') globals.set(name, value >>> 0)
  }
  return globals
}

describe('the compiled module', () => {
  it('has no data segment and no start function', () => {
    assert.ok(sections.length > 5, 'the sections were read')
    assert.equal(contentOf(SECTION_DATA), undefined)
    assert.equal(contentOf(SECTION_START), undefined)
  })

  it(`has at most ${LARGEST} bytes`, () => {
    assert.ok(binary.length <= LARGEST, `${binary.length} bytes`)
  })

  it('imports a shared memory and nothing else', () => {
    const imports = contentOf(SECTION_IMPORT)
    assert.ok(imports !== undefined)
    assert.deepEqual(importedMemory(imports), { module: 'env', name: 'memory', shared: true })
  })

  it('exports the numbers of the generated constants, and no others', () => {
    const constants = Object.entries(wasm).filter(([name]) => name !== 'base64')
    const globals = exportedGlobals()
    assert.deepEqual([...globals.keys()].sort(), constants.map(([name]) => name).sort())
    // LONGEST_SAFE is a u64, so a bigint in the module; as a constant it is a number and still exact.
    for (const [name, value] of constants) assert.equal(BigInt(value), BigInt(globals.get(name) ?? -1), name)
    assert.equal(wasm.LONGEST_SAFE, Number.MAX_SAFE_INTEGER)
  })

  it('leaves a memory in use as it is', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true })
    const inUse = new Random(seed).bytes(65_536)
    const bytes = Buffer.from(memory.buffer)
    bytes.set(inUse)
    new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } })
    assert.ok(bytes.equals(inUse))
  })

  it('can be instantiated twice, each instance with a memory and a parser of its own', () => {
    const rules = { masked: false, limit: 1000 }
    const [one, two] = [new CodecParser(rules, new Heap(new Codec())), new CodecParser(rules, new Heap(new Codec()))]
    const frame = buildFrame({ opcode: TEXT, payload: 'one and one' })
    const other = buildFrame({ opcode: TEXT, payload: 'and another' })
    for (let at = 0; at < frame.length; at++) {
      one.feed(frame.subarray(at, at + 1))
      two.feed(other.subarray(at, at + 1))
    }
    assert.equal(one.events[0]?.payload.toString(), 'one and one')
    assert.equal(two.events[0]?.payload.toString(), 'and another')
  })
})

describe('the violations', () => {
  const constants = Object.entries(wasm).filter(([name]) => name.startsWith(PREFIX))

  it('of the codec are those that the protocol knows', () => {
    assert.deepEqual(constants.map(([name]) => name.slice(PREFIX.length)).sort(), Object.keys(closeCodes).sort())
  })

  it('have numbers that are no status and differ', () => {
    const numbers = constants.map(([, value]) => Number(value))
    const statuses = [wasm.STATUS_DONE, wasm.STATUS_AGAIN, wasm.STATUS_REGION]
    assert.equal(new Set([...numbers, ...statuses]).size, numbers.length + statuses.length)
  })

  for (const [constant, number] of constants) {
    it(`${constant} has its name and its close code`, () => {
      const name = violationName(Number(number))
      assert.equal(`${PREFIX}${name}`, constant)
      const violation = new ProtocolViolation(name)
      assert.equal(violation.code, name)
      assert.equal(violation.closeCode, new Map<string, number>(Object.entries(closeCodes)).get(name))
      assert.notEqual(violation.message, '')
    })
  }

  it('no other number has a name', () => {
    for (const status of [wasm.STATUS_DONE, wasm.STATUS_AGAIN, wasm.STATUS_REGION, 3, 30, -1]) {
      assert.throws(() => violationName(status), /neither a status nor a violation/)
    }
  })
})
