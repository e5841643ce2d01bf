// The receiving half of a connection without its budget and its sink: drives `parse` as src/connection/incoming.ts does,
// with a slot, the frame table and a region for a message that one read does not hold.
import { Region } from '../../src/codec/codec.js'
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  ENTRY_SIZE,
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
import { codec, heap } from './material.js'

const ENTRY_WORDS = ENTRY_SIZE / 4
const INFO_WORD = (TABLE + ENTRY_INFO) / 4
const POINTER_WORD = (TABLE + ENTRY_POINTER) / 4
const LENGTH_WORD = (TABLE + ENTRY_LENGTH) / 4
const COUNT_WORD = (RESULT + RESULT_COUNT) / 4
const CONSUMED_WORD = (RESULT + RESULT_CONSUMED) / 4
const NEEDED_DOUBLE = (RESULT + RESULT_NEEDED) / 8
const FILLED_DOUBLE = (RESULT + RESULT_FILLED) / 8
const ANNOUNCED_DOUBLE = (RESULT + RESULT_ANNOUNCED) / 8
const LIMIT = 64 * 1024 * 1024

const ignore = (): void => undefined

/** Takes each message; a region is the caller's for the time of the call. */
export type Deliver = (info: number, pointer: number, length: number, region: Region | undefined) => void

export class Drive {
  readonly #slot = heap.allocateSlot()
  readonly #deliver: Deliver
  #region: Region | undefined

  constructor(deliver: Deliver) {
    this.#deliver = deliver
    codec.call.openSlot(this.#slot, MASKED, LIMIT, 0)
  }

  /** Parses the bytes of one read. */
  receive(start: number, end: number): void {
    const { words, call } = codec
    let cursor = start
    for (;;) {
      const status = call.parse(this.#slot, cursor, end)
      const count = words[COUNT_WORD] ?? 0
      cursor = words[CONSUMED_WORD] ?? end
      for (let at = 0; at < count * ENTRY_WORDS; at += ENTRY_WORDS) {
        this.#take(words[INFO_WORD + at] ?? 0, words[POINTER_WORD + at] ?? 0, words[LENGTH_WORD + at] ?? 0)
      }
      if (status === STATUS_DONE) return
      if (status === STATUS_REGION) this.#grow()
      else if (status !== STATUS_AGAIN) throw new Error(`the codec found violation ${status} in a valid frame`)
    }
  }

  /** Parses a stream that arrives in reads of so many bytes. */
  receiveInReads(start: number, end: number, read: number): void {
    for (let at = start; at < end; at += read) this.receive(at, Math.min(at + read, end))
  }

  free(): void {
    this.#region?.release()
    heap.freeSlot(this.#slot)
  }

  #take(info: number, pointer: number, length: number): void {
    if ((info & INFO_REGION) === 0) return this.#deliver(info, pointer, length, undefined)
    const region = this.#region
    this.#region = undefined
    this.#deliver(info, pointer, length, region)
    region?.release()
  }

  #grow(): void {
    const needed = codec.doubles[NEEDED_DOUBLE] ?? 0
    const announced = codec.doubles[ANNOUNCED_DOUBLE] ?? 0
    if (this.#region === undefined) this.#region = new Region(heap, needed, announced, ignore)
    else this.#region.grow(needed, codec.doubles[FILLED_DOUBLE] ?? 0, announced)
    codec.call.grant(this.#slot, this.#region.pointer, this.#region.capacity)
  }
}
