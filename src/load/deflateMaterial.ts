// What the connections of a compressed load share: the documents, in the codec's memory, and what they must come back as.
import type { Buffer } from 'node:buffer'
import { constants, deflateRawSync } from 'node:zlib'
import type { Heap } from '../codec/codec.js'
import { FIN, OPCODE_TEXT, RSV1 } from '../codec/frames.js'
import type { Block } from '../codec/heap.js'
import { Encoder } from '../connection/sending/encoder.js'
import { documentsOf } from './documents.js'
import type { EncodedMessages } from './payload.js'

/** How a load is compressed. */
export interface DeflateLoad {
  /** What is offered. Default: what browsers offer. */
  readonly offer?: string
  /** Different documents, which are sent in turn. Default: 1. */
  readonly documents?: number
  /**
   * Each message was deflated by zlib at level 6, without context takeover, which the offer must say: a load that costs
   * the client next to nothing. Default: false, each message is deflated when it is sent.
   */
  readonly once?: boolean
}

/** What Chromium and Firefox offer: everything is left to the server. */
const OFFER = 'permessage-deflate; client_max_window_bits'

/** The extension to offer. */
export function offerOf({ offer = OFFER }: DeflateLoad = {}): string {
  return offer
}

/** However badly a server compresses, an answer is at most twice as long as the message, plus so many bytes. */
const SLACK = 1024
/** What is inflated lies here for a moment: longer messages come in pieces. */
const PIECE = 32_768

/** The first byte of every message that a compressed load sends. */
export const FIRST: number = FIN | RSV1 | OPCODE_TEXT

/** Bytes in the codec's memory. */
interface Place {
  readonly pointer: number
  readonly length: number
}

export class DeflateMaterial {
  readonly heap: Heap
  readonly encoder: Encoder
  /** The documents as they are, outside of the codec's memory, and in it. */
  readonly documents: readonly Buffer[]
  readonly places: readonly Place[]
  /** The documents as zlib has deflated them, if each is deflated once. */
  readonly deflated: readonly Place[] | undefined
  readonly verify: boolean
  readonly batch: EncodedMessages
  /** Where pieces are inflated to, and how long it is. */
  readonly target: Place

  constructor(heap: Heap, size: number, messages: number, verify: boolean, { documents = 1, once }: DeflateLoad = {}) {
    this.heap = heap
    this.encoder = new Encoder(heap.codec, 'client')
    this.verify = verify
    this.documents = documentsOf(size, documents)
    const blocks: Block[] = []
    const place = (bytes: Buffer): Place => {
      const block = heap.allocate(bytes.length)
      blocks.push(block)
      heap.codec.write(block.pointer, bytes)
      return { pointer: block.pointer, length: bytes.length }
    }
    this.places = this.documents.map(place)
    this.deflated = once === true ? this.documents.map((document) => place(deflateAlone(document))) : undefined
    const target = heap.allocate(PIECE)
    blocks.push(target)
    this.target = { pointer: target.pointer, length: PIECE }
    const answers = { first: FIRST, length: size, pointer: 0, compressed: 2 * size + SLACK }
    this.batch = { answers, blocks, pointer: 0, length: 0, messages }
  }
}

/** A message as permessage-deflate sends it: without the four bytes that end a flush (RFC 7692, section 7.2.1). */
function deflateAlone(payload: Buffer): Buffer {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}
