// What a load client sends: one message, and a batch of it, encoded once.
import { Buffer } from 'node:buffer'
import type { Heap } from '../codec/codec.js'
import type { Answers } from '../codec/counter.js'
import { FIN, LONGEST_MASKED_HEADER, OPCODE_BINARY, OPCODE_TEXT } from '../codec/frames.js'
import type { Block } from '../codec/heap.js'
import { Encoder } from '../connection/sending/encoder.js'
import { FrameRow } from './frameRow.js'

/** Bytes, ASCII JSON, or JSON with characters of two and three bytes. */
export type PayloadKind = 'binary' | 'text' | 'utf8'
/** Of a load: also ASCII JSON that is compressed, see deflateMaterial.ts. */
export type LoadKind = PayloadKind | 'deflate'

const ASCII =
  '{"order":48213,"placed":"2026-03-14T09:26:53Z","items":[{"sku":"MR-0017","name":"Water wheel","price":249.5},' +
  '{"sku":"MR-0042","name":"Sluice gate","price":89.9}],"express":true}'
const MULTIBYTE = '{"nom":"Zoë Müller","город":"Москва","品名":"水車と水門","preis":"249,50 €"}'

/** The payload of one message: exactly `size` bytes, before compression. */
export function payloadOf(kind: PayloadKind, size: number): Buffer {
  const bytes = Buffer.alloc(size, ' ')
  if (kind === 'binary') {
    for (let at = 0; at < size; at++) bytes[at] = at * 131
    return bytes
  }
  const unit = Buffer.from(kind === 'utf8' ? MULTIBYTE : ASCII)
  for (let at = 0; at < size; at += unit.length) unit.copy(bytes, at, 0, wholeCharacters(unit, size - at))
  return bytes // ends with blanks where a whole character had no room
}

/** The length of the longest part of the first `most` bytes that ends with a whole character. */
function wholeCharacters(text: Buffer, most: number): number {
  let end = Math.min(most, text.length)
  while (end < text.length && ((text[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}

/** Any answer will do, whatever its length. */
export const ANY: Answers = { first: FIN, length: 0, pointer: 0, compressed: 0 }

/** Encoded messages: frames that lie one after the other in the codec's memory. */
export interface EncodedMessages {
  /** What the answers of an echo server must be. */
  readonly answers: Answers
  /** The memory of the frames. The object that encoded them frees it. */
  readonly blocks: readonly Block[]
  readonly pointer: number
  readonly length: number
  readonly messages: number
}

/**
 * Encodes `messages` masked frames that carry `payload`, each with a masking key of its own, and nothing compressed. With
 * `verify`, the payload stays in memory, for answers to be compared with it.
 */
export function encodeBatch(
  heap: Heap,
  kind: PayloadKind,
  payload: Buffer,
  messages: number,
  verify = false,
): EncodedMessages {
  const first = FIN | (kind === 'binary' ? OPCODE_BINARY : OPCODE_TEXT)
  const source = heap.allocate(payload.length)
  const block = heap.allocate(messages * (payload.length + LONGEST_MASKED_HEADER))
  const frames = new FrameRow(block.pointer)
  const encoder = new Encoder(heap.codec, 'client')
  heap.codec.write(source.pointer, payload)
  for (let message = 0; message < messages; message++) encoder.payload(frames, first, source.pointer, payload.length)
  if (!verify) heap.free(source)
  const { length } = payload
  const answers = { first, length, pointer: verify ? source.pointer : 0, compressed: 0 }
  return {
    answers,
    blocks: verify ? [block, source] : [block],
    pointer: frames.pointer,
    length: frames.length,
    messages,
  }
}
