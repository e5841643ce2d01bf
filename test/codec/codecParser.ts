// A parser as a connection uses it (src/connection/receiving/incoming.ts), without a connection: bytes in, events out.
// The inbox is poisoned before and after each read, so nothing can rely on what another read left there.
import assert from 'node:assert/strict'
import { heapOfThread, INBOX, INBOX_LENGTH, Region, violationName } from '../../src/codec/codec.js'
import { isAscii, isCompressed, isInRegion, isPart, opcodeOf } from '../../src/codec/frames.js'
import type { Heap } from '../../src/codec/heap.js'
import { isViolation, Parser, STATUS_DONE, STATUS_REGION } from '../../src/codec/parser.js'
import type { ViolationName } from '../../src/protocol/violation.js'
import type { Rules } from '../support/referenceParser.js'

export interface CodecEvent {
  readonly opcode: number
  readonly payload: Buffer
  readonly ascii: boolean
  readonly compressed: boolean
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
  readonly #parser: Parser
  readonly #heap: Heap
  #region: Region | undefined
  #reads = 0
  /** What has come of a compressed message. */
  #parts: Buffer[] = []

  constructor(
    { masked, limit, fragments = 0, compressed = false }: Rules,
    heap = heapOfThread(),
    anyText = false,
    anyLength = false,
  ) {
    this.#heap = heap
    this.#parser = new Parser(heap, masked ? 'server' : 'client', {
      longest: limit,
      fragments,
      compressed,
      anyText,
      anyLength,
    })
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
    this.#parser.free()
  }

  #parse(start: number, end: number): void {
    const parser = this.#parser
    for (let cursor = start; this.violation === undefined; ) {
      const status = parser.parse(cursor, end)
      cursor = parser.consumed
      this.#takeTable()
      if (status === STATUS_DONE) {
        assert.equal(cursor, end, 'the codec is done but has not consumed everything')
        return
      }
      if (status === STATUS_REGION) this.#grow()
      else if (isViolation(status)) this.violation = violationName(status)
    }
  }

  #takeTable(): void {
    const { bytes } = this.#heap.codec
    const parser = this.#parser
    for (let entry = 0; entry < parser.count; entry++) {
      const info = parser.info(entry)
      const pointer = parser.pointer(entry)
      const length = parser.length(entry)
      const assembled = isInRegion(info)
      const compressed = isCompressed(info)
      const part = Buffer.from(bytes.subarray(pointer, pointer + length))
      if (compressed) this.#parts.push(part)
      if (isPart(info)) continue
      const payload = compressed ? Buffer.concat(this.#parts.splice(0)) : part
      this.events.push({ opcode: opcodeOf(info), payload, ascii: isAscii(info), compressed, assembled })
      if (!assembled) continue
      assert.equal(pointer, this.#region?.pointer, 'the message lies in another region than its own')
      this.#region?.release()
      this.#region = undefined
    }
  }

  #grow(): void {
    const { needed, filled, announced } = this.#parser
    this.needed = needed
    this.announced = announced
    if (this.#region === undefined) {
      this.#region = new Region(this.#heap, needed, announced, () => undefined)
    } else this.#region.grow(needed, filled, announced)
    this.#parser.grant(this.#region)
  }
}
