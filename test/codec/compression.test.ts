// The second module is compiled only where something is compressed, and each connection's state is small: its window
// grows as it is used, and all connections share the tables.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Codec, compressionOf, Heap, heapOfThread } from '../../src/codec/codec.js'
import type { CompressionExports } from '../../src/codec/compression.js'
import * as generated from '../../src/codec/deflate.generated.js'
import { Random, seed } from '../support/random.js'
import { type Cuts, Deflating, Inflating, ZlibDeflating } from './compressing.js'
import { jsonDocument } from './documents.js'
import { importedMemory, SECTION_DATA, SECTION_IMPORT, SECTION_START, sectionsOf } from './wasmBinary.js'

declare const WebAssembly: { readonly RuntimeError: new () => Error }

const KIB = 1024
const LARGEST = 16 * KIB

describe("the compression's module", () => {
  const binary = Buffer.from(generated.base64, 'base64')
  const debug = readFileSync(new URL('../../../build/deflate.debug.wasm', import.meta.url))

  it('has no data segment and no start function, and imports a shared memory and nothing else', () => {
    for (const module of [binary, debug]) {
      const sections = sectionsOf(module)
      const contentOf = (id: number): Buffer | undefined => sections.find((section) => section.id === id)?.content
      assert.deepEqual([contentOf(SECTION_DATA), contentOf(SECTION_START)], [undefined, undefined])
      const imports = contentOf(SECTION_IMPORT) ?? Buffer.alloc(0)
      assert.deepEqual(importedMemory(imports), { module: 'env', name: 'memory', shared: true })
    }
  })

  it(`has at most ${LARGEST} bytes`, () => {
    assert.ok(binary.length <= LARGEST, `${binary.length} bytes`)
  })

  it('exports the numbers of the generated constants, and no others; so does the debug build', () => {
    const constants = Object.keys(generated).filter((name) => name !== 'base64')
    for (const module of [binary, debug]) {
      const exported = Object.entries(Object(new Codec().instantiate(module)))
      const numbers = exported.filter(([, value]) => typeof value === 'object' && value !== null && 'value' in value)
      assert.deepEqual(numbers.map(([name]) => name).sort(), constants.sort())
    }
  })

  it('is compiled once for each heap, in which it takes eight pages', () => {
    const heap = new Heap(new Codec())
    const compression = compressionOf(heap)
    assert.equal(heap.used, 512 * KIB)
    assert.equal(compressionOf(heap), compression)
    assert.equal(heap.used, 512 * KIB)
    assert.notEqual(compressionOf(heapOfThread()), compression)
  })
})

describe('the debug build of the compression traps at', () => {
  const debug = readFileSync(new URL('../../../build/deflate.debug.wasm', import.meta.url))
  const STATE = 320 * KIB
  const RING = 400 * KIB
  const DATA = 500 * KIB
  const broken: readonly (readonly [what: string, run: (call: CompressionExports) => void])[] = [
    ['a window that no peer can have', (call) => call.inflateStart(STATE, 16)],
    ['a deflater with such a window', (call) => call.deflateStart(STATE, 7)],
    ['a state that is not aligned', (call) => call.inflateStart(STATE + 4, 15)],
    ['a message that begins behind its end', (call) => call.inflate(STATE, DATA, 0, DATA + 1, DATA, 10, 10)],
    ['a ring that is larger than the window', (call) => call.inflateRing(STATE, RING, 13)],
    ['bytes to keep without a ring', (call) => call.inflateKeep(STATE, DATA, 10)],
    [
      'more bytes to keep than a ring can take that should have grown',
      (call) => {
        call.inflateRing(STATE, RING, 8)
        call.inflateKeep(STATE, DATA, 300)
      },
    ],
  ]
  for (const [what, run] of broken) {
    it(what, () => {
      const call = new Codec().instantiate(debug) as CompressionExports
      call.openWorkspace(64 * KIB, 1)
      call.inflateStart(STATE, 12)
      assert.throws(() => run(call), WebAssembly.RuntimeError)
    })
  }
})

/** Bytes that a connection holds, with takeover in both directions, once it has had so many messages of 1 KiB each way. */
function bytesHeld(inflateBits: number, deflateBits: number, messages: number): number {
  const random = new Random(seed)
  const inflating = new Inflating(inflateBits, true)
  const deflating = new Deflating(deflateBits, true)
  const peer = new ZlibDeflating(6, Math.max(9, inflateBits), true)
  for (let at = 0; at < messages; at++) {
    const message = jsonDocument(random, 1000)
    assert.deepEqual(inflating.message(peer.message(message)), message)
    deflating.message(message)
  }
  const { size } = inflating.inflater
  const held = size + deflating.deflater.size
  inflating.free()
  deflating.free()
  peer.free()
  return held
}

describe('the memory of a connection', () => {
  it('is at most 24 KiB where the client has a window of 4 KiB, else at most 52 KiB', () => {
    assert.ok(bytesHeld(12, 12, 100) <= 24 * KIB)
    assert.ok(bytesHeld(15, 12, 100) <= 52 * KIB)
  })

  it('grows as its windows are used', () => {
    const deflater = 10.625 * KIB
    const { INFLATER_SIZE: inflater } = generated
    assert.equal(bytesHeld(15, 12, 0), inflater + KIB)
    assert.equal(bytesHeld(15, 12, 3), inflater + 4 * KIB + deflater)
    assert.equal(bytesHeld(15, 12, 10), inflater + 16 * KIB + deflater)
    assert.equal(bytesHeld(15, 12, 100), inflater + 32 * KIB + deflater)
  })

  it('is given back', () => {
    const heap = heapOfThread()
    compressionOf(heap)
    const before = heap.used
    bytesHeld(15, 15, 50)
    bytesHeld(8, 8, 5)
    assert.equal(heap.used, before)
  })
})

it('connections whose messages are under way at the same time share the tables, and nothing else', () => {
  const random = new Random(seed)
  const connections = Array.from({ length: 20 }, (_, at) => {
    const message = jsonDocument(random, 800)
    const peer = new ZlibDeflating(6, 15, true)
    const payload = peer.message(message)
    peer.free()
    return { message, payload, inflating: new Inflating(15, true), cut: 1 + ((at * 13) % payload.length) }
  })
  const inflateFrom = (first: number): void => {
    const connection = connections[first]
    if (connection === undefined) return
    const { inflating, payload, message, cut } = connection
    let calls = 0
    const cuts: Cuts = {
      input: (left) => {
        if (++calls > 1) return left
        return Math.min(cut, left)
      },
      room: () => {
        // Amid this message, all the others are inflated, from their first byte to their last.
        if (calls === 2) inflateFrom(first + 1)
        return 2000
      },
    }
    // Pieces are kept at once: what lies at the place of this message is overwritten by the others.
    assert.deepEqual(inflating.message(payload, cuts, false), message, `connection ${first}`)
    inflating.free()
  }
  inflateFrom(0)
})
