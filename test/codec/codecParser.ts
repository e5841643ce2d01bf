// The codec as a connection drives it (src/connection/incoming.ts), without a connection: bytes in, events out.
// The inbox is poisoned before and after each read, so nothing can rely on what another read left there.
import assert from 'node:assert/strict'
import { heapOfThread, Region, violationName } from '../../src/codec/codec.js'
import type { Heap } from '../../src/codec/heap.js'
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  ENTRY_SIZE,
  INBOX,
  INBOX_LENGTH,
  INFO_ASCII,
  INFO_OPCODE,
  INFO_REGION,
  MASKED,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  RESULT_FILLED,
  RESULT_NEEDED,
  STATUS_AGAIN,
  STATUS_DONE,
  STATUS_REGION,
  TABLE,
} from '../../src/codec/wasm.generated.js'
import type { ViolationName } from '../../src/protocol/violation.js'
import type { Rules } from '../support/referenceParser.js'

export interface CodecEvent {
  readonly opcode: number
  readonly payload: Buffer
  readonly ascii: boolean
  /** The payload was assembled in a region. */
  readonly assembled: boolean
}

/** Bytes before and after a read that must stay as they are. */
const GUARD = 64
const LONGEST_READ = INBOX_LENGTH - 3 * GUARD
const POISON = 0xee
const guard = Buffer.alloc(GUARD, POISON)

export class CodecParser {
  readonly events: CodecEvent[] = []
  violation: ViolationName | undefined
  /** What the last call of `parse` that asked for a region wanted. */
  needed = 0
  announced = 0
  readonly slot: number
  readonly #heap: Heap
  #region: Region | undefined
  #reads = 0

  constructor({ masked, limit, fragments = 0 }: Rules, heap = heapOfThread()) {
    this.#heap = heap
    this.slot = heap.allocateSlot()
    heap.codec.call.openSlot(this.slot, masked ? MASKED : 0, limit, fragments)
  }

  /** Reads `bytes`, at an alignment that differs from read to read. */
  feed(bytes: Uint8Array): void {
    const memory = this.#heap.codec.bytes
    for (let from = 0; from < bytes.length; from += LONGEST_READ) {
      const read = bytes.subarray(from, from + LONGEST_READ)
      const start = INBOX + GUARD + ((this.#reads++ * 5) % GUARD)
      const end = start + read.length
      memory.fill(POISON, start - GUARD, start)
      memory.set(read, start)
      memory.fill(POISON, end, end + GUARD)
      this.#parse(start, end)
      assert.ok(guard.equals(memory.subarray(start - GUARD, start)), 'the codec wrote in front of the read')
      assert.ok(guard.equals(memory.subarray(end, end + GUARD)), 'the codec wrote behind the read')
      memory.fill(POISON, start, end)
    }
  }

  /** Gives the memory back. */
  close(): void {
    this.#region?.release()
    this.#region = undefined
    this.#heap.freeSlot(this.slot)
  }

  #parse(start: number, end: number): void {
    const { call, bytes } = this.#heap.codec
    for (let cursor = start; this.violation === undefined; ) {
      const status = call.parse(this.slot, cursor, end)
      cursor = bytes.readUInt32LE(RESULT + RESULT_CONSUMED)
      this.#takeTable()
      if (status === STATUS_DONE) {
        assert.equal(cursor, end, 'the codec is done but has not consumed everything')
        return
      }
      if (status === STATUS_REGION) this.#grow()
      else if (status !== STATUS_AGAIN) this.violation = violationName(status)
    }
  }

  #takeTable(): void {
    const { bytes } = this.#heap.codec
    const count = bytes.readUInt32LE(RESULT + RESULT_COUNT)
    for (let entry = TABLE; entry < TABLE + count * ENTRY_SIZE; entry += ENTRY_SIZE) {
      const info = bytes.readUInt32LE(entry + ENTRY_INFO)
      const pointer = bytes.readUInt32LE(entry + ENTRY_POINTER)
      const length = bytes.readUInt32LE(entry + ENTRY_LENGTH)
      const assembled = (info & INFO_REGION) !== 0
      const payload = Buffer.from(bytes.subarray(pointer, pointer + length))
      this.events.push({ opcode: info & INFO_OPCODE, payload, ascii: (info & INFO_ASCII) !== 0, assembled })
      if (!assembled) continue
      assert.equal(pointer, this.#region?.pointer, 'the message lies in another region than its own')
      this.#region?.release()
      this.#region = undefined
    }
  }

  #grow(): void {
    const { call, bytes } = this.#heap.codec
    this.needed = bytes.readDoubleLE(RESULT + RESULT_NEEDED)
    this.announced = bytes.readDoubleLE(RESULT + RESULT_ANNOUNCED)
    const filled = bytes.readDoubleLE(RESULT + RESULT_FILLED)
    if (this.#region === undefined) {
      this.#region = new Region(this.#heap, this.needed, this.announced, () => undefined)
    } else this.#region.grow(this.needed, filled, this.announced)
    call.grant(this.slot, this.#region.pointer, this.#region.capacity)
  }
}
