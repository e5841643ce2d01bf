// The heap's simple model: a list of what is held, each block full of a byte of its own. It checks after every step.
import assert from 'node:assert/strict'
import type { Heap } from '../../src/codec/codec.js'
import { type Block, PAGE, sizeOfBlock } from '../../src/codec/heap.js'
import { HEAP, SLOT_SIZE } from '../../src/codec/wasm.generated.js'

export class HeapModel {
  readonly heap: Heap
  readonly live: { block: Block; mark: number }[] = []
  #marks = 0

  constructor(heap: Heap) {
    this.heap = heap
  }

  allocate(bytes: number, reserve = bytes): void {
    const block = this.heap.allocate(bytes, reserve)
    assert.ok(block.size >= bytes, `${block.size} bytes for ${bytes}`)
    assert.equal(block.size, sizeOfBlock(bytes))
    assert.equal(block.pointer % 64, 0, 'blocks are aligned')
    this.#add(block)
  }

  allocateSlot(): void {
    this.#add({ pointer: this.heap.allocateSlot(), size: SLOT_SIZE, extent: undefined })
  }

  extend(index: number, bytes: number): void {
    const held = this.live[index]
    if (held === undefined) return
    const before = held.block.size
    const extended = this.heap.extend(held.block, bytes)
    assert.equal(held.block.size, extended ? Math.max(before, roundUp(held.block, bytes)) : before)
    this.#check(held.block, before, held.mark)
    this.live.splice(index, 1)
    this.#add(held.block)
  }

  free(index: number): void {
    const [held] = this.live.splice(index, 1)
    if (held === undefined) return
    this.#check(held.block, held.block.size, held.mark)
    const { block } = held
    if (block.size === SLOT_SIZE) this.heap.freeSlot(block.pointer)
    else this.heap.free(block)
    this.#checkUsed()
  }

  #add(block: Block): void {
    const { bytes } = this.heap.codec
    const end = block.pointer + block.size
    assert.ok(block.pointer >= HEAP && end <= bytes.length, 'the block lies in the heap')
    for (const { block: other } of this.live) {
      assert.ok(end <= other.pointer || other.pointer + other.size <= block.pointer, 'blocks overlap')
    }
    const mark = ++this.#marks & 0xff
    bytes.fill(mark, block.pointer, end)
    this.live.push({ block, mark })
    this.#checkUsed()
  }

  /** The first `size` bytes of the block are what they were. */
  #check({ pointer }: Block, size: number, mark: number): void {
    const bytes = this.heap.codec.bytes.subarray(pointer, pointer + size)
    assert.ok(bytes.equals(Buffer.alloc(size, mark)), 'the block has other contents')
  }

  #checkUsed(): void {
    assert.equal(
      this.heap.used,
      this.live.reduce((sum, { block }) => sum + block.size, 0),
    )
  }
}

function roundUp({ extent, size }: Block, bytes: number): number {
  return extent === undefined ? size : Math.ceil(bytes / PAGE) * PAGE
}
