// Memory that nobody owns any more shows POISON in tests, and not what it showed before: whoever still looks there gets
// bytes that are no frame's beginning and no UTF-8. What is freed is poisoned at once, what was read is when the
// receiver has returned. It is done from outside, so that a server does not pay for it.
import { codecOfThread, Heap } from '../../src/codec/codec.js'
import type { Block } from '../../src/codec/heap.js'
import { ENTRY_SIZE, RESULT, RESULT_COUNT, SLOT_SIZE, TABLE } from '../../src/codec/wasm.generated.js'
import { DuplexTransport } from '../../src/transport/duplex.js'
import { HandleTransport } from '../../src/transport/handle.js'
import type { Receiver, Transport } from '../../src/transport/transport.js'
import { MemoryTransport, POISON } from './memoryTransport.js'

let poisoned = false

/** From now on, in this process. */
export function poisonMemory(): void {
  if (poisoned) return
  poisoned = true
  poisonFreed()
  for (const transport of [HandleTransport, DuplexTransport, MemoryTransport]) poisonRead(transport.prototype)
}

function poisonFreed(): void {
  const { free, freeFixed, freeSlot } = Heap.prototype
  Heap.prototype.free = function (this: Heap, block: Block): void {
    fill(block.pointer, block.pointer + block.size)
    free.call(this, block)
  }
  Heap.prototype.freeFixed = function (this: Heap, pointer: number, bytes: number): void {
    fill(pointer, pointer + bytes)
    freeFixed.call(this, pointer, bytes)
  }
  Heap.prototype.freeSlot = function (this: Heap, pointer: number): void {
    fill(pointer, pointer + SLOT_SIZE)
    freeSlot.call(this, pointer)
  }
}

function poisonRead(transport: Transport): void {
  const { open } = transport
  transport.open = function (this: Transport, receiver: Receiver): void {
    poisonAfterReads(receiver)
    open.call(this, receiver)
  }
}

/** When the receiver has returned, the bytes it was given, and the frames that were found in them, are gone. */
function poisonAfterReads(receiver: Receiver): void {
  const { received } = receiver
  receiver.received = (start, end) => {
    received.call(receiver, start, end)
    const { words } = codecOfThread()
    fill(start, end)
    fill(TABLE, TABLE + (words[(RESULT + RESULT_COUNT) / 4] ?? 0) * ENTRY_SIZE)
  }
}

function fill(start: number, end: number): void {
  codecOfThread().bytes.fill(POISON, start, end)
}
