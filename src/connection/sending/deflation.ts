// Compresses what one connection sends (RFC 7692, section 7.2.1). A message of the application is first written to the
// thread's scratch, one that lies in the codec's memory is read there; what comes out is written where the frame is built.
// A connection has a deflater of its own only where its messages refer to each other, and from the first one on.
import type { Codec, Heap } from '../../codec/codec.js'
import { compressionOf } from '../../codec/compression.js'
import { Deflater, mostDeflaterBytes } from '../../codec/deflater.js'
import { FIN, OPCODE_BINARY, OPCODE_CONTINUATION, OPCODE_TEXT, RSV1 } from '../../codec/frames.js'
import { SCRATCH_LENGTH, scratchOfThread } from '../../codec/scratch.js'
import { sharedDeflater } from '../../codec/sharedDeflater.js'
import type { Windows } from '../../memory/windows.js'
import type { Sendable } from '../connection.js'
import { Message, messageInternals } from '../message.js'
import { SHARED_WINDOW_BITS } from './deflatedFrames.js'
import { bytesOf, type Encoder, type FrameBuffer, firstOf, mostBytes } from './encoder.js'
import type { Outgoing } from './outgoing.js'
import { PreparedMessage, preparedInternals } from './prepared.js'
import { encode } from './sendable.js'

const TEXT = FIN | OPCODE_TEXT
const BINARY = FIN | OPCODE_BINARY

/** What all connections share that compress in the same way. */
export interface DeflationShared {
  readonly encoder: Encoder
  readonly heap: Heap
  /** Whether messages refer to those before them. */
  readonly takesOver: boolean
  readonly windowBits: number
  /** Messages with fewer bytes are not compressed. */
  readonly threshold: number
  readonly windows: Windows
}

export class Deflation {
  readonly #shared: DeflationShared
  /** The connection's own deflater, if its messages refer to each other and there is room for it. */
  #own: Deflater | undefined
  /** The deflater of a message in fragments that is under way, where the connection has none of its own. */
  #ofMessage: Deflater | undefined

  constructor(shared: DeflationShared) {
    this.#shared = shared
  }

  /**
   * A frame around what is sent: compressed or not, as `compress` says, and where that is undefined, compressed if it is
   * no shorter than the threshold.
   */
  send(outgoing: Outgoing, data: Sendable, compress: boolean | undefined): void {
    const least = compress === true ? 0 : this.#shared.threshold
    // Most short texts need no look at their bytes.
    if ((typeof data === 'string' ? data.length * 3 : data.byteLength) < least) {
      encode(this.#shared.encoder, outgoing, data)
    } else if (typeof data === 'string')
      this.#place(data, (at, length) => this.#frame(outgoing, TEXT, at, length, least))
    else if (data instanceof Message) this.#message(outgoing, data, least)
    else if (data instanceof PreparedMessage) this.#prepared(outgoing, data, least)
    else this.#place(bytesOf(data), (at, length) => this.#frame(outgoing, BINARY, at, length, least))
  }

  /** A frame around a whole message whose first byte is given: compressed if it has `least` bytes or more. */
  whole(buffer: FrameBuffer, first: number, data: string | Uint8Array, least: number): void {
    this.#place(data, (at, length) => this.#frame(buffer, first, at, length, least))
  }

  /**
   * The fewest bytes of a message that is compressed once for many, if the peer can read that; undefined if it can't: its
   * window is too small.
   */
  get sharedThreshold(): number | undefined {
    return this.#shared.windowBits >= SHARED_WINDOW_BITS ? this.#shared.threshold : undefined
  }

  /** The peer has got what another deflater has compressed: what follows must not refer to what was before. */
  forget(): void {
    this.#own?.forget()
  }

  /** A fragment of a message: the first has the mark (RFC 7692, section 6.1). */
  fragment(buffer: FrameBuffer, opcode: number, data: string | Uint8Array, last: boolean): void {
    const first = (last ? FIN : 0) | opcode | (opcode === OPCODE_CONTINUATION ? 0 : RSV1)
    const { encoder, heap, windowBits } = this.#shared
    // A message goes on with the deflater that it began with, also if there is room for another one meanwhile.
    if (opcode !== OPCODE_CONTINUATION) this.#begin()
    if (this.#own === undefined) this.#ofMessage ??= new Deflater(compressionOf(heap), windowBits)
    const deflater = this.#own ?? this.#ofMessage
    if (deflater === undefined) return
    this.#place(data, (at, length) => encoder.deflated(buffer, first, at, length, deflater))
    if (last) this.#freeOfMessage()
  }

  /** Gives back everything. */
  free(): void {
    this.#freeOfMessage()
    if (this.#own === undefined) return
    this.#own.free()
    this.#own = undefined
    this.#shared.windows.give(mostDeflaterBytes(this.#shared.windowBits))
  }

  #freeOfMessage(): void {
    this.#ofMessage?.free()
    this.#ofMessage = undefined
  }

  /** The connection gets its own deflater with its first compressed message, or does without. */
  #begin(): void {
    const { takesOver, windows, heap, windowBits } = this.#shared
    if (!takesOver || this.#own !== undefined) return
    const bytes = mostDeflaterBytes(windowBits)
    if (!windows.take(bytes)) return
    try {
      this.#own = new Deflater(compressionOf(heap), windowBits)
    } catch (error) {
      windows.give(bytes)
      throw error
    }
  }

  #message(buffer: FrameBuffer, message: Message, least: number): void {
    const first = firstOf(message)
    messageInternals.hold(message, (pointer) => {
      if (pointer !== 0) this.#frame(buffer, first, pointer, message.byteLength, least)
      else this.#place(message.bytes, (at, length) => this.#frame(buffer, first, at, length, least))
    })
  }

  /** A prepared message is compressed once for all who can read that; the others are sent it as it is. */
  #prepared(outgoing: Outgoing, message: PreparedMessage, least: number): void {
    const shares = message.byteLength >= least && this.sharedThreshold !== undefined
    const { memory, length } = shares ? preparedInternals.deflated(message) : preparedInternals.frame(message)
    outgoing.addFrames(memory, memory.pointer, length)
    if (shares) this.forget()
  }

  #frame(buffer: FrameBuffer, first: number, pointer: number, length: number, least: number): void {
    const { encoder, heap, windowBits } = this.#shared
    if (length < least) return encoder.payload(buffer, first, pointer, length)
    this.#begin()
    encoder.deflated(buffer, first | RSV1, pointer, length, this.#own ?? sharedDeflater(heap, windowBits))
  }

  /** Shows `use` where the bytes of what an application sends lie in the codec's memory, and how many they are. */
  #place(data: string | Uint8Array, use: (pointer: number, length: number) => void): void {
    const { heap } = this.#shared
    const most = typeof data === 'string' ? mostBytes(data) : data.length
    if (most <= SCRATCH_LENGTH) {
      const pointer = scratchOfThread('deflate')
      return use(pointer, write(heap.codec, pointer, data, most))
    }
    const block = heap.allocate(most)
    try {
      use(block.pointer, write(heap.codec, block.pointer, data, most))
    } finally {
      heap.free(block)
    }
  }
}

function write(codec: Codec, pointer: number, data: string | Uint8Array, most: number): number {
  if (typeof data === 'string') return codec.bytes.write(data, pointer, most, 'utf8')
  codec.write(pointer, data)
  return data.length
}
