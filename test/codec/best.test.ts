// The engine of `level: 'best'`: what it makes of any messages is one stream to zlib, with the window that was agreed on, and
// so it is when the pieces are compressed on copies, or by another thread's modules over the same memory.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { constants, inflateRawSync } from 'node:zlib'
import { BestDeflater, mostBestBytes } from '../../src/codec/bestDeflater.js'
import { compressionOf, heapOfThread } from '../../src/codec/codec.js'
import { runTask } from '../../src/codec/codecTask.js'
import { LASTING_BYTES, WORKSPACE_BYTES } from '../../src/codec/compression.js'
import type { DeflateEngine } from '../../src/codec/deflateEngine.js'
import { Deflater } from '../../src/codec/deflater.js'
import { sizeOfBlock } from '../../src/codec/heap.js'
import { MappedCodec } from '../../src/codec/mapped.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { jsonDocument } from './documents.js'

const TAIL = Buffer.of(0, 0, 0xff, 0xff)
const MOST = 50_000

const heap = heapOfThread()
const mapped = new MappedCodec(heap.codec.memory)

/** Whoever compresses a piece that lies at `from`, and returns how many bytes it has written to `to`. */
type Way = (engine: DeflateEngine, from: number, length: number, to: number, last: boolean) => number

const ways: Readonly<Record<string, Way>> = {
  'by itself': (engine, from, length, to, last) => {
    engine.deflate(from, length, to, engine.bound(length), last)
    return engine.written
  },
  'on a copy': (engine, from, length, to, last) => {
    const given = engine.fork()
    given.deflate(from, length, to, given.bound(length), last)
    given.free() // as if nobody waited for it: nothing has happened
    const copy = engine.fork()
    copy.deflate(from, length, to, copy.bound(length), last)
    const { written } = copy
    engine.adopt(copy)
    return written
  },
  'by the modules of another thread': (engine, from, length, to, last) => {
    const workspace = heap.allocate(WORKSPACE_BYTES)
    const copy = engine.fork()
    const { written } = runTask(mapped, workspace.pointer, copy.task(from, length, to, copy.bound(length), last))
    copy.done(from, length)
    engine.adopt(copy)
    heap.free(workspace)
    return written
  },
}

function message(random: Random): Buffer {
  const length = random.pick([0, 1, 5, 300, 4000, MOST])
  if (random.chance(0.2)) return Buffer.from(random.bytes(random.between(0, length)))
  return Buffer.from(jsonDocument(random, length)).subarray(0, length)
}

const engines = {
  best: (bits: number): DeflateEngine => new BestDeflater(heap, bits),
  fast: (bits: number): DeflateEngine => new Deflater(compressionOf(heap), bits),
}

for (const [name, open] of Object.entries(engines)) {
  for (const [how, deflate] of Object.entries(ways)) {
    describe(`${name}, ${how}`, () => {
      for (let bits = 9; bits <= 15; bits++) {
        test(`is read with a window of ${bits} bits`, () => {
          const random = new Random(seed + bits)
          const held = heap.used
          const [source, target] = [heap.allocate(MOST), heap.allocate(2 * MOST)]
          const engine = open(bits)
          const plain: Buffer[] = []
          const packed: Buffer[] = []
          for (let count = 0; count < effort({ quick: 20, full: 300 }); count++) {
            const bytes = message(random)
            heap.codec.write(source.pointer, bytes)
            const cut = random.between(0, bytes.length)
            for (const [from, to] of random.chance(0.3)
              ? [
                  [0, cut],
                  [cut, bytes.length],
                ]
              : [[0, bytes.length]]) {
              const last = to === bytes.length
              const written = deflate(
                engine,
                source.pointer + (from ?? 0),
                (to ?? 0) - (from ?? 0),
                target.pointer,
                last,
              )
              packed.push(heap.codec.copyOf(target.pointer, written))
              if (last) packed.push(TAIL)
              if (last) break
            }
            plain.push(bytes)
          }
          const options = { windowBits: bits, finishFlush: constants.Z_SYNC_FLUSH }
          assert.ok(inflateRawSync(Buffer.concat(packed), options).equals(Buffer.concat(plain)), `seed ${seed}`)
          if (name === 'best') assert.equal(engine.size, mostBestBytes(bits))
          engine.free()
          for (const block of [source, target]) heap.free(block)
          assert.ok(heap.used - held <= sizeOfBlock(LASTING_BYTES), 'nothing stays but the tables of the thread')
        })
      }
    })
  }
}

test('after it was told to forget, it refers to nothing that was before', () => {
  const [source, target] = [heap.allocate(MOST), heap.allocate(2 * MOST)]
  const engine = new BestDeflater(heap, 12)
  const bytes = Buffer.from(jsonDocument(new Random(seed), 3000))
  heap.codec.write(source.pointer, bytes)
  for (let count = 0; count < 2; count++) {
    engine.forget()
    engine.deflate(source.pointer, bytes.length, target.pointer, engine.bound(bytes.length), true)
    const packed = Buffer.concat([heap.codec.copyOf(target.pointer, engine.written), TAIL])
    assert.ok(inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH }).equals(bytes))
  }
  for (const block of [source, target]) heap.free(block)
  engine.free()
})
