// What a client says to its server besides messages: a pong for a ping, a ping, and a Close (RFC 6455, sections 5.5.1 to 5.5.3). One
// write at a time goes out on a connection, so what is due waits for the one under way.
import type { Buffer } from 'node:buffer'
import type { Heap } from '../codec/codec.js'
import { LONGEST_7_BIT, LONGEST_MASKED_HEADER, OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG } from '../codec/frames.js'
import type { Block } from '../codec/heap.js'
import { encoderOfThread } from '../connection/sending/encoder.js'
import { writeClosePayload } from '../protocol/closeCode.js'
import { FrameRow } from './frameRow.js'

/** A frame in the codec's memory; valid until the next one is made. */
interface Reply {
  readonly pointer: number
  readonly length: number
}

export class Replies {
  readonly #heap: Heap
  /** Memory for one frame. It is allocated for the first reply. */
  #block: Block | undefined
  /** Only the latest ping has to be answered (section 5.5.3): nothing piles up. */
  #ping: Buffer | undefined
  /** Of this side. */
  #ownPing: Buffer | undefined
  #close: Buffer | undefined
  /** After Close, nothing more is said. */
  #over = false

  constructor(heap: Heap) {
    this.#heap = heap
  }

  pong(payload: Buffer): void {
    this.#ping = payload
  }

  /** The next one takes the place of one that has not left. */
  ping(payload: Buffer): void {
    this.#ownPing = payload
  }

  close(code: number | undefined): void {
    this.#close = writeClosePayload(code, '')
  }

  /** The next frame that is due; undefined if none is. */
  next(): Reply | undefined {
    const [ping, ownPing, close] = [this.#ping, this.#ownPing, this.#close]
    if (this.#over) return undefined
    if (ping !== undefined) {
      this.#ping = undefined
      return this.#frame(OPCODE_PONG, ping)
    }
    if (ownPing !== undefined) {
      this.#ownPing = undefined
      return this.#frame(OPCODE_PING, ownPing)
    }
    if (close === undefined) return undefined
    this.#over = true
    return this.#frame(OPCODE_CLOSE, close)
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    if (this.#block !== undefined) this.#heap.free(this.#block)
    this.#block = undefined
  }

  #frame(opcode: number, payload: Buffer): Reply {
    this.#block ??= this.#heap.allocate(LONGEST_MASKED_HEADER + LONGEST_7_BIT)
    const frame = new FrameRow(this.#block.pointer)
    encoderOfThread('client').control(frame, opcode, payload)
    return frame
  }
}
