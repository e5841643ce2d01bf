// The heap's simple model: a list of what is held, each block full of a byte of its own, and freed memory full of poison.
// It checks after every step, and what a check costs does not grow with what is held.
import assert from 'node:assert/strict'
import type { Heap } from '../../src/codec/codec.js'
import { type Block, PAGE, sizeOfBlock, sizeOfFixed } from '../../src/codec/heap.js'
import { HEAP, SLOT_SIZE } from '../../src/codec/wasm.generated.js'

const POISON = 0xdd

interface Held {
  readonly block: Block
  readonly mark: number
}

export class HeapModel {
  readonly heap: Heap
  readonly live: Held[] = []
  /** Bytes at each end of a block that are marked: memory that nobody touches costs nothing. */
  readonly #edge: number
  /** The blocks that lie in each page. */
  readonly #pages = new Map<number, Set<Block>>()
  /** For how many bytes those blocks were asked for that never grow. */
  readonly #fixed = new Map<Block, number>()
  #used = 0
  #marks = 0

  constructor(heap: Heap, edge = Infinity) {
    this.heap = heap
    this.#edge = edge
  }

  allocate(bytes: number, reserve = bytes): void {
    const block = this.heap.allocate(bytes, reserve)
    assert.ok(block.size >= bytes, `${block.size} bytes for ${bytes}`)
    assert.equal(block.size, sizeOfBlock(bytes))
    assert.equal(block.pointer % 64, 0, 'blocks are aligned')
    this.#add(block)
  }

  allocateSlot(): void {
    this.#add({ pointer: this.heap.allocateSlot(), size: SLOT_SIZE, extent: undefined, held: true })
  }

  allocateFixed(bytes: number): void {
    const block = { pointer: this.heap.allocateFixed(bytes), size: sizeOfFixed(bytes), extent: undefined, held: true }
    assert.ok(block.size >= bytes, `${block.size} bytes for ${bytes}`)
    assert.equal(block.pointer % 16, 0, 'blocks are aligned')
    this.#fixed.set(block, bytes)
    this.#add(block)
  }

  extend(index: number, bytes: number): void {
    const held = this.live[index]
    if (held === undefined) return
    const before = held.block.size
    const extended = this.heap.extend(held.block, bytes)
    assert.equal(held.block.size, extended ? Math.max(before, roundUp(held.block, bytes)) : before)
    this.#check(held.block, before, held.mark)
    this.#remove(index, before)
    this.#add(held.block)
  }

  free(index: number): void {
    const held = this.live[index]
    if (held === undefined) return
    const { block, mark } = held
    this.#check(block, block.size, mark)
    this.#remove(index, block.size)
    const fixed = this.#fixed.get(block)
    this.#fixed.delete(block)
    if (fixed !== undefined) this.heap.freeFixed(block.pointer, fixed)
    else if (block.size === SLOT_SIZE) this.heap.freeSlot(block.pointer)
    else this.heap.free(block)
    this.#fill(block, block.size, POISON)
    assert.equal(this.heap.used, this.#used)
  }

  #add(block: Block): void {
    const end = block.pointer + block.size
    assert.ok(block.pointer >= HEAP && end <= this.heap.codec.bytes.length, 'the block lies in the heap')
    for (const page of pagesOf(block, block.size)) {
      const others = this.#pages.get(page) ?? new Set()
      for (const other of others) {
        assert.ok(end <= other.pointer || other.pointer + other.size <= block.pointer, 'blocks overlap')
      }
      this.#pages.set(page, others.add(block))
    }
    const mark = this.#marks++ % POISON
    this.#fill(block, block.size, mark)
    this.live.push({ block, mark })
    this.#used += block.size
    assert.equal(this.heap.used, this.#used)
  }

  /** Forgets a block that had `size` bytes; the last of the list takes its place. */
  #remove(index: number, size: number): void {
    const held = this.live[index]
    const last = this.live.pop()
    if (held === undefined || last === undefined) return
    if (last !== held) this.live[index] = last
    for (const page of pagesOf(held.block, size)) this.#pages.get(page)?.delete(held.block)
    this.#used -= size
  }

  #fill(block: Block, size: number, mark: number): void {
    for (const bytes of this.#ends(block, size)) bytes.fill(mark)
  }

  /** The first `size` bytes of the block are what they were. */
  #check(block: Block, size: number, mark: number): void {
    for (const bytes of this.#ends(block, size)) {
      assert.ok(bytes.equals(Buffer.alloc(bytes.length, mark)), 'the block has other contents')
    }
  }

  /** What is marked of a block's first `size` bytes: all, or both ends. */
  #ends({ pointer }: Block, size: number): Buffer[] {
    const { bytes } = this.heap.codec
    if (size <= 2 * this.#edge) return [bytes.subarray(pointer, pointer + size)]
    const end = pointer + size
    return [bytes.subarray(pointer, pointer + this.#edge), bytes.subarray(end - this.#edge, end)]
  }
}

function* pagesOf({ pointer }: Block, size: number): Iterable<number> {
  for (let page = Math.floor(pointer / PAGE); page * PAGE < pointer + size; page++) yield page
}

function roundUp({ extent, size }: Block, bytes: number): number {
  return extent === undefined ? size : Math.ceil(bytes / PAGE) * PAGE
}
