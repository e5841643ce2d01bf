// What all steps work on: this thread's codec, memory in it, and payloads.
import { Buffer } from 'node:buffer'
import { heapOfThread } from '../../src/codec/codec.js'
import { FIN, OPCODE_BINARY, OPCODE_TEXT } from '../../src/codec/frames.js'
import { payloadOf } from '../../src/load/payload.js'

export const heap = heapOfThread()
export const { codec } = heap

/** Each byte is below 0x20, so masking ASCII with it gives ASCII: text can be unmasked in place again and again. */
export const KEY = Buffer.of(1, 2, 3, 4)
export const KEY_WORD = KEY.readUInt32LE()

/** Longer than any frame header. */
export const ROOM = 16

export type Kind = 'binary' | 'text' | 'utf8'

const ends: (() => void)[] = []

/** What is to be done when the case under way has been measured. */
export function atEnd(free: () => void): void {
  ends.push(free)
}

export function endCase(): void {
  for (const free of ends.splice(0)) free()
}

/** Memory of the codec for the case under way. */
export function allocate(length: number): number {
  const block = heap.allocate(length)
  atEnd(() => heap.free(block))
  return block.pointer
}

/** The same, and these bytes in it. */
export function stored(bytes: Uint8Array): number {
  const pointer = allocate(bytes.length)
  codec.bytes.set(bytes, pointer)
  return pointer
}

const payloads = new Map<string, Buffer>()

/** The payload of this kind; the same bytes for everyone, so nobody must change it. */
export function payload(kind: Kind, length: number): Buffer {
  const name = `${kind} ${length}`
  const made = payloads.get(name) ?? payloadOf(kind, length)
  payloads.set(name, made)
  return made
}

/** A JSON array of exactly so many bytes: orders, and blanks before its end. */
export function jsonOf(length: number): Buffer {
  const order = payload('text', 1024).toString().split('}{', 1)[0] ?? ''
  const unit = `${order}},`
  const units = Math.floor((length - 2) / unit.length)
  const list = `[${unit.repeat(units)}`.slice(0, -1)
  return Buffer.from(`${list.padEnd(length - 1)}]`)
}

/** A masked frame, as a client sends it. */
export function maskedFrame(kind: Kind, length: number): Buffer {
  const source = heap.allocate(length)
  const target = heap.allocate(length + ROOM)
  codec.bytes.set(payload(kind, length), source.pointer)
  const first = FIN | (kind === 'binary' ? OPCODE_BINARY : OPCODE_TEXT)
  const bytes = codec.call.maskedFrame(target.pointer, first, source.pointer, length, KEY_WORD)
  const frame = Buffer.from(codec.view(target.pointer, bytes))
  heap.free(source)
  heap.free(target)
  return frame
}

/** So many copies of it, one after the other. */
export function repeat(frame: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => frame))
}
