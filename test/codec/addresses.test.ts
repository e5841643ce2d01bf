// The codec's memory reaches to 4 GiB, and slots and regions lie anywhere in it: beyond the first mebibyte, where the
// views made at the start end; beyond 2 GiB, where an address is negative to JavaScript; and at the very end.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec, Heap, INBOX, INBOX_LENGTH } from '../../src/codec/codec.js'
import { opcodeOf } from '../../src/codec/frames.js'
import { PAGE } from '../../src/codec/heap.js'
import { HEAP } from '../../src/codec/wasm.generated.js'
import { Pressure } from '../../src/connection/pressure.js'
import { Incoming } from '../../src/connection/receiving/incoming.js'
import type { Deliverer, Sink } from '../../src/connection/receiving/sink.js'
import { Slices } from '../../src/connection/slices.js'
import { Vitals } from '../../src/connection/vitals.js'
import { Budget } from '../../src/memory/budget.js'
import { Counts } from '../../src/metrics/counts.js'
import { Lifecycle } from '../../src/protocol/lifecycle.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { TurnClock } from '../../src/time/turnClock.js'
import { BINARY, buildFrame, CONTINUATION, PING, TEXT } from '../support/frames.js'
import { MemoryTransport } from '../support/memoryTransport.js'
import { CodecParser } from './codecParser.js'

const key = Buffer.of(1, 2, 3, 4)
const rules = { masked: true, limit: 16 * 1024 * 1024 }
const MEBIBYTE = 2 ** 20

/** A heap whose next slot and region lie at `address` or beyond. */
function heapFrom(address: number): Heap {
  const heap = new Heap(new Codec())
  heap.allocate(address - HEAP)
  return heap
}

/** Messages that need the slot, a region, and a region that grows. */
const text = 'grüße '.repeat(4000)
const frames = [
  buildFrame({ opcode: TEXT, payload: text, key }),
  buildFrame({ opcode: PING, payload: 'ping', key }),
  buildFrame({ opcode: BINARY, payload: 'be', fin: false, key }),
  buildFrame({ opcode: CONTINUATION, payload: Buffer.alloc(70_000, 'g'), key }),
]

for (const [name, address] of [
  ['the first mebibyte', MEBIBYTE],
  ['2 GiB', 2 ** 31],
  ['3 GiB', 3 * 2 ** 30],
] as const) {
  describe(`beyond ${name}`, () => {
    it('slots and regions work as elsewhere', () => {
      for (const stride of [1000, 30_000, 200_000]) {
        const heap = heapFrom(address)
        const slot = heap.allocateSlot()
        assert.ok(slot >= address)
        heap.freeSlot(slot)
        const parser = new CodecParser(rules, heap)
        const stream = Buffer.concat(frames)
        for (let at = 0; at < stream.length; at += stride) parser.feed(stream.subarray(at, at + stride))
        assert.equal(parser.violation, undefined)
        const [first, second, third] = parser.events
        assert.equal(first?.payload.toString(), text)
        assert.equal(second?.payload.toString(), 'ping')
        assert.equal(third?.payload.toString('latin1'), `be${'g'.repeat(70_000)}`)
        parser.close()
      }
    })

    it('a connection receives a message in pieces as it was sent', () => {
      const heap = heapFrom(address)
      const received = receive(heap, frames.slice(0, 1), 1500)
      assert.deepEqual(received, [{ opcode: TEXT, text }])
    })
  })
}

describe('the end of the memory', () => {
  it('is no place where text goes unchecked', () => {
    const heap = new Heap(new Codec())
    const { maximumPages } = heap.codec
    const parser = new CodecParser({ masked: false, limit: 3 * PAGE }, heap)
    // All that is left is one page, which the region of the message will fill to its last byte.
    heap.allocate((maximumPages - HEAP / PAGE - 2) * PAGE)
    const payload = Buffer.alloc(PAGE - 16, 'x')
    payload[payload.length - 1] = 0xff
    const frame = buildFrame({ opcode: TEXT, payload })
    for (let at = 0; at < frame.length; at += 20_000) parser.feed(frame.subarray(at, at + 20_000))
    assert.equal(heap.codec.pages, maximumPages)
    assert.equal(parser.violation, 'INVALID_UTF8')
  })
})

/** Nothing keeps the connection from being read from. */
function unpressed(): Pressure {
  const times = { pingInterval: 0, idleTimeout: 0, pauseTimeout: 0, maxLifetime: 0 }
  const vitals = new Vitals({ deadlines: new Deadlines(() => false), times })
  const fail = (): never => assert.fail('reading stops')
  const listener = { reading: fail, deliverParked: fail }
  return new Pressure(new MemoryTransport(), new Lifecycle('server'), vitals, listener)
}

/** What a connection hands out of `stream`, read `stride` bytes at a time. */
function receive(heap: Heap, stream: readonly Buffer[], stride: number): { opcode: number; text: string }[] {
  const { codec } = heap
  const received: { opcode: number; text: string }[] = []
  const sink: Sink = {
    gone: false,
    held: 0,
    control(opcode, pointer, length) {
      received.push({ opcode, text: codec.bytes.toString('utf8', pointer, pointer + length) })
    },
    violated(violation) {
      throw violation
    },
    handlerFailed(error) {
      throw error
    },
    budgetFreed: () => undefined,
    evicted: () => undefined,
    payloadStalled: () => undefined,
  }
  const deliverer: Deliverer = {
    take(info, pointer, length, region) {
      sink.control(opcodeOf(info), pointer, length)
      region?.release()
    },
    streamBegins: () => assert.fail('nothing is streamed'),
    streamPart: () => assert.fail('nothing is streamed'),
  }
  const limits = { maxMessage: rules.limit, maxFragments: 0, payloadTimeout: 0 }
  const incoming = new Incoming(
    {
      heap,
      budget: new Budget(rules.limit),
      counts: new Counts(),
      slices: new Slices({ behind: false, whenBehind: () => undefined }, new TurnClock()),
      turn: { begin: () => undefined, end: () => undefined },
      limits,
    },
    sink,
    deliverer,
    unpressed(),
  )
  const bytes = Buffer.concat(stream)
  for (let at = 0; at < bytes.length; at += stride) {
    const read = bytes.subarray(at, at + Math.min(stride, INBOX_LENGTH))
    codec.bytes.set(read, INBOX)
    incoming.receive(INBOX, INBOX + read.length)
  }
  incoming.free()
  return received
}
