// How much is read at a time of a peer that has more to say: long reads, unless what was read could not be dealt with at once.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { HandleTransport } from '../../src/transport/handle.js'
import { test } from '../support/privateApi.js'
import { eventually } from '../support/socketClient.js'
import { handlePair, Recorder } from '../support/socketHandles.js'

const SHORT = 16 * 1024
const BYTES = 2 * 1024 * 1024

/** The longest read of a connection that pauses during each of them. */
async function longest(workedOn: boolean): Promise<number> {
  const { handle, client } = await handlePair()
  const transport = new HandleTransport(handle)
  const recorder = new Recorder()
  recorder.onReceived = () => {
    transport.pause(workedOn)
    setImmediate(() => transport.resume())
  }
  transport.open(recorder)
  client.write(Buffer.alloc(BYTES))
  await eventually(() => recorder.chunks.reduce((sum, { length }) => sum + length, 0) === BYTES, 'all bytes')
  transport.close()
  await client.destroy()
  return Math.max(...recorder.chunks.map(({ length }) => length))
}

test('a pause makes the next reads short, but not while somebody works on what was read', async () => {
  assert.equal(await longest(false), SHORT)
  assert.ok((await longest(true)) > SHORT)
})
