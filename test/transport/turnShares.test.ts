// What peers with much to read, or much to be written, get of one turn of the event loop: a message of 1 MiB is not cut
// short, and beside others with as much, each has its turn, so that a small message of anybody else waits for a short turn.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { HandleRequest, StreamHandle } from '../../src/internals/node.js'
import { turnClockOfThread } from '../../src/time/turnClock.js'
import { HandleTransport } from '../../src/transport/handle.js'
import { SecureTransport } from '../../src/transport/secure.js'
import type { Receiver } from '../../src/transport/transport.js'
import { connections } from '../support/connections.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { settle } from '../support/settle.js'

const ofHandles = { skip: privateApiForbidden }
const KiB = 1024
const MiB = 1024 * KiB

/** A handle whose peer has always more to read than is asked for. */
class FullHandle implements StreamHandle {
  onread = (): undefined => undefined
  receiver: unknown
  started = 0
  stopped = 0
  readStart(): number {
    this.started++
    return 0
  }
  readStop(): number {
    this.stopped++
    return 0
  }
  useUserBuffer(): void {}
  writeBuffer(_: HandleRequest, view: Uint8Array): number {
    return view.length
  }
  writev(): number {
    return 0
  }
  shutdown(): number {
    return 0
  }
  close(): void {}
  ref(): void {}
  unref(): void {}
}

/** A peer that fills every read; `frugal` if memory is short, so that its reads must be short. */
function floodingPeer(frugal = false): {
  handle: FullHandle
  transport: HandleTransport
  read: () => number
  told: boolean[]
} {
  const handle = new FullHandle()
  const transport = new HandleTransport(handle)
  const nothing = (): void => undefined
  const told: boolean[] = []
  const awaitsTurn = (awaits: boolean): void => void told.push(awaits)
  const receiver: Receiver = {
    frugal,
    received: nothing,
    awaitsTurn,
    ended: nothing,
    written: nothing,
    closed: nothing,
  }
  transport.open(receiver)
  let room = 16 * KiB
  const read = (): number => {
    const length = room
    room = transport.read(length)?.length ?? room
    return length
  }
  return { handle, transport, read, told }
}

/** Bytes that are read before the peer has to wait for the others. */
function readInARow({ handle, read }: ReturnType<typeof floodingPeer>): number {
  let bytes = 0
  const before = handle.stopped
  while (handle.stopped === before) bytes += read()
  return bytes
}

/** Nobody waits, and nobody has had anything of the turn. */
function quiet(): void {
  do turnClockOfThread().restart()
  while (turnClockOfThread().awaited)
  turnClockOfThread().restart()
}

/** A clock that goes on by what is said to have been done; a turn begins. */
function clock(context: TestContext): (milliseconds: number) => void {
  let now = 1000
  context.mock.method(performance, 'now', () => now)
  quiet()
  context.after(quiet)
  return (milliseconds) => {
    now += milliseconds
  }
}

test(
  'a peer that has the turn to itself is read from for more than 1 MiB, however long that takes',
  ofHandles,
  (context) => {
    const work = clock(context)
    const peer = floodingPeer()
    peer.read()
    work(10)
    const bytes = readInARow(peer)
    assert.ok(bytes >= MiB && bytes <= MiB + 256 * KiB, `${bytes} bytes`)
  },
)

test(
  'beside a peer that has used the turn, others have one read, and much of a turn each, in turn',
  ofHandles,
  (context) => {
    const work = clock(context)
    const [first, second, third] = [floodingPeer(), floodingPeer(), floodingPeer()]
    first.read()
    work(1)
    assert.equal(readInARow(second), 16 * KiB)
    assert.equal(readInARow(third), 16 * KiB)
    for (const [peer, other] of [
      [second, third],
      [third, second],
    ] as const) {
      const { started } = other.handle
      turnClockOfThread().restart()
      assert.equal(other.handle.started, started, 'it is not read from before its turn')
      work(1)
      const bytes = readInARow(peer)
      assert.ok(bytes >= MiB && bytes <= MiB + 256 * KiB, `${bytes} bytes`)
    }
  },
)

test('who has been paused when its turn comes, or is closed, leaves it to the next', ofHandles, (context) => {
  const work = clock(context)
  const peers = [floodingPeer(), floodingPeer(), floodingPeer(), floodingPeer()] as const
  const [first, paused, closed, last] = peers
  first.read()
  work(1)
  for (const peer of [paused, closed, last]) readInARow(peer)
  paused.transport.pause()
  closed.transport.close()
  const before = peers.map(({ handle }) => handle.started)
  turnClockOfThread().restart()
  const after = peers.map(({ handle }) => handle.started)
  assert.deepEqual(
    after.map((started, at) => started - (before[at] ?? 0)),
    [0, 0, 0, 1],
  )
  paused.transport.resume()
  assert.equal(paused.handle.started, (before[1] ?? 0) + 1, 'its turn is over: it reads again at once')
})

test('who is resumed while it waits is read from in its turn, and waits once', ofHandles, (context) => {
  const work = clock(context)
  const [first, second, third] = [floodingPeer(), floodingPeer(), floodingPeer()]
  first.read()
  work(1)
  readInARow(second)
  const { started } = second.handle
  second.transport.pause()
  second.transport.resume()
  assert.equal(second.handle.started, started)
  second.read() // what had been read already is told after a pause, too
  readInARow(third)
  turnClockOfThread().restart()
  assert.equal(second.handle.started, started + 1)
  turnClockOfThread().restart()
  assert.equal(second.handle.started, started + 1, 'the next turn is that of the third')
  assert.equal(third.handle.started, 2)
})

test('who waits for its turn says so to whoever receives, and that it goes on', ofHandles, (context) => {
  const work = clock(context)
  const [first, second] = [floodingPeer(), floodingPeer()]
  first.read()
  work(1)
  readInARow(second)
  assert.deepEqual(second.told, [true])
  assert.equal(second.transport.awaitsTurn, true)
  second.read() // the rest of what was decrypted, for instance
  assert.deepEqual(second.told, [true, true], 'what comes all the same is no sign that it is read from')
  turnClockOfThread().restart()
  assert.deepEqual(second.told, [true, true, false])
  assert.equal(second.transport.awaitsTurn, false)
  assert.deepEqual(first.told, [])
})

test(
  'over TLS, where no read is longer than a record, whoever fills them has its turn like others',
  ofHandles,
  (context) => {
    clock(context)
    const handle = new FullHandle()
    const nothing = (): void => undefined
    const transport = new SecureTransport(handle, new TLSSocket(new PassThrough()))
    transport.open({ received: nothing, ended: nothing, written: nothing, closed: nothing })
    for (let bytes = 0; bytes <= MiB + 64 * KiB; bytes += 16 * KiB) assert.equal(transport.read(16 * KiB), undefined)
    assert.equal(handle.stopped, 1)
  },
)

test(
  'over TLS, records in a row are much to read however short they are, and single ones are not',
  ofHandles,
  (context) => {
    const work = clock(context)
    const nothing = (): void => undefined
    const peers = Array.from({ length: 3 }, () => {
      const handle = new FullHandle()
      const transport = new SecureTransport(handle, new TLSSocket(new PassThrough()))
      transport.open({ received: nothing, ended: nothing, written: nothing, closed: nothing })
      return { handle, transport }
    })
    const [first, second, third] = peers
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    for (let bytes = 0; bytes < 16 * KiB; bytes += KiB) first.transport.read(KiB)
    work(1)
    let bytes = 0
    for (; second.handle.stopped === 0 && bytes < MiB; bytes += KiB) second.transport.read(KiB)
    assert.equal(bytes, 16 * KiB)
    assert.equal(second.transport.awaitsTurn, true)
    for (let n = 0; n < 100; n++) for (const { transport } of [third, first]) transport.read(KiB)
    assert.equal(third.handle.stopped, 0, 'between others, each had only one short record to read')
  },
)

test(
  'over TLS, short records of many turns are little to read in each of them, though nothing else was read in between',
  ofHandles,
  (context) => {
    const work = clock(context)
    const handle = new FullHandle()
    const nothing = (): void => undefined
    const quietPeer = new SecureTransport(handle, new TLSSocket(new PassThrough()))
    quietPeer.open({ received: nothing, ended: nothing, written: nothing, closed: nothing })
    for (let turn = 0; turn < 100; turn++) {
      floodingPeer().read()
      work(1)
      quietPeer.read(KiB)
      turnClockOfThread().restart()
    }
    assert.equal(handle.stopped, 0)
  },
)

test('a peer whose reads are short because memory is, has no more of a turn than others', ofHandles, (context) => {
  clock(context)
  const bytes = readInARow(floodingPeer(true))
  assert.ok(bytes <= MiB + 256 * KiB, `${bytes} bytes`)
})

test('what is longer than 1 MiB is written in parts; in a turn that others have used, in short ones', async (context) => {
  const parts = (wire: { write: (pointer: number, length: number) => number }): number[] => {
    const lengths: number[] = []
    wire.write = (_, length) => {
      lengths.push(length)
      return 0
    }
    return lengths
  }
  const work = clock(context)
  const place = connections({})
  const [one, other] = [place.connect(), place.connect()]
  const [lengths, shorter] = [parts(one.wire), parts(other.wire)]
  one.peer.send(Buffer.alloc(4 * MiB))
  await Promise.resolve()
  assert.equal(lengths[0], MiB + 64 * KiB)
  work(1)
  other.peer.send(Buffer.alloc(4 * MiB))
  await Promise.resolve()
  assert.deepEqual(shorter, [256 * KiB])
  await settle()
  assert.ok(lengths.length > 1 && shorter.length > 1, 'both go on in turns of their own')
})
