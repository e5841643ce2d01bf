// A stream ends with its connection, at once and however that ends: its promise rejects, and its source is let go, also
// while the next chunk is waited for. Else each client that ever left would keep a log open, or an answer being made.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import type { StreamChunk, StreamSource } from '../../src/connection/sending/streamSource.js'
import { connections } from '../support/connections.js'
import { CLOSE, close, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'

interface Watched {
  readonly source: StreamSource
  /** Whether it was let go. */
  released: boolean
  /** Ends what the source waits for, with an error: too late for anybody to hear. */
  fail(): void
}

const never = (): Promise<never> => new Promise(() => undefined)

/** Sources that are silent after the first chunk. A generator that waits can only be left, so it is released as it is. */
const KINDS: Readonly<Record<string, () => Watched>> = {
  'a Readable'() {
    const source = new Readable({
      read() {},
      destroy(error, done) {
        watched.released = true
        done(error ?? new Error('amid its end'))
      },
    })
    source.push('first')
    const watched: Watched = { source, released: false, fail: () => source.destroy(new Error('too late')) }
    return watched
  },
  'a web stream'() {
    let control: ReadableStreamDefaultController<string> | undefined
    const source = new ReadableStream<string>({
      start(controller) {
        control = controller
        controller.enqueue('first')
      },
      async cancel() {
        watched.released = true
        throw new Error('amid its end')
      },
    })
    const watched: Watched = {
      source,
      released: false,
      fail() {
        assert.equal(source.locked, false, 'its reader is released')
        assert.throws(() => control?.error(new Error('too late')) ?? assert.fail())
      },
    }
    return watched
  },
  'a generator that waits'() {
    let fail = (_: Error): void => undefined
    async function* source(): AsyncGenerator<string> {
      yield 'first'
      await new Promise((_, reject) => (fail = reject))
    }
    return { source: source(), released: true, fail: () => fail(new Error('too late')) }
  },
  'a generator that goes on, later'() {
    let goOn = (): void => undefined
    async function* source(): AsyncGenerator<string> {
      try {
        yield 'first'
        await new Promise<void>((resolve) => (goOn = resolve))
        yield 'second'
        assert.fail('nobody wants a third')
      } finally {
        watched.released = true
      }
    }
    const watched: Watched = { source: source(), released: false, fail: () => goOn() }
    return watched
  },
  'an iterator with a return method'() {
    let count = 0
    const iterator: AsyncIterator<string, undefined> = {
      next: async () => (count++ === 0 ? { done: false, value: 'first' } : never()),
      return() {
        watched.released = true
        throw new Error('amid its end')
      },
    }
    const watched: Watched = {
      source: { [Symbol.asyncIterator]: () => iterator },
      released: false,
      fail: () => undefined,
    }
    return watched
  },
  'an iterator that has only next'() {
    let count = 0
    const next = async () => (count++ === 0 ? { done: false, value: 'first' } : never())
    return { source: { [Symbol.asyncIterator]: () => ({ next }) }, released: true, fail: () => undefined }
  },
  'a synchronous iterator of promises'() {
    function* source(): Generator<string | Promise<string>> {
      try {
        yield 'first'
        yield never()
      } finally {
        watched.released = true
      }
    }
    const watched: Watched = { source: source() as Iterable<StreamChunk>, released: false, fail: () => undefined }
    return watched
  },
}

/** How a connection ends, as seen by one side of a transport in memory. */
const ENDINGS: Readonly<Record<string, (place: ReturnType<ReturnType<typeof connections>['connect']>) => void>> = {
  'the application closes it': ({ peer }) => peer.close(),
  'the application terminates it': ({ peer }) => peer.terminate(),
  'the peer says Close': ({ wire }) => wire.feed(close(1000)),
  'the peer half-closes': ({ wire }) => wire.feedEnd(),
  'the peer breaks a rule': ({ wire }) => wire.feed(Buffer.from([0xff, 0x80, 0, 0, 0, 0])),
  'it is gone': ({ wire }) => wire.close(),
}

for (const [how, end] of Object.entries(ENDINGS)) {
  describe(how, () => {
    for (const [kind, make] of Object.entries(KINDS)) {
      test(kind, async () => {
        const errors: unknown[] = []
        const place = connections({ error: (_, error) => void errors.push(error) }).connect()
        const watched = make()
        const sent = place.peer.sendStream(watched.source)
        let settled = false
        sent.finally(() => (settled = true)).catch(() => undefined)
        await settle()
        assert.equal(place.wire.frames()[0]?.payload.toString(), 'first')
        assert.equal(settled, false)
        const before = errors.length
        end(place)
        await settle()
        assert.ok(settled, 'the promise has settled')
        await assert.rejects(sent, /the connection ended before the stream was sent/)
        if (kind !== 'a generator that goes on, later') assert.ok(watched.released)
        watched.fail()
        await settle() // nothing rejects without a handler, which would fail this test
        assert.ok(watched.released)
        assert.ok(errors.slice(before).every((error) => !/too late|amid its end/.test(String(error))))
      })
    }
  })
}

for (const { transport, publicApi } of transports) {
  test(`by ${transport}: a reset, the server's close and the output policy end a silent stream`, async (t) => {
    for (const ending of ['reset', 'server', 'policy'] as const) {
      const opened: Connection[] = []
      const pair = await pairOf(t, {
        publicApi,
        outputPolicy: 'close',
        outputLimit: 1000,
        closeTimeout: 200,
        open: (connection) => void opened.push(connection),
      })
      const watched = KINDS['a Readable']?.() ?? assert.fail()
      const sent = pair.connection.sendStream(watched.source)
      await pair.client.frames(1)
      if (ending === 'reset') pair.client.socket.resetAndDestroy()
      if (ending === 'server') pair.server.close().catch(() => undefined)
      if (ending === 'policy') for (let at = 0; at < 2; at++) pair.connection.send('x'.repeat(900))
      await assert.rejects(sent, /the connection ended/)
      await eventually(() => watched.released, ending)
    }
  })
}

/** Sends a stream whose first part has been sent, and which then fails when it is told to. */
async function sendFailing(peer: { sendStream(source: AsyncIterable<string>): Promise<void> }) {
  let fail = (_: Error): void => undefined
  const sent = peer.sendStream(
    (async function* () {
      yield 'first'
      await new Promise((_, reject) => (fail = reject))
    })(),
  )
  await settle()
  return { sent, fail }
}

test('a source that fails after its connection has ended is nobody’s error', async () => {
  const errors: unknown[] = []
  const { peer } = connections({ error: (_, error) => void errors.push(error) }).connect()
  const { sent, fail } = await sendFailing(peer)
  peer.terminate()
  fail(new Error('too late'))
  await assert.rejects(sent, /the connection ended/)
  await settle()
  assert.deepEqual(errors, [])
})

test('on a connection that has ended, a source is let go without having been asked', async () => {
  const { peer } = connections({}).connect()
  peer.terminate()
  const watched = KINDS['a Readable']?.() ?? assert.fail()
  await assert.rejects(peer.sendStream(watched.source), /the connection ended/)
  assert.ok(watched.released)
})

test('a source that is waited for while the peer does not read is let go, too', async () => {
  const { peer, wire } = connections({ outputLimit: 1 }).connect()
  wire.stuck = true
  const source = Readable.from(['a'.repeat(1000), 'b'.repeat(1000), 'c'])
  const sent = peer.sendStream(source)
  await settle()
  peer.terminate()
  await assert.rejects(sent, /the connection ended/)
  assert.equal(source.destroyed, true)
})

test('what is no source is told at once, and the connection lives', async () => {
  const { peer } = connections({}).connect()
  const locked = new Blob(['x']).stream()
  locked.getReader()
  for (const source of [
    undefined,
    null,
    5,
    {},
    new Blob(['x']),
    'text',
    Buffer.from('x'),
    new ArrayBuffer(1),
    locked,
  ]) {
    assert.throws(() => peer.sendStream(source as unknown as StreamSource), TypeError, String(source))
  }
  assert.equal(peer.isOpen, true)
  assert.equal(peer.send('x'), 'sent')
})

test('a source that yields what is no chunk is let go, and its connection is closed with 1011', async () => {
  const errors: unknown[] = []
  const { peer } = connections({ error: (_, error) => void errors.push(error) }).connect()
  const source = Readable.from(['a', 5, 'c'])
  await assert.rejects(peer.sendStream(source), TypeError)
  assert.equal(source.destroyed, true)
  assert.equal(errors.length, 1)
})

test('a web stream that was sent is not locked any more', async () => {
  const { peer } = connections({}).connect()
  const source = new Blob(['x']).stream()
  await peer.sendStream(source)
  assert.equal(source.locked, false)
})

test('a source is asked in the async context of whoever sends it', async () => {
  const { AsyncLocalStorage } = await import('node:async_hooks')
  const storage = new AsyncLocalStorage<string>()
  const { peer } = connections({}).connect()
  const seen = new Set<string | undefined>()
  function* source(): Generator<string> {
    const end = performance.now() + 20
    while (performance.now() < end) {
      seen.add(storage.getStore())
      yield 'x'
    }
  }
  await storage.run('the request', () => peer.sendStream(source()))
  assert.deepEqual([...seen], ['the request'])
})

test('between a failure amid a message and the end of its connection, nobody ends that message, and what is sent is not refused', async () => {
  const { peer, wire } = connections({ error: () => undefined }).connect()
  const answers = new Set<string>()
  const { sent, fail } = await sendFailing(peer)
  fail(new Error('the source fails'))
  for (let tick = 0; tick < 50; tick++) {
    await undefined
    answers.add(peer.send('a broadcast'))
    if (peer.isOpen) assert.throws(() => peer.sendFragment('the rest', true), /a stream is being sent/)
  }
  await assert.rejects(sent, /the source fails/)
  await settle()
  assert.deepEqual([...answers], ['buffered', 'closed'])
  assert.deepEqual(
    wire.frames().map(({ fin, opcode }) => [fin, opcode]),
    [
      [false, TEXT],
      [true, CLOSE],
    ],
  )
})
