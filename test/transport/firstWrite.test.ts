// The first thing that happens to a handle may be a write. How it ended is read from Node's state, which must have been
// looked up by then. A file of its own: the look-up happens once in a process.
import assert from 'node:assert/strict'
import { bindings, type HandleRequest, type StreamHandle } from '../../src/internals/node.js'
import { WRITTEN, write } from '../../src/internals/stream.js'
import { test } from '../support/privateApi.js'

test('a write before anything was read finishes at once', () => {
  const found = bindings()
  assert.ok(found !== undefined, 'this test needs the private API')
  const { state, lastWriteWasAsync } = found
  const handle = {
    writeBuffer(request: HandleRequest): number {
      assert.ok(request instanceof found.WriteWrap)
      state[lastWriteWasAsync] = 0
      return 0
    },
  } as unknown as StreamHandle
  assert.equal(write(handle, Buffer.from('first'), { written: () => undefined }), WRITTEN)
})
