// A client may send frames without waiting for the response. They arrive with the handshake, in either lane, before
// anybody listens: none may be lost, doubled or reordered, however much there is and wherever the reads are cut.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { BINARY, type Frame, masked, TEXT } from '../support/frames.js'
import { countHandovers } from '../support/httpHandovers.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { servingAll } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

let port = 0

const server = servingAll({ message: (connection, message) => connection.send(message) }, () => {
  port = server.address?.port ?? 0
})

/** Bytes that differ everywhere, so that nothing can be exchanged unseen. */
function pattern(length: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7 + seed) & 0xff
  return bytes
}

const request = latin1(upgradeRequest())

/** How the handshake is cut so that it takes this lane; `behind` goes out in the same write as its end. */
const lanes: Record<string, (behind: Buffer) => Buffer[]> = {
  'the first lane': (behind) => [Buffer.concat([request, behind])],
  'the second lane': (behind) => [request.subarray(0, 30), Buffer.concat([request.subarray(30), behind])],
  'the second lane, by a header': (behind) => [Buffer.concat([latin1(upgradeRequest({ TE: 'x' })), behind])],
}

async function echo(pieces: readonly Buffer[], count: number): Promise<Frame[]> {
  const client = await SocketClient.open(port)
  try {
    await client.writePieces(pieces)
    return await client.frames(count)
  } finally {
    await client.destroy()
  }
}

for (const [name, cut] of Object.entries(lanes)) {
  describe(name, () => {
    test('takes the lane that this is about', async () => {
      countHandovers()
      await echo(cut(masked(TEXT, 'a')), 1)
      assert.equal(countHandovers(), name === 'the first lane' && privateApiForbidden === false ? 0 : 1)
    })

    test('three small frames in the same write', async () => {
      const frames = await echo(cut(Buffer.concat(['one', 'two', 'three'].map((text) => masked(TEXT, text)))), 3)
      assert.deepEqual(
        frames.map(({ payload }) => payload.toString()),
        ['one', 'two', 'three'],
      )
    })

    for (const length of [60_000, 65_536, 100_000, 300 * 1024, 1024 * 1024]) {
      test(`one frame of ${length} bytes in the same write`, async () => {
        const payload = pattern(length)
        const [frame] = await echo(cut(masked(BINARY, payload)), 1)
        assert.ok(frame?.payload.equals(payload))
      })
    }

    test('300 KiB of frames of a kibibyte in the same write', async () => {
      const payloads = Array.from({ length: 300 }, (_, at) => pattern(1024, at))
      const frames = await echo(cut(Buffer.concat(payloads.map((payload) => masked(BINARY, payload)))), 300)
      for (const [at, payload] of payloads.entries()) assert.ok(frames[at]?.payload.equals(payload), `frame ${at}`)
      assert.equal(frames.length, 300)
    })

    test('300 KiB of tiny frames in the same write', async () => {
      const texts = Array.from({ length: 30_000 }, (_, at) => String(at).padStart(5, '0'))
      const frames = await echo(cut(Buffer.concat(texts.map((text) => masked(TEXT, text)))), texts.length)
      assert.deepEqual(
        frames.map(({ payload }) => payload.toString()),
        texts,
      )
    })

    test('a frame cut at any byte: part with the handshake, the rest later', async () => {
      const frame = masked(TEXT, 'x'.repeat(130))
      const cuts = Array.from({ length: 24 }, (_, at) => at).concat(frame.length - 2, frame.length - 1)
      const echoes = await Promise.all(cuts.map((at) => echo([...cut(frame.subarray(0, at)), frame.subarray(at)], 1)))
      for (const [echoed] of echoes) assert.equal(echoed?.payload.toString(), 'x'.repeat(130))
    })

    test('frames in the same write and frames later stay in order', async () => {
      const client = await SocketClient.open(port)
      await client.writePieces(cut(masked(TEXT, 'first')), 10)
      for (let count = 0; count < 50; count++) client.write(masked(TEXT, `later ${count}`))
      const frames = await client.frames(51)
      await client.destroy()
      assert.equal(frames[0]?.payload.toString(), 'first')
      for (let count = 0; count < 50; count++) assert.equal(frames[count + 1]?.payload.toString(), `later ${count}`)
    })

    test('a peer that half-closes right after its frames gets its echo', async () => {
      const client = await SocketClient.open(port)
      await client.writePieces(cut(masked(TEXT, 'bye')))
      client.socket.end()
      const [frame] = await client.frames(1)
      assert.equal(frame?.payload.toString(), 'bye')
      await client.end()
      await client.destroy()
    })
  })
}

test('an upgrade after a plain request on the same connection, in one write', async () => {
  const client = await SocketClient.open(port)
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  client.write(Buffer.concat([request, masked(TEXT, 'after')]))
  await client.until(() => client.text.includes('after') || client.over, 'the echo')
  assert.match(client.text, /^HTTP\/1\.1 426 [\s\S]*HTTP\/1\.1 101 /)
  assert.ok(client.text.endsWith('\x81\x05after'))
  await client.destroy()
})

test('every lane leaves the connections it opened in the books until they end', async () => {
  const clients = await Promise.all(
    Object.values(lanes).map(async (cut) => {
      const client = await SocketClient.open(port)
      await client.writePieces(cut(masked(TEXT, 'x')))
      await client.frames(1)
      return client
    }),
  )
  assert.ok(server.connections.size >= clients.length)
  await Promise.all(clients.map((client) => client.destroy()))
  await eventually(() => server.connections.size === 0, 'no connection is left')
})
