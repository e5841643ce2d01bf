// Deflating and inflating messages: millrace's compression against zlib, whose streams are kept as fast servers keep theirs.
import { Buffer } from 'node:buffer'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'
import { BestDeflater } from '../../src/codec/bestDeflater.js'
import { compressionOf } from '../../src/codec/codec.js'
import type { DeflateEngine } from '../../src/codec/deflateEngine.js'
import { Deflater } from '../../src/codec/deflater.js'
import { INFLATE_MORE, Inflater } from '../../src/codec/inflater.js'
import { zlibBound } from '../../src/codec/zlibDeflate.js'
import { documentsOf } from '../../src/load/documents.js'
import { allocate, atEnd, heap, stored } from './material.js'
import { type Case, type Step, way } from './measure.js'

const WINDOW_BITS = 12
const ROUND = 256
const LENGTHS = [64, 128, 1024, 16_384] as const
const LEVEL_LENGTHS = [1024, 4096, 16_384, 65_536, 131_072, 1_048_576] as const
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

/** A round of documents. */
function documents(length: number, different: number): Buffer[] {
  const list = documentsOf(length, different)
  return Array.from({ length: ROUND }, (_, at) => list[at % different] ?? Buffer.alloc(0))
}

/** zlib's handle, which `zlib.deflateRawSync` uses in the same way: without a turn of the event loop for each message. */
interface Handle {
  readonly _handle: {
    writeSync(flush: number, from: Buffer, at: number, length: number, to: Buffer, toAt: number, room: number): void
  }
  readonly _writeState: Uint32Array
}

function zlibWriter(stream: DeflateRaw | InflateRaw, room: number): (bytes: Buffer) => Buffer {
  const { _handle, _writeState } = stream as unknown as Handle
  const output = Buffer.alloc(room)
  atEnd(() => stream.close())
  return (bytes) => {
    _handle.writeSync(constants.Z_SYNC_FLUSH, bytes, 0, bytes.length, output, 0, room)
    return output.subarray(0, room - (_writeState[0] ?? 0))
  }
}

/** Calls the function for one message after the other, round and round. */
function inTurn<Item>(items: readonly Item[], take: (item: Item) => void): () => void {
  let at = 0
  return () => {
    const item = items[at++ % ROUND]
    if (item !== undefined) take(item)
  }
}

function deflateCase(label: string, length: number, different: number): Case {
  const messages = documents(length, different)
  const pointers = messages.map((message) => stored(message))
  const deflater = new Deflater(compressionOf(heap), WINDOW_BITS)
  const room = deflater.bound(length)
  const target = allocate(room)
  atEnd(() => deflater.free())
  const deflate = zlibWriter(createDeflateRaw({ level: 1, windowBits: WINDOW_BITS }), 2 * length + 100)
  const ours = inTurn(pointers, (pointer) => deflater.deflate(pointer, length, target, room, true))
  return { label, length, ways: [way('millrace', ours, true), way('zlib, level 1', inTurn(messages, deflate))] }
}

function inflateCase(label: string, length: number, different: number): Case {
  const stream = createDeflateRaw({ level: 6, windowBits: WINDOW_BITS })
  const deflate = zlibWriter(stream, 2 * length + 100)
  // The first round fills the window, so that the second can be inflated again and again.
  const messages = documents(length, different)
  for (const message of messages) deflate(message)
  const payloads = messages.map((message) => Buffer.from(deflate(message)))
  const pointers = payloads.map((payload) => ({ pointer: stored(payload), bytes: payload.length - TAIL.length }))
  const room = length + 512
  const target = allocate(room)
  const inflater = new Inflater(compressionOf(heap), WINDOW_BITS)
  for (const message of messages) inflater.keep(stored(message), length)
  atEnd(() => inflater.free())
  const ours = inTurn(pointers, ({ pointer, bytes }) => {
    const status = inflater.inflate(pointer, bytes, target, target, room, length)
    if (status !== INFLATE_MORE || !inflater.end()) throw new Error(`a valid message was not inflated: ${status}`)
    inflater.keep(target, inflater.written)
  })
  const inflate = zlibWriter(createInflateRaw({ windowBits: WINDOW_BITS }), room)
  inflateFirst(messages, inflate)
  return { label, length, ways: [way('millrace', ours, true), way('zlib', inTurn(payloads, inflate))] }
}

/** Has zlib's window full of the first round, too. */
function inflateFirst(messages: readonly Buffer[], inflate: (bytes: Buffer) => Buffer): void {
  const deflate = zlibWriter(
    createDeflateRaw({ level: 6, windowBits: WINDOW_BITS }),
    2 * (messages[0]?.length ?? 0) + 100,
  )
  for (const message of messages) inflate(Buffer.from(deflate(message)))
}

function stepOf(name: string, note: string, caseOf: typeof deflateCase): Step {
  return {
    name,
    note: `${note} Context takeover, a window of 4 KiB; JSON, one document or ${ROUND} different ones.`,
    operation: 'one message',
    *cases() {
      for (const length of LENGTHS) {
        yield caseOf(`${length} B, one document`, length, 1)
        yield caseOf(`${length} B, ${ROUND} documents`, length, ROUND)
      }
    },
  }
}

/** What both levels take for messages that stand alone, also for long ones, which are handed to a thread. */
function levelCase(length: number): Case {
  const [message = Buffer.alloc(0)] = documents(length, 1)
  const pointer = stored(message)
  const target = allocate(zlibBound(length))
  const deflater = new Deflater(compressionOf(heap), WINDOW_BITS)
  const best = new BestDeflater(heap, WINDOW_BITS)
  atEnd(() => deflater.free())
  atEnd(() => best.free())
  const alone = (engine: DeflateEngine) => (): void => {
    engine.forget()
    engine.deflate(pointer, length, target, engine.bound(length), true)
  }
  const label = length < 1024 ? `${length} B` : `${length / 1024} KiB`
  return { label, length, ways: [way('fast', alone(deflater), true), way('best', alone(best), true)] }
}

const levels: Step = {
  name: 'levels of compression',
  note: 'JSON, each message for itself, a window of 4 KiB. A long one is handed to a thread: see "hand-over to a thread".',
  operation: 'one message',
  *cases() {
    for (const length of LEVEL_LENGTHS) yield levelCase(length)
  },
}

export const compressSteps: readonly Step[] = [
  stepOf('deflate', 'Both sides write into memory that they have, and keep their state.', deflateCase),
  stepOf('inflate', 'Both sides inflate what zlib has deflated at level 6.', inflateCase),
  levels,
]
