// One connection of a compressed load: deflates each message that is sent, and inflates each answer, which it holds against
// the document that was sent.
import { type Compression, compressionOf, type Heap } from '../codec/codec.js'
import type { Piece } from '../codec/counter.js'
import { Deflater } from '../codec/deflater.js'
import { LONGEST_MASKED_HEADER, OPCODE_TEXT, opcodeOf, RSV1 } from '../codec/frames.js'
import type { Block } from '../codec/heap.js'
import { INFLATE_CORRUPT, INFLATE_MORE, Inflater } from '../codec/inflater.js'
import { sharedDeflater } from '../codec/sharedDeflater.js'
import type { DeflateParameters } from '../protocol/permessageDeflate.js'
import { type DeflateMaterial, FIRST } from './deflateMaterial.js'
import { FrameRow } from './frameRow.js'

export class DeflatedLine {
  readonly #heap: Heap
  readonly #material: DeflateMaterial
  readonly #parameters: DeflateParameters
  /** With context takeover, its own. */
  readonly #deflater: Deflater | undefined
  readonly #inflater: Inflater
  /** The frames that are being written. */
  #block: Block | undefined
  #sent = 0
  #answered = 0
  /** Bytes of the message under way that have come, inflated. */
  #at = 0

  constructor(material: DeflateMaterial, parameters: DeflateParameters) {
    const { heap } = material
    const compression: Compression = compressionOf(heap)
    const { clientNoContextTakeover, clientMaxWindowBits, serverMaxWindowBits } = parameters
    this.#heap = heap
    this.#material = material
    this.#parameters = parameters
    this.#deflater =
      clientNoContextTakeover || material.deflated !== undefined
        ? undefined
        : new Deflater(compression, clientMaxWindowBits)
    this.#inflater = new Inflater(compression, serverMaxWindowBits)
  }

  /** The frames of the next messages, which must be written before others are made. */
  next(): FrameRow {
    const { places, deflated, encoder, batch } = this.#material
    const { messages } = batch
    const [longest] = places
    const most = this.#compressor().bound(longest?.length ?? 0) + LONGEST_MASKED_HEADER
    const block = this.#heap.allocate(messages * most)
    const frames = new FrameRow(block.pointer)
    for (let message = 0; message < messages; message++) {
      const turn = this.#sent++ % places.length
      const [place, body] = [places[turn], deflated?.[turn]]
      if (body !== undefined) encoder.payload(frames, FIRST, body.pointer, body.length)
      else if (place !== undefined) {
        encoder.deflated(frames, FIRST, place.pointer, place.length, this.#compressor())
      }
    }
    this.#block = block
    return frames
  }

  /** Nothing is being written any more. */
  written(): void {
    if (this.#block !== undefined) this.#heap.free(this.#block)
    this.#block = undefined
  }

  /** Takes a piece of an answer, or of a greeting, which may be anything. Returns what is wrong with it. */
  take(piece: Piece, isAnswer: boolean): string | undefined {
    const compressed = (piece.first & RSV1) !== 0
    const problem = compressed ? this.#inflate(piece, isAnswer) : this.#compare(piece.pointer, piece.length, isAnswer)
    if (problem !== undefined || !piece.ends) return problem
    const length = this.#at
    this.#at = 0
    if (compressed && !this.#inflater.end()) return 'the server broke the protocol: INVALID_DEFLATE'
    if (compressed && this.#parameters.serverNoContextTakeover) this.#inflater.forget()
    if (!isAnswer) return undefined
    const expected = this.#expected()
    this.#answered++
    if (length !== expected.length) return notSent(length, expected.length)
    return this.#material.verify && opcodeOf(piece.first) !== OPCODE_TEXT
      ? 'an echo came back as another kind of message'
      : undefined
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.written()
    this.#deflater?.free()
    this.#inflater.free()
  }

  #compressor(): Deflater {
    return this.#deflater ?? sharedDeflater(this.#heap, this.#parameters.clientMaxWindowBits)
  }

  #inflate({ pointer, length }: Piece, isAnswer: boolean): string | undefined {
    const { target } = this.#material
    const limit = isAnswer ? this.#expected().length : Number.MAX_SAFE_INTEGER
    for (let from = pointer; ; ) {
      const left = pointer + length - from
      const status = this.#inflater.inflate(from, left, target.pointer, target.pointer, target.length, limit)
      const { consumed, written } = this.#inflater
      if (status === INFLATE_CORRUPT) return 'the server broke the protocol: INVALID_DEFLATE'
      const problem = this.#compare(target.pointer, written, isAnswer)
      if (problem !== undefined) return problem
      this.#inflater.keep(target.pointer, written)
      if (status === INFLATE_MORE) return undefined
      // At the limit, more is to come, and no answer may have more.
      if (this.#at >= limit) return notSent(limit + 1, limit)
      from += consumed
    }
  }

  /** Compares the next bytes of an answer. */
  #compare(pointer: number, length: number, isAnswer: boolean): string | undefined {
    const at = this.#at
    this.#at += length
    if (!isAnswer || !this.#material.verify) return undefined
    const expected = this.#expected()
    const { bytes } = this.#heap.codec
    if (at + length <= expected.length && bytes.compare(expected, at, at + length, pointer, pointer + length) === 0) {
      return undefined
    }
    let same = 0
    while (same < length && bytes[pointer + same] === expected[at + same]) same++
    return notSent(expected.length, expected.length, `; byte ${at + same} differs`)
  }

  /** The document of which the answer comes next. */
  #expected(): Buffer {
    const { documents } = this.#material
    return documents[this.#answered % documents.length] ?? Buffer.alloc(0)
  }
}

/** What is said of an answer of another length, or with other bytes. */
export function notSent(came: number, sent: number, more = ''): string {
  return `an echo is not what was sent (${came} bytes came, ${sent} were sent${more})`
}
