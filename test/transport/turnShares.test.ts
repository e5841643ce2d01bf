// What peers with much to read, or much to be written, get of one turn of the event loop: a message of 1 MiB is not cut
// short, and beside others with as much, each gets little, so that a small message of anybody else waits for a short turn.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { type TestContext, test } from 'node:test'
import type { HandleRequest, StreamHandle } from '../../src/internals/node.js'
import { turnClockOfThread } from '../../src/time/turnClock.js'
import { HandleTransport } from '../../src/transport/handle.js'
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
  stopped = 0
  readStart(): number {
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
function floodingPeer(frugal = false): { handle: FullHandle; read: () => number } {
  const handle = new FullHandle()
  const transport = new HandleTransport(handle)
  const nothing = (): void => undefined
  const receiver: Receiver = { frugal, received: nothing, ended: nothing, written: nothing, closed: nothing }
  transport.open(receiver)
  let room = 16 * KiB
  const read = (): number => {
    const length = room
    room = transport.read(length)?.length ?? room
    return length
  }
  return { handle, read }
}

/** Bytes that are read before the peer has to wait for the others. */
function readInARow({ handle, read }: ReturnType<typeof floodingPeer>): number {
  let bytes = 0
  const before = handle.stopped
  while (handle.stopped === before) bytes += read()
  return bytes
}

/** A clock that goes on by what is said to have been done; a turn begins. */
function clock(context: TestContext): (milliseconds: number) => void {
  let now = 1000
  context.mock.method(performance, 'now', () => now)
  turnClockOfThread().restart()
  context.after(() => turnClockOfThread().restart())
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

test('beside a peer that has used the turn, another has one read, and a short one next time', ofHandles, (context) => {
  const work = clock(context)
  const [first, second] = [floodingPeer(), floodingPeer()]
  second.read()
  turnClockOfThread().restart()
  first.read()
  work(1)
  assert.equal(readInARow(second), 64 * KiB)
  assert.equal(second.read(), 16 * KiB)
})

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
