// The workspace of a thread that compresses: its places of tables are many, and none takes memory before it is used.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { CompressionExports } from '../../src/codec/compression.js'
import { base64, TABLES_SIZE, WORKSPACE_SIZE } from '../../src/codec/deflate.generated.js'

/** Far more than there are, so that what they take is seen beside all else that a process takes. */
const PLACES = 4096
/** Where in a place the length of the code is that ends a block, as assembly/workspace.ts has it. */
const END = 128 + 256

/** An instance of its own: that of the thread has its workspace already. */
function instance(): CompressionExports {
  return heapOfThread().codec.instantiate(Buffer.from(base64, 'base64')) as CompressionExports
}

test('a place of tables that is not used yet takes no memory of the system', () => {
  const heap = heapOfThread()
  const compression = instance()
  const first = heap.allocate(WORKSPACE_SIZE + TABLES_SIZE)
  compression.openWorkspace(first.pointer, 1) // compiles it
  const block = heap.allocate(WORKSPACE_SIZE + PLACES * TABLES_SIZE, 0)
  const before = process.memoryUsage.rss()
  compression.openWorkspace(block.pointer, PLACES)
  const taken = process.memoryUsage.rss() - before
  heap.free(block)
  heap.free(first)
  assert.ok(taken < (PLACES * TABLES_SIZE) / 8, `${taken} bytes for ${PLACES} places`)
})

test('what others left where a workspace is opened is taken for the tables of nobody', () => {
  const heap = heapOfThread()
  for (const rest of [0, 1, 0x5a, 0xff]) {
    const compression = instance()
    const block = heap.allocate(WORKSPACE_SIZE + 4 * TABLES_SIZE)
    heap.codec.bytes.fill(rest, block.pointer, block.pointer + block.size)
    compression.openWorkspace(block.pointer, 4)
    for (let place = 0; place < 4; place++) {
      const tables = block.pointer + WORKSPACE_SIZE + place * TABLES_SIZE
      const { bytes, words } = heap.codec
      assert.equal(words[tables >>> 2], 0, 'a header is noted')
      assert.equal(bytes[tables + END], 0, 'the end has a code')
    }
    heap.free(block)
  }
})
