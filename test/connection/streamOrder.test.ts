// Streamed messages of one connection, of which an earlier one's handler is still at work: what a later reader has not
// read holds the peer back all the same, and nothing of it is left in the books when the connection has ended.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { MessageStream } from '../../src/connection/receiving/messageStream.js'
import { connections } from '../support/connections.js'
import { BINARY, masked } from '../support/frames.js'
import { settle } from '../support/settle.js'

function gate(): { readonly opens: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opens = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opens, open: () => open() }
}

test('a handler that ends after its message lets nothing in past a later message that nobody reads', async () => {
  const first = gate()
  const streams: MessageStream[] = []
  const place = connections({
    async stream(_, message) {
      streams.push(message)
      if (streams.length > 1) await new Promise(() => undefined) // reads later, or never
      for await (const chunk of message) assert.ok(chunk.length > 0)
      await first.opens
    },
    streamThreshold: 0,
  })
  const { wire } = place.connect()
  wire.feed(masked(BINARY, Buffer.alloc(1000, 1)))
  await settle()
  wire.feed(Buffer.concat([2, 3, 4].map((content) => masked(BINARY, Buffer.alloc(1000, content)))))
  await settle()
  assert.equal(streams.length, 2)
  first.open()
  await settle()
  assert.equal(streams.length, 2, 'the third message waits until the second has been read')
  assert.ok(wire.paused)
  const chunk = await streams[1]?.next()
  assert.deepEqual(chunk?.value, Buffer.alloc(1000, 2))
  await settle()
  assert.equal(streams.length, 3)
  wire.close()
  await settle()
  await streams[2]?.return()
  assert.equal(place.budget.used, 0)
})
