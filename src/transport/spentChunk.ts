// What Node's streams read lies outside of the heap, 64 KiB at a time. A small heap full of such memory reaches V8's limit
// for what is old before V8 looks for what is young: a collection of everything for every few chunks, where one of the
// young would do. So the memory of a chunk that was dealt with is given back at once.

import type { MessagePort } from 'node:worker_threads'

/** Shorter chunks are cheaper to leave to the collector. */
export const SHORTEST_SPENT = 8 * 1024

const { transfer } = ArrayBuffer.prototype as { transfer?: (this: ArrayBuffer, length: number) => ArrayBuffer }

/** A closed port, where Node.js 20 has no `transfer`: what is sent by it goes nowhere, and its memory with it. */
let nowhere: MessagePort | undefined

function loseMemory(buffer: ArrayBuffer): void {
  nowhere ??= closedPort()
  nowhere.postMessage(undefined, [buffer])
}

function closedPort(): MessagePort {
  const { port1 } = new MessageChannel()
  port1.close()
  return port1
}

/** Gives back the memory of a chunk, which then is empty. Nobody else may have the chunk, or memory that it shares. */
export function giveBack(chunk: Uint8Array): void {
  const { buffer, length } = chunk
  if (length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return
  if (transfer === undefined) loseMemory(buffer)
  else transfer.call(buffer, 0)
}
