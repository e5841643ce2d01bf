// What is long and written as one begins half a page into its page of 4 KiB, and costs no page for that.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HEADROOM, heapOfThread, Region } from '../../src/codec/codec.js'
import { PAGE } from '../../src/codec/heap.js'
import { LONGEST_IN_PAGE, leadOf } from '../../src/codec/pageOffset.js'
import { SharedBlock } from '../../src/memory/sharedBlock.js'

const KERNEL_PAGE = 4096
const HALF = KERNEL_PAGE / 2

test('a long block begins half a page in, a small one where it lies; neither holds a byte more for that', () => {
  for (const length of [
    1,
    1024,
    16_384,
    16_385,
    60_000,
    LONGEST_IN_PAGE,
    LONGEST_IN_PAGE + 1,
    PAGE,
    PAGE + 1,
    1_000_000,
  ]) {
    const block = new SharedBlock(heapOfThread(), length)
    assert.ok(block.capacity >= length)
    assert.equal(block.size, SharedBlock.size(length), 'it holds what was foreseen')
    assert.equal(block.size, length <= 16_384 ? block.size : Math.ceil(length / PAGE) * PAGE)
    if (block.capacity - length >= HALF && length > 16_384) assert.equal(block.pointer % KERNEL_PAGE, HALF)
    if (length <= 16_384) assert.equal(leadOf(length), 0)
    block.release()
  }
})

test('the frame of a long message begins half a page in, also if its region had to move', () => {
  const heap = heapOfThread()
  const region = new Region(heap, 65_536, 65_536, () => undefined)
  assert.equal((region.pointer - HEADROOM) % KERNEL_PAGE, HALF)
  const growing = new Region(heap, 1000, 300_000, () => undefined)
  heap.codec.bytes.write('what it holds', growing.pointer)
  assert.ok(growing.sizeWith(300_000, 300_000) >= Region.size(300_000, 300_000))
  growing.grow(300_000, 13, 300_000)
  assert.equal((growing.pointer - HEADROOM) % KERNEL_PAGE, HALF)
  assert.equal(heap.codec.bytes.toString('latin1', growing.pointer, growing.pointer + 13), 'what it holds')
  assert.ok(growing.capacity >= 300_000)
  region.release()
  growing.release()
})

test('a region never holds more than was asked for before it grew, wherever its pages end', () => {
  const heap = heapOfThread()
  for (let last = -2100; last <= 16; last += 7) {
    const expected = 4 * PAGE + last
    const region = new Region(heap, 40_000, 3 * PAGE, () => undefined)
    const allowed = region.sizeWith(expected, expected)
    region.grow(expected, 0, expected)
    assert.ok(region.size <= allowed, `${region.size} of ${allowed} bytes`)
    assert.ok(region.capacity >= expected)
    region.release()
  }
})
