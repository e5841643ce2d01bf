// What several peers send compressed at the same time is kept apart: they share the tables and the scratch of the thread,
// and whatever is under way of one of them when another's turn comes must not lie there.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { Heap, heapOfThread } from '../../src/codec/codec.js'
import type { CodecTask } from '../../src/codec/codecTask.js'
import { DeflateAgreements } from '../../src/connection/deflateAgreements.js'
import { deflateSettings } from '../../src/connection/deflateSettings.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import type { Connection, MessageStream, ServerOptions } from '../../src/index.js'
import { CodecThreads, codecThreads } from '../../src/pool/codecThreads.js'
import { connections } from '../support/connections.js'
import { costlyMessage } from '../support/costlyBlocks.js'
import { DeflateClient } from '../support/deflateClient.js'
import { BINARY, buildFrame, CONTINUATION, PING, TEXT } from '../support/frames.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

for (const { transport, publicApi } of transports) {
  describe(`compressed messages of several peers over ${transport}`, () => {
    async function crowd(t: TestContext, options: ServerOptions, count: number): Promise<DeflateClient[]> {
      const sockets: SocketClient[] = []
      t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
      const server = await serving(t, { deflate: true, closeTimeout: 1000, ...options, publicApi })
      const peers: DeflateClient[] = []
      for (let at = 0; at < count; at++) {
        const socket = await SocketClient.open(server.port ?? 0)
        sockets.push(socket)
        peers.push(await DeflateClient.upgraded(socket))
      }
      return peers
    }

    /** Sends each of the peers' payloads cut in `parts` frames, a frame of each peer in turn. */
    async function inTurns(peers: readonly DeflateClient[], messages: readonly Buffer[], parts: number): Promise<void> {
      const cut: Buffer[][] = []
      for (const [at, peer] of peers.entries()) {
        const payload = await peer.compressed(messages[at] ?? '')
        const length = Math.ceil(payload.length / parts)
        cut.push(Array.from({ length: parts }, (_, part) => payload.subarray(part * length, (part + 1) * length)))
      }
      for (let part = 0; part < parts; part++) {
        for (const [at, peer] of peers.entries()) {
          const options = { fin: part === parts - 1, rsv1: part === 0 }
          peer.client.write(peer.frame(part === 0 ? BINARY : CONTINUATION, cut[at]?.[part] ?? '', options))
          if (part === parts - 1) continue
          // Each frame is a read of its own.
          peer.client.write(peer.frame(PING, `${part}`))
          assert.equal((await peer.next()).data.toString(), `${part}`)
        }
      }
    }

    async function collected(connection: Connection, message: MessageStream): Promise<void> {
      const chunks: Buffer[] = []
      for await (const chunk of message) chunks.push(chunk)
      connection.send(Buffer.concat(chunks))
    }

    test('streams whose parts come in turns', async (t) => {
      const peers = await crowd(t, { streamThreshold: 1000, stream: collected }, 4)
      const random = new Random(seed)
      for (const [length, parts] of [
        [50_000, 3],
        [40_000, 40],
        [200_000, 7],
      ] as const) {
        const messages = peers.map((_, at) =>
          Buffer.concat([Buffer.alloc(length, `peer ${at} `), random.bytes(length / 10)]),
        )
        await inTurns(peers, messages, parts)
        for (const [at, peer] of peers.entries())
          assert.ok(messages[at]?.equals(Buffer.from((await peer.next()).data)), `${length} bytes of peer ${at}`)
      }
    })

    test('messages in fragments that come in turns', async (t) => {
      const peers = await crowd(t, { message: (connection, message) => void connection.send(message) }, 4)
      const random = new Random(seed)
      for (const [length, parts] of [
        [200, 5],
        [20_000, 9],
        [100_000, 4],
      ] as const) {
        const messages = peers.map((_, at) =>
          Buffer.concat([Buffer.alloc(length, `peer ${at} `), random.bytes(length / 10)]),
        )
        await inTurns(peers, messages, parts)
        for (const [at, peer] of peers.entries())
          assert.ok(messages[at]?.equals(Buffer.from((await peer.next()).data)), `${length} bytes of peer ${at}`)
      }
    })

    test('what is inflated of a stream is handed out when its frame is over', async (t) => {
      let chunks = 0
      const options: ServerOptions = {
        streamThreshold: 0,
        async stream(connection, message) {
          for await (const chunk of message) {
            connection.send(`${chunk.length}`)
            chunks++
          }
        },
      }
      const [peer] = await crowd(t, options, 1)
      assert.ok(peer !== undefined)
      for (let part = 0; part < 4; part++) {
        const payload = await peer.compressed(`a line of a log, number ${part}`)
        peer.client.write(
          peer.frame(part === 0 ? TEXT : CONTINUATION, Buffer.concat([payload, Buffer.of(0, 0, 0xff, 0xff)]), {
            fin: false,
            rsv1: part === 0,
          }),
        )
        assert.equal((await peer.next()).data, '25')
      }
      assert.equal(chunks, 4)
    })
  })
}

/** A connection in memory that has agreed on compression, and how many short messages' worth of its slice is spent. */
function slicedConnection(received: (length: number) => void) {
  const settings = deflateSettings(true, undefined)
  assert.ok(settings !== undefined)
  const parts = { encoder: encoderOfThread('server'), heap: heapOfThread() }
  const deflate = new DeflateAgreements(parts, settings).agree('permessage-deflate')
  const place = connections({ message: (_, message) => received(message.byteLength) })
  const spent: number[] = []
  place.shared.slices.spend = (messages = 1) => {
    spent.push(messages)
    return false
  }
  return { ...place.connect({ deflate }), spent }
}

test('what is inflated costs the slice of its peer what it takes, however little it says', () => {
  const lengths: number[] = []
  const { wire, spent, peer } = slicedConnection((length) => lengths.push(length))
  const feed = (payload: Buffer): number => {
    spent.length = 0
    wire.feed(buildFrame({ opcode: BINARY, payload, reserved: 4, key: Buffer.of(1, 2, 3, 4) }))
    return spent.reduce((sum, one) => sum + one, 0)
  }
  assert.ok(feed(Buffer.from('f248cdc9c90700', 'hex')) <= 4)
  const costly = costlyMessage(30_000) // longer ones are for a thread
  assert.ok(feed(costly) >= costly.length / 128)
  // The clock may be asked after each of so many bytes.
  assert.ok(spent.length >= costly.length / 8192)
  assert.deepEqual(lengths, [5, 0])
  peer.terminate()
})

test('messages whose peers have their slices in turns are inflated apart, each in a place of its own while it waits', async () => {
  const settings = deflateSettings(true, undefined)
  assert.ok(settings !== undefined)
  const agreements = new DeflateAgreements({ encoder: encoderOfThread('server'), heap: heapOfThread() }, settings)
  for (const streamThreshold of [undefined, 1000, 25_000]) {
    const received: string[] = []
    const hashOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')
    const place = connections({
      streamThreshold,
      message: (_, message) => void received.push(hashOf(message.view)),
      async stream(_, message) {
        const chunks: Buffer[] = []
        for await (const chunk of message) chunks.push(chunk)
        received.push(hashOf(Buffer.concat(chunks)))
      },
    })
    // A slice is over after each step.
    place.shared.slices.spend = () => true
    const random = new Random(seed)
    const messages = Array.from({ length: 4 }, () => random.bytes(20_000))
    const peers = messages.map((message) => {
      const { wire, peer } = place.connect({ deflate: agreements.agree('permessage-deflate') })
      const payload = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
      wire.feed(buildFrame({ opcode: BINARY, payload, reserved: 4, key: Buffer.of(1, 2, 3, 4) }))
      return peer
    })
    await eventually(() => received.length === messages.length, 'all messages')
    assert.deepEqual(received.sort(), messages.map(hashOf).sort())
    for (const peer of peers) peer.terminate()
  }
})

test('a connection that ends gives nothing back that a thread still inflates with', async (t) => {
  const settings = deflateSettings(true, undefined)
  assert.ok(settings !== undefined)
  const agreements = new DeflateAgreements({ encoder: encoderOfThread('server'), heap: heapOfThread() }, settings)
  const states = new Set<number>()
  const { run } = CodecThreads.prototype
  let tasks = 0
  t.mock.method(CodecThreads.prototype, 'run', async function (this: CodecThreads, task: CodecTask) {
    const state = task.kind === 'inflate' ? task.state : 0
    states.add(state)
    tasks++
    try {
      return await run.call(this, task)
    } finally {
      states.delete(state)
    }
  })
  const { freeFixed } = Heap.prototype
  const faults: number[] = []
  t.mock.method(Heap.prototype, 'freeFixed', function (this: Heap, pointer: number, bytes: number) {
    if (states.has(pointer)) faults.push(pointer)
    freeFixed.call(this, pointer, bytes)
  })
  const place = connections({ message: () => undefined })
  const payload = deflateRawSync(new Random(seed).bytes(200_000), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
    0,
    -4,
  )
  for (const ends of [2, 1]) {
    const { wire, peer } = place.connect({ deflate: agreements.agree('permessage-deflate') })
    wire.feed(buildFrame({ opcode: BINARY, payload, reserved: 4, key: Buffer.of(1, 2, 3, 4) }))
    if (ends === 2) peer.close(1000, '') // first, nothing is delivered any more; then it is gone
    peer.terminate()
  }
  await eventually(() => states.size === 0, 'the threads are done')
  assert.deepEqual(faults, [])
  assert.ok(tasks > 0 || codecThreads() === undefined)
})

test('a thread is asked once for what one read holds of a long message, as to ask costs the event loop', async (t) => {
  if (codecThreads() === undefined) return t.skip('there are no threads here')
  const settings = deflateSettings(true, undefined)
  assert.ok(settings !== undefined)
  const agreements = new DeflateAgreements({ encoder: encoderOfThread('server'), heap: heapOfThread() }, settings)
  const { run } = CodecThreads.prototype
  let tasks = 0
  t.mock.method(CodecThreads.prototype, 'run', function (this: CodecThreads, task: CodecTask) {
    if (task.kind === 'inflate') tasks++
    return run.call(this, task)
  })
  const received: number[] = []
  const place = connections({ message: (_, message) => void received.push(message.byteLength) })
  const text = new Random(seed)
    .bytes(300_000)
    .toString('hex')
    .replaceAll(/[0-9a-c]/g, '0')
  const payload = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  assert.ok(payload.length * 4 < text.length && payload.length * 8 > text.length, `${payload.length} bytes`)
  const { wire, peer } = place.connect({ deflate: agreements.agree('permessage-deflate') })
  wire.feed(buildFrame({ opcode: BINARY, payload, reserved: 4, key: Buffer.of(1, 2, 3, 4) }))
  await eventually(() => received.length === 1, 'the message')
  assert.deepEqual([received, tasks], [[text.length], 1])
  peer.terminate()
})
