// A source that never waits: between slices of its stream the event loop has its turns, in which others are read, timers
// ring, and what has been framed leaves. How long a slice is, the benchmarks measure; here it is that there are any.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { StreamSource } from '../../src/connection/sending/streamSource.js'
import { connections } from '../support/connections.js'
import { effort } from '../support/effort.js'
import { masked, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'

const ROWS = effort({ quick: 30_000, full: 60_000 })
/** Of a chunk that is longer than what is framed in a turn. */
const ROWS_OF_CHUNK = 480_000
const ROW = 'some,row,of,a,table,that,is,in,memory\n'

function* rows(): Generator<string> {
  for (let at = 0; at < ROWS; at++) yield ROW
}

async function* rowsInPromises(): AsyncGenerator<string> {
  yield* rows()
}

const ENDLESS: Readonly<Record<string, () => StreamSource>> = {
  'a generator': rows,
  'an async generator that never waits': rowsInPromises,
  'a Readable over what is in memory': () => Readable.from(rows()),
  'a web stream over what is in memory'() {
    const given = rows()
    return new ReadableStream<string>({
      pull(controller) {
        const { done, value } = given.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    })
  },
  'one chunk of everything': () => [ROW.repeat(ROWS_OF_CHUNK)],
  'one chunk of bytes': () => [Buffer.from(ROW.repeat(ROWS_OF_CHUNK))],
  *'empty chunks'() {
    for (let at = 0; at < ROWS; at++) yield ''
  },
}

/** How many turns the event loop has until a promise settles. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let over = false
  promise.finally(() => (over = true)).catch(() => undefined)
  let turns = 0
  for (; !over; turns++) await turn()
  return turns
}

describe('the event loop has its turns amid', () => {
  for (const [name, source] of Object.entries(ENDLESS)) {
    test(name, async () => {
      const { peer } = connections({ outputLimit: 16 * 1024 * 1024 }).connect()
      const before = process.cpuUsage()
      const turns = await turnsUntil(peer.sendStream(source()))
      // What this process has worked: time in which others had the processor is no turn's.
      const worked = process.cpuUsage(before).user / 1000
      assert.ok(turns >= Math.min(5, worked / 20), `${turns} turns in ${Math.round(worked)} ms of work`)
    })
  }
})

test('many streams share the thread as one does, and each gets its turn', async () => {
  const place = connections({})
  const progress = Array.from({ length: 50 }, () => 0)
  function* counted(number: number): Generator<string> {
    for (;;) {
      progress[number] = (progress[number] ?? 0) + 1
      yield ROW
    }
  }
  const peers = progress.map((_, number) => {
    const { peer, wire } = place.connect()
    wire.write = () => 0 // taken, and not kept
    peer.sendStream(counted(number)).catch(() => undefined)
    return peer
  })
  let longest = 0
  for (let turns = 0; turns < 200; turns++) {
    const before = process.cpuUsage()
    await turn()
    longest = Math.max(longest, process.cpuUsage(before).user / 1000)
  }
  for (const peer of peers) peer.terminate()
  await settle()
  assert.ok(Math.min(...progress) > 0, 'each has sent')
  assert.ok(longest < 250, `a turn took ${Math.round(longest)} ms of work`)
})

test('what is framed leaves in each turn, and all of it is there', async () => {
  const { peer, wire } = connections({ outputLimit: 16 * 1024 * 1024 }).connect()
  let most = 0
  const sent = peer.sendStream(rows())
  let over = false
  sent.finally(() => (over = true)).catch(() => undefined)
  let writes = 0
  while (!over) {
    await turn()
    most = Math.max(most, peer.bufferedAmount)
    if (wire.writes > writes && !over) writes = wire.writes
  }
  assert.equal(most, 0, 'nothing is held back between turns')
  assert.ok(writes > 2, `${writes} writes before the end`)
  const payloads = wire.texts()
  assert.equal(payloads.join(''), ROW.repeat(ROWS))
})

test('a stream that is asked synchronously leaves in few writes, not in one for each chunk', async () => {
  const { peer, wire } = connections({}).connect()
  await peer.sendStream(Array.from({ length: 100 }, () => 'x'))
  await settle()
  // One for each slice of a millisecond: a busy machine may need some for what takes a fraction of one.
  assert.ok(wire.writes <= 20, `${wire.writes} writes`)
})

test('a long chunk is cut, but no character: as text from strings and bytes, and as bytes from strings', async () => {
  const text = `a${'\u{1f600}'.repeat(200_000)}é`
  const given: [StreamSource, boolean][] = [
    [[text], false],
    [[Buffer.from(text)], false],
    [[text], true],
    [[text.slice(0, 2), text.slice(2)], true], // a pair that the chunks have cut
  ]
  for (const [source, binary] of given) {
    const { peer, wire } = connections({}).connect()
    await peer.sendStream(source, { binary })
    await settle()
    const frames = wire.frames()
    assert.equal(frames[0]?.opcode, binary ? 2 : 1)
    assert.equal(Buffer.concat(frames.map(({ payload }) => payload)).toString(), text)
    assert.ok(
      frames.every(({ payload }) => payload.length <= 400_000 && payload.toString().includes('\ufffd') === false),
    )
  }
})

for (const { transport, publicApi } of transports) {
  test(`by ${transport}: another peer is answered while an endless stream is sent`, async (t) => {
    let stop = false
    function* endless(): Generator<string> {
      while (!stop) yield ROW
    }
    const { client } = await pairOf(t, {
      publicApi,
      message(connection, message) {
        if (message.byteLength === 1) connection.send(message)
        else connection.sendStream(endless()).catch(() => undefined)
      },
    })
    const reader = await pairOf(t, {
      publicApi,
      open: (connection) => void connection.sendStream(endless()).catch(() => undefined),
    })
    let read = 0
    reader.client.socket.removeAllListeners('data')
    reader.client.socket.on('data', (chunk) => (read += chunk.length))
    for (let round = 1; round <= 20; round++) {
      client.write(masked(TEXT, 'x'))
      await client.frames(round, 5000)
    }
    assert.ok(read > 0)
    stop = true
  })
}
