// The receiving half of a connection without its budget and its sink: a parser, and a region for a message that one read
// does not hold.
import { Region } from '../../src/codec/codec.js'
import { isInRegion } from '../../src/codec/frames.js'
import { isViolation, Parser, STATUS_DONE, STATUS_REGION } from '../../src/codec/parser.js'
import { heap } from './material.js'

const LIMIT = 64 * 1024 * 1024

const ignore = (): void => undefined

/** Takes each message; a region is the caller's for the time of the call. */
export type Deliver = (info: number, pointer: number, length: number, region: Region | undefined) => void

export class Drive {
  readonly #parser = new Parser(heap, 'server', { longest: LIMIT, fragments: 0 })
  readonly #deliver: Deliver
  #region: Region | undefined

  constructor(deliver: Deliver) {
    this.#deliver = deliver
  }

  /** Parses the bytes of one read. */
  receive(start: number, end: number): void {
    const parser = this.#parser
    for (let cursor = start; ; ) {
      const status = parser.parse(cursor, end)
      const { count } = parser
      cursor = parser.consumed
      for (let entry = 0; entry < count; entry++) {
        this.#take(parser.info(entry), parser.pointer(entry), parser.length(entry))
      }
      if (status === STATUS_DONE) return
      if (status === STATUS_REGION) this.#grow()
      else if (isViolation(status)) throw new Error(`the codec found violation ${status} in a valid frame`)
    }
  }

  /** Parses a stream that arrives in reads of so many bytes. */
  receiveInReads(start: number, end: number, read: number): void {
    for (let at = start; at < end; at += read) this.receive(at, Math.min(at + read, end))
  }

  free(): void {
    this.#region?.release()
    this.#parser.free()
  }

  #take(info: number, pointer: number, length: number): void {
    if (!isInRegion(info)) return this.#deliver(info, pointer, length, undefined)
    const region = this.#region
    this.#region = undefined
    this.#deliver(info, pointer, length, region)
    region?.release()
  }

  #grow(): void {
    const { needed, filled, announced } = this.#parser
    if (this.#region === undefined) this.#region = new Region(heap, needed, announced, ignore)
    else this.#region.grow(needed, filled, announced)
    this.#parser.grant(this.#region)
  }
}
