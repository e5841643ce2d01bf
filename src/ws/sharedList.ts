// A list of Buffers that is sent to many connections in one turn, as socket.io does with the frame of a broadcast: from the second
// connection on, it lies in the codec's memory once, and each of them sends it from there. The Buffers belong to the connections until
// their callbacks, so they are the same until the turn ends.
import { Buffer } from 'node:buffer'
import type { Heap } from '../codec/codec.js'
import { SharedBlock } from '../memory/sharedBlock.js'

export type Parts = readonly (string | Uint8Array)[]

/** Bytes that several connections send. */
export interface SharedList {
  readonly block: SharedBlock
  readonly length: number
}

let latest: Parts | undefined
/** What was in it: whoever makes one list do for frames of several clients puts other Buffers there. */
let contents: Parts = []
let shared: SharedList | undefined
let forgets = false

/** The list in the codec's memory, if it is the one that was sent last, and not for the first time. Throws OutOfMemory. */
export function sharedList(heap: Heap, parts: Parts): SharedList | undefined {
  if (parts === latest && isSame(parts)) {
    shared ??= made(heap, parts)
    return shared
  }
  forget()
  latest = parts
  contents = [...parts]
  if (!forgets) process.nextTick(forgetInTick)
  forgets = true
  return undefined
}

function isSame(parts: Parts): boolean {
  return parts.length === contents.length && parts.every((part, at) => part === contents[at])
}

function forgetInTick(): void {
  forgets = false
  forget()
}

function forget(): void {
  shared?.block.release()
  shared = latest = undefined
  contents = []
}

function made(heap: Heap, parts: Parts): SharedList {
  const length = lengthOf(parts)
  const block = new SharedBlock(heap, length)
  writeParts(heap, block.pointer, parts)
  return { block, length }
}

/** Bytes of all parts. */
export function lengthOf(parts: Parts): number {
  let length = 0
  for (const part of parts) length += typeof part === 'string' ? Buffer.byteLength(part) : part.length
  return length
}

/** Writes the parts to the codec's memory, one after the other. */
export function writeParts({ codec }: Heap, pointer: number, parts: Parts): void {
  let at = pointer
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    codec.write(at, bytes)
    at += bytes.length
  }
}
