// A heap that refuses one allocation, or all from one on: what running out of memory looks like to whoever asks then.
import { heapOfThread, OutOfMemory } from '../../src/codec/codec.js'
import type { Block, Heap } from '../../src/codec/heap.js'

export class Refusals {
  /** Allocations that were asked for since `refuse`. */
  asked = 0
  /** Those that were refused. */
  refused = 0
  readonly #heap: Heap = heapOfThread()
  #first = Infinity
  #last = Infinity

  constructor() {
    const heap = this.#heap
    const { allocate, allocateFixed, allocateSlot, expectSlot, extend } = heap
    heap.allocate = (bytes: number, reserve?: number): Block => {
      this.#ask()
      return allocate.call(heap, bytes, reserve)
    }
    heap.allocateFixed = (bytes: number): number => {
      this.#ask()
      return allocateFixed.call(heap, bytes)
    }
    heap.allocateSlot = (): number => {
      this.#ask()
      return allocateSlot.call(heap)
    }
    heap.expectSlot = (): void => {
      this.#ask()
      expectSlot.call(heap)
    }
    heap.extend = (block: Block, bytes: number): boolean => {
      this.#ask()
      return extend.call(heap, block, bytes)
    }
  }

  /** From now on, the allocations from number `first` to number `last` are refused; the next one is number 1. */
  refuse(first: number, last: number): void {
    this.asked = this.refused = 0
    this.#first = first
    this.#last = last
  }

  /** Nothing is refused any more. */
  stop(): void {
    this.#first = this.#last = Infinity
  }

  /** The heap is as it was. */
  restore(): void {
    for (const name of ['allocate', 'allocateFixed', 'allocateSlot', 'expectSlot', 'extend'])
      Reflect.deleteProperty(this.#heap, name)
  }

  #ask(): void {
    this.asked++
    if (this.asked < this.#first || this.asked > this.#last) return
    this.refused++
    throw new OutOfMemory('the test refuses')
  }
}
