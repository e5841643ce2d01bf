// A socket that nobody else waits for gives up its handle, and is left behind: a client's connection does without it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { transportAlone } from '../../src/transport/adopt.js'
import { DuplexTransport } from '../../src/transport/duplex.js'
import { HandleTransport } from '../../src/transport/handle.js'
import { describe, test } from '../support/privateApi.js'
import { eventually } from '../support/socketClient.js'
import { Recorder } from '../support/socketHandles.js'

/** Both ends of a connection. */
async function ends(t: TestContext): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const near = dial(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')])
  t.after(() => far.destroy())
  return { near, far }
}

describe('a socket that is left behind', () => {
  test('ends, while its connection goes on, and knows nothing of it', async (t) => {
    const { near, far } = await ends(t)
    const handle: object = Reflect.get(near, '_handle')
    const closed = once(near, 'close')
    const transport = transportAlone(near)
    assert.ok(transport instanceof HandleTransport)
    await closed
    assert.ok(!Reflect.ownKeys(handle).some((name) => Reflect.get(handle, name) === near))
    const recorder = new Recorder()
    transport.open(recorder)
    far.write('hello')
    await eventually(() => recorder.bytes.toString() === 'hello', 'what the other side writes')
    assert.equal(transport.remoteAddress, '127.0.0.1')
    const ended = once(far.resume(), 'end')
    transport.close()
    await ended
    await eventually(() => recorder.events.includes('closed'), 'the end')
  })

  test('keeps its handle where the public API is asked for, or something waits to be written', async (t) => {
    const { near } = await ends(t)
    assert.ok(transportAlone(near, true) instanceof DuplexTransport)
    assert.equal(near.destroyed, false)
    near.destroy()
    const waiting = (await ends(t)).near
    waiting.write(Buffer.alloc(8 * 1024 * 1024))
    assert.ok(waiting.writableLength > 0)
    assert.ok(transportAlone(waiting) instanceof DuplexTransport)
    assert.equal(waiting.destroyed, false)
    waiting.destroy()
  })
})
