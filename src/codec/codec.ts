// What the rest of millrace calls the codec: one thread's instance, its heap, and the names of its violations.
import type { ViolationName } from '../protocol/violation.js'
import { Heap } from './heap.js'
import { Codec, codecOfThread } from './instance.js'
import * as wasm from './wasm.generated.js'

export { OutOfMemory } from './outOfMemory.js'
export { HEADROOM, Region } from './region.js'
export { Codec, codecOfThread, Heap }

const PREFIX = 'VIOLATION_'

/** The violations' names by the numbers that `parse` returns. */
const names = new Map<number, string>(
  Object.entries(wasm)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [Number(value), name.slice(PREFIX.length)]),
)

/** The violation that `parse` returned. */
export function violationName(status: number): ViolationName {
  const name = names.get(status)
  if (name === undefined) throw new Error(`the codec returned ${status}, which is neither a status nor a violation`)
  return name as ViolationName
}

let heap: Heap | undefined

/** The heap of this thread, made on first use. */
export function heapOfThread(): Heap {
  heap ??= new Heap(codecOfThread())
  return heap
}
