// What a client owes its server besides messages: a pong for a ping, and a Close (RFC 6455, sections 5.5.1 and 5.5.2). One
// write at a time goes out on a connection, so what is due waits for the one under way.
import type { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { Codec, Heap } from '../codec/codec.js'
import { FIN, KEY_BYTES, LONGEST_7_BIT, OPCODE_CLOSE, OPCODE_PONG } from '../codec/frames.js'
import type { Block } from '../codec/heap.js'
import { writeClosePayload } from '../protocol/closeCode.js'

/** Of a masked control frame. */
const HEADER = 2 + KEY_BYTES

/** A frame in the codec's memory; valid until the next one is made. */
interface Frame {
  readonly pointer: number
  readonly length: number
}

export class Replies {
  readonly #codec: Codec
  readonly #heap: Heap
  /** Room for a frame, and for a payload behind it: made for the first reply. */
  #block: Block | undefined
  /** Only the latest ping has to be answered (section 5.5.3): nothing piles up. */
  #ping: Buffer | undefined
  #close: Buffer | undefined
  /** After Close, nothing more is said. */
  #over = false

  constructor(codec: Codec, heap: Heap) {
    this.#codec = codec
    this.#heap = heap
  }

  pong(payload: Buffer): void {
    this.#ping = payload
  }

  close(code: number | undefined): void {
    this.#close = writeClosePayload(code, '')
  }

  /** The next frame that is due; undefined if none is. */
  next(): Frame | undefined {
    const [ping, close] = [this.#ping, this.#close]
    if (this.#over) return undefined
    if (ping !== undefined) {
      this.#ping = undefined
      return this.#frame(OPCODE_PONG, ping)
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

  #frame(opcode: number, payload: Buffer): Frame {
    const most = HEADER + LONGEST_7_BIT
    this.#block ??= this.#heap.allocate(most + LONGEST_7_BIT)
    const { pointer } = this.#block
    const source = pointer + most
    this.#codec.write(source, payload)
    const key = randomBytes(KEY_BYTES).readUInt32LE()
    return { pointer, length: this.#codec.call.maskedFrame(pointer, FIN | opcode, source, payload.length, key) }
  }
}
