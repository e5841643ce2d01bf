// The frame table holds so many entries, and a read can bring many more frames: none may get lost, come twice or
// change place, and what the table says of a frame must hold until the next call.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Codec, Heap, heapOfThread } from '../../src/codec/codec.js'
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  ENTRY_SIZE,
  INBOX,
  INFO_ASCII,
  INFO_REGION,
  MASKED,
  RESULT,
  RESULT_CONSUMED,
  RESULT_COUNT,
  RESULT_FILLED,
  RESULT_NEEDED,
  SLOT_SIZE,
  STATUS_AGAIN,
  STATUS_DONE,
  STATUS_REGION,
  TABLE,
  TABLE_ENTRIES,
} from '../../src/codec/wasm.generated.js'
import { BINARY, buildFrame, CONTINUATION, PING, TEXT } from '../support/frames.js'
import { Agreement } from './agreement.js'
import { CodecParser } from './codecParser.js'

const rules = { masked: false, limit: 1000 }
const heap = heapOfThread()
const { call, bytes } = heap.codec

let slot = 0
beforeEach(() => {
  slot = heap.allocateSlot()
  call.openSlot(slot, 0, rules.limit, 0)
})
afterEach(() => heap.freeSlot(slot))

/** Puts `stream` into the inbox and parses it. */
function parse(stream: Buffer): number {
  bytes.set(stream, INBOX)
  return call.parse(slot, INBOX, INBOX + stream.length)
}

function count(): number {
  return bytes.readUInt32LE(RESULT + RESULT_COUNT)
}

function consumed(): number {
  return bytes.readUInt32LE(RESULT + RESULT_CONSUMED)
}

function entry(index: number): { info: number; pointer: number; length: number } {
  const at = TABLE + index * ENTRY_SIZE
  return {
    info: bytes.readUInt32LE(at + ENTRY_INFO),
    pointer: bytes.readUInt32LE(at + ENTRY_POINTER),
    length: bytes.readUInt32LE(at + ENTRY_LENGTH),
  }
}

/** Frames that can't be mistaken for one another. */
function numbered(frames: number, kind: (number: number) => { opcode: number; fin?: boolean }): Buffer {
  const payload = (number: number): Buffer => Buffer.of(0x30 + (number % 10), 0x30 + (Math.floor(number / 10) % 10))
  return Buffer.concat(
    Array.from({ length: frames }, (_, number) => buildFrame({ ...kind(number), payload: payload(number) })),
  )
}

describe('the frame table', () => {
  for (const frames of [
    TABLE_ENTRIES - 1,
    TABLE_ENTRIES,
    TABLE_ENTRIES + 1,
    2 * TABLE_ENTRIES,
    3 * TABLE_ENTRIES + 7,
  ]) {
    it(`takes ${frames} frames from one read`, () => {
      const stream = numbered(frames, (number) => ({ opcode: number % 3 === 0 ? PING : TEXT }))
      const agreement = new Agreement(stream, rules, `${frames} frames`)
      assert.equal(agreement.expected.events.length, frames)
      agreement.check([])
      agreement.check([1])
      agreement.check([stream.length - 1])
    })

    it(`takes ${frames} events when each second frame is a fragment`, () => {
      const kinds = [{ opcode: TEXT, fin: false }, { opcode: PING }, { opcode: CONTINUATION }] as const
      const stream = numbered(Math.floor(frames * 1.5), (number) => kinds[number % 3] ?? { opcode: PING })
      const agreement = new Agreement(stream, rules, `${frames} events`)
      agreement.check([])
      agreement.check([3])
    })
  }

  it('is emptied before the rest is parsed', () => {
    const stream = numbered(TABLE_ENTRIES + 1, () => ({ opcode: BINARY }))
    assert.equal(parse(stream), STATUS_AGAIN)
    assert.deepEqual([count(), consumed()], [TABLE_ENTRIES, INBOX + stream.length - 4])
    assert.equal(call.parse(slot, consumed(), INBOX + stream.length), STATUS_DONE)
    assert.deepEqual([count(), consumed()], [1, INBOX + stream.length])
  })

  it('does not take an entry more than it has', () => {
    const behind = TABLE + TABLE_ENTRIES * ENTRY_SIZE
    bytes.fill(0x77, behind, behind + ENTRY_SIZE)
    parse(numbered(TABLE_ENTRIES + 5, () => ({ opcode: BINARY })))
    assert.ok(bytes.subarray(behind, behind + ENTRY_SIZE).equals(Buffer.alloc(ENTRY_SIZE, 0x77)))
  })

  it('says where a whole frame lies: where it was read', () => {
    assert.equal(parse(buildFrame({ opcode: TEXT, payload: 'Hello' })), STATUS_DONE)
    assert.deepEqual([count(), entry(0)], [1, { info: TEXT | INFO_ASCII, pointer: INBOX + 2, length: 5 }])
  })

  it('says where a long frame lies, though it was read whole: in a region, from which it can be sent on', () => {
    for (const [length, assembled] of [
      [1024, false],
      [100_000, true],
    ] as const) {
      const parser = new CodecParser({ masked: false, limit: length })
      parser.feed(buildFrame({ opcode: BINARY, payload: Buffer.alloc(length, 'b') }))
      assert.deepEqual([parser.events[0]?.assembled, parser.events[0]?.payload.length], [assembled, length])
      parser.close()
    }
  })

  it('says where a cut control frame lies: in the slot, until the next call', () => {
    const ping = buildFrame({ opcode: PING, payload: 'Hello' })
    assert.equal(parse(ping.subarray(0, 4)), STATUS_DONE)
    assert.equal(count(), 0)
    const rest = Buffer.concat([ping.subarray(4), ping])
    assert.equal(parse(rest), STATUS_AGAIN)
    const { info, pointer, length } = entry(0)
    assert.deepEqual([count(), info, length], [1, PING, 5])
    assert.ok(pointer >= slot && pointer + length <= slot + SLOT_SIZE, 'within the slot')
    assert.equal(bytes.toString('latin1', pointer, pointer + length), 'Hello')
    assert.equal(call.parse(slot, consumed(), INBOX + rest.length), STATUS_DONE)
    assert.equal(count(), 1)
  })

  it('says where a cut message lies: in the region it asked for, and nowhere around it', () => {
    const region = heap.allocate(1024)
    bytes.fill(0x77, region.pointer, region.pointer + region.size)
    const text = buildFrame({ opcode: TEXT, payload: 'grüße' })
    assert.equal(parse(text.subarray(0, 5)), STATUS_REGION)
    assert.equal(bytes.readDoubleLE(RESULT + RESULT_NEEDED), 3)
    call.grant(slot, region.pointer + 16, 3)
    assert.equal(call.parse(slot, consumed(), INBOX + 5), STATUS_DONE)
    for (const [from, to] of [
      [5, 7],
      [7, 9],
    ] as const) {
      assert.equal(parse(text.subarray(from, to)), STATUS_REGION, 'it has no room for more than it was granted')
      assert.equal(bytes.readDoubleLE(RESULT + RESULT_FILLED), from - 2)
      assert.equal(bytes.readDoubleLE(RESULT + RESULT_NEEDED), to - 2)
      call.grant(slot, region.pointer + 16, to - 2)
      assert.equal(call.parse(slot, consumed(), INBOX + to - from), STATUS_DONE)
    }
    assert.deepEqual(entry(0), { info: TEXT | INFO_REGION, pointer: region.pointer + 16, length: 7 })
    const expected = Buffer.alloc(40, 0x77)
    expected.write('grüße', 16)
    assert.ok(bytes.subarray(region.pointer, region.pointer + 40).equals(expected))
    heap.free(region)
  })

  it('holds the frames before a violation', () => {
    const stream = Buffer.concat([numbered(5, () => ({ opcode: PING })), Buffer.of(0x83, 0)])
    assert.ok(parse(stream) > STATUS_REGION)
    assert.equal(count(), 5)
  })
})

describe('a slot', () => {
  it('has room for what it must keep, and nothing of it comes to lie in its neighbours', () => {
    const heap = new Heap(new Codec())
    const { call, bytes } = heap.codec
    const [before, between, after] = [heap.allocateSlot(), heap.allocateSlot(), heap.allocateSlot()]
    assert.deepEqual([between - before, after - between], [SLOT_SIZE, SLOT_SIZE])
    const neighbour = Buffer.alloc(SLOT_SIZE, 0x77)
    bytes.set(neighbour, before)
    bytes.set(neighbour, after)
    const key = Buffer.of(1, 2, 3, 4)
    const parts = [
      { opcode: TEXT, payload: 'grüße', fin: false, key },
      { opcode: PING, payload: Buffer.alloc(125, 'p'), key }, // the most that is carried from read to read
      { opcode: CONTINUATION, payload: Buffer.alloc(126, 'g'), key },
    ]
    call.openSlot(between, MASKED, rules.limit, 0)
    call.grant(between, heap.allocate(200).pointer, 200)
    for (const byte of Buffer.concat(parts.map(buildFrame))) {
      bytes[INBOX] = byte
      assert.ok(call.parse(between, INBOX, INBOX + 1) <= STATUS_AGAIN)
      assert.ok(bytes.subarray(before, between).equals(neighbour))
      assert.ok(bytes.subarray(after, after + SLOT_SIZE).equals(neighbour))
    }
  })
})
