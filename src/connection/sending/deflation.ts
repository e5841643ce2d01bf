// Compresses what one connection sends (RFC 7692, section 7.2.1). A message of the application is first written to the
// thread's scratch, one that lies in the codec's memory is read there; what comes out is written where the frame is built.
// A connection has an engine of its own only where its messages refer to each other, and from the first one on.
import { type Codec, type Heap, OutOfMemory } from '../../codec/codec.js'
import type { DeflateEngine } from '../../codec/deflateEngine.js'
import {
  FIN,
  OPCODE_BINARY,
  OPCODE_CONTINUATION,
  OPCODE_TEXT,
  opcodeOf,
  payloadBytes,
  RSV1,
} from '../../codec/frames.js'
import { SCRATCH_LENGTH, scratchOfThread } from '../../codec/scratch.js'
import type { Windows } from '../../memory/windows.js'
import type { Sendable } from '../connection.js'
import { type DeflatedBytes, DeflateTally } from '../deflateTally.js'
import { Message, messageInternals } from '../message.js'
import { DeflatedForm } from './deflatedForm.js'
import { SHARED_WINDOW_BITS } from './deflatedFrames.js'
import { bytesOf, type Encoder, type Frame, type FrameBuffer, firstOf, mostBytes } from './encoder.js'
import type { Engines } from './engines.js'
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
  readonly engines: Engines
  /** Messages with fewer bytes are not compressed. */
  readonly threshold: number
  readonly windows: Windows
}

/** The same for what another encoder frames. */
export function encodedBy(encoder: Encoder, shared: DeflationShared): DeflationShared {
  return shared.encoder === encoder ? shared : { ...shared, encoder }
}

export class Deflation {
  readonly shared: DeflationShared
  /** Where bytes are counted, those that are received, too. */
  readonly tally: DeflateTally
  /** The connection's own engine, if its messages refer to each other and there is room for it. */
  #own: DeflateEngine | undefined
  /** The engine of a message under way, where the connection has none of its own. */
  #ofMessage: DeflateEngine | undefined
  /** The message in fragments that is under way is not compressed, for want of memory. */
  #plain = false

  constructor(shared: DeflationShared, tally = new DeflateTally()) {
    this.shared = shared
    this.tally = tally
  }

  /**
   * A frame around what is sent: compressed or not, as `compress` says, and where that is undefined, compressed if it is
   * no shorter than the threshold.
   */
  send(outgoing: Outgoing, data: Sendable, compress: boolean | undefined): void {
    const least = this.least(compress)
    // Most short texts need no look at their bytes.
    if ((typeof data === 'string' ? data.length * 3 : data.byteLength) < least) {
      encode(this.shared.encoder, outgoing, data)
    } else if (typeof data === 'string') this.#place(outgoing, TEXT, data, least)
    else if (data instanceof Message) this.#received(outgoing, data, least)
    else if (data instanceof PreparedMessage) this.#prepared(outgoing, data, least)
    else this.#place(outgoing, BINARY, bytesOf(data), least)
  }

  /** The fewest bytes of a message that is compressed. */
  least(compress: boolean | undefined): number {
    return compress === true ? 0 : this.shared.threshold
  }

  /** A frame around a whole message whose first byte is given: compressed if it has `least` bytes or more. */
  whole(buffer: FrameBuffer, first: number, data: string | Uint8Array, least: number): void {
    this.#place(buffer, first, data, least)
  }

  /**
   * The fewest bytes of a message that is compressed once for many, if the peer can read that; undefined if it can't: its
   * window is too small.
   */
  get sharedThreshold(): number | undefined {
    return this.shared.windowBits >= SHARED_WINDOW_BITS ? this.shared.threshold : undefined
  }

  /** The peer gets what another engine has compressed: what follows must not refer to what was before. */
  passed({ plain, compressed }: DeflatedBytes): void {
    this.#own?.forget()
    this.tally.sent(plain, compressed)
  }

  /** A fragment of a message: the first has the mark (RFC 7692, section 6.1). */
  fragment(buffer: FrameBuffer, opcode: number, data: string | Uint8Array, last: boolean): void {
    const first = firstOfFragment(opcode, last)
    try {
      this.#place(buffer, first, data)
    } catch (error) {
      if (!(error instanceof OutOfMemory) || opcode === OPCODE_CONTINUATION) throw error
      this.#plain = !last
      this.shared.encoder.fragment(buffer, opcode, data, last)
    }
  }

  /**
   * A frame around bytes of the codec's memory, compressed. `first` has RSV1 for a message and for the first fragment of
   * one. Without memory to compress it, a message is sent as it is, and so are all fragments that follow a first one.
   */
  frame(buffer: FrameBuffer, first: number, pointer: number, length: number): void {
    if (this.goesPlain(first)) return this.shared.encoder.payload(buffer, first, pointer, length)
    try {
      const engine = isWhole(first) ? this.#engineOfWhole() : this.engineFor(first)
      this.shared.encoder.deflated(buffer, first, pointer, length, engine)
      this.took(first, length, engine.written)
    } catch (error) {
      this.framePlain(error, buffer, first, pointer, length)
    }
  }

  /** Whether a frame belongs to a message in fragments that began without compression. */
  goesPlain(first: number): boolean {
    return this.#plain && opcodeOf(first) === OPCODE_CONTINUATION
  }

  /** There was no memory to compress a frame, and the peer knows nothing of it: it is sent as it is, if its message may be. */
  framePlain(error: unknown, buffer: FrameBuffer, first: number, pointer: number, length: number): void {
    if (!(error instanceof OutOfMemory)) throw error
    // What was compressed may be in the window already, which the peer would not understand.
    this.#freeOfMessage()
    this.#freeOwn()
    if (opcodeOf(first) === OPCODE_CONTINUATION) throw error
    this.#plain = (first & FIN) === 0
    this.shared.encoder.payload(buffer, first & ~RSV1, pointer, length)
  }

  /** The engine for what is not compressed at once; `took` must follow. Throws OutOfMemory. */
  engineFor(first: number): DeflateEngine {
    // A message goes on with the engine that it began with, also if there is room for another one meanwhile.
    if (opcodeOf(first) !== OPCODE_CONTINUATION) this.#begin()
    if (this.#own !== undefined) return this.#own
    this.#ofMessage ??= this.shared.engines.open()
    return this.#ofMessage
  }

  /** A frame has been compressed, from `plain` to `compressed` bytes. */
  took(first: number, plain: number, compressed: number): void {
    this.tally.sent(plain, compressed)
    if ((first & FIN) !== 0) this.#freeOfMessage()
  }

  /** Gives back everything. */
  free(): void {
    this.#freeOfMessage()
    this.#freeOwn()
  }

  #freeOwn(): void {
    if (this.#own === undefined) return
    this.#own.free()
    this.#own = undefined
    this.shared.windows.give(this.shared.engines.bytes)
  }

  #freeOfMessage(): void {
    this.#ofMessage?.free()
    this.#ofMessage = undefined
  }

  #engineOfWhole(): DeflateEngine {
    this.#begin()
    return this.#own ?? this.shared.engines.shared()
  }

  /** The connection gets its own engine with its first compressed message, or does without. */
  #begin(): void {
    this.#plain = false
    const { takesOver, windows, engines } = this.shared
    if (!takesOver || this.#own !== undefined) return
    if (!windows.take(engines.bytes)) return
    try {
      this.#own = engines.open()
    } catch (error) {
      windows.give(engines.bytes)
      throw error
    }
  }

  #received(buffer: FrameBuffer, message: Message, least: number): void {
    const pointer = messageInternals.pointer(message)
    // Most messages have no region: then this runs for each of them, and a closure would cost memory.
    if (pointer === 0 || messageInternals.region(message) !== undefined) this.#held(buffer, message, least)
    else this.#message(buffer, firstOf(message), pointer, message.byteLength, least)
  }

  #held(buffer: FrameBuffer, message: Message, least: number): void {
    const first = firstOf(message)
    messageInternals.hold(message, (pointer) => {
      if (pointer !== 0) this.#message(buffer, first, pointer, message.byteLength, least)
      else this.#place(buffer, first, message.bytes, least)
    })
  }

  /** A prepared message is compressed once for all who can read that; the others are sent it as it is. */
  prepared(message: PreparedMessage, least: number): Frame & { readonly deflated: DeflatedBytes | undefined } {
    if (message.byteLength < least || this.sharedThreshold === undefined)
      return { ...preparedInternals.frame(message), deflated: undefined }
    const { memory, length } = preparedInternals.deflated(message)
    const compressed = payloadBytes(this.shared.heap.codec.bytes, memory.pointer)
    return { memory, length, deflated: { plain: message.byteLength, compressed } }
  }

  /** What a long prepared message is sent as, if it is to be compressed and the peer can read that. Throws OutOfMemory. */
  formOf(data: Sendable, compress: boolean | undefined): DeflatedForm | undefined {
    if (typeof data === 'string' || !(data instanceof PreparedMessage) || compress === false) return undefined
    const { byteLength } = data
    if (!DeflatedForm.isFor(byteLength) || byteLength < this.least(compress)) return undefined
    return this.sharedThreshold === undefined ? undefined : preparedInternals.form(data)
  }

  #prepared(outgoing: Outgoing, message: PreparedMessage, least: number): void {
    const { memory, length, deflated } = this.prepared(message, least)
    outgoing.addFrames(memory, memory.pointer, length)
    if (deflated !== undefined) this.passed(deflated)
  }

  #message(buffer: FrameBuffer, first: number, pointer: number, length: number, least: number): void {
    if (length < least) this.shared.encoder.payload(buffer, first, pointer, length)
    else this.frame(buffer, first | RSV1, pointer, length)
  }

  /** Writes what an application sends to the codec's memory, and then a frame around it; without `least`, it is a fragment. */
  #place(buffer: FrameBuffer, first: number, data: string | Uint8Array, least?: number): void {
    const { heap } = this.shared
    const most = typeof data === 'string' ? mostBytes(data) : data.length
    const block = most > SCRATCH_LENGTH ? heap.allocate(most) : undefined
    try {
      const pointer = block?.pointer ?? scratchOfThread('deflate')
      const length = write(heap.codec, pointer, data, most)
      if (least === undefined) this.frame(buffer, first, pointer, length)
      else this.#message(buffer, first, pointer, length, least)
    } finally {
      if (block !== undefined) heap.free(block)
    }
  }
}

/** The first byte of a compressed fragment. */
export function firstOfFragment(opcode: number, last: boolean): number {
  return (last ? FIN : 0) | opcode | (opcode === OPCODE_CONTINUATION ? 0 : RSV1)
}

/** Whether a frame is a whole message. */
function isWhole(first: number): boolean {
  return (first & FIN) !== 0 && opcodeOf(first) !== OPCODE_CONTINUATION
}

/** Writes what an application sends to the codec's memory; returns how many bytes it has. */
export function write(codec: Codec, pointer: number, data: string | Uint8Array, most: number): number {
  if (typeof data === 'string') return codec.bytes.write(data, pointer, most, 'utf8')
  codec.write(pointer, data)
  return data.length
}
