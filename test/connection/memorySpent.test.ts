// Whatever finds no memory ends one connection, or refuses a newcomer: never the process, and nobody else's connection. The
// allocations of a scenario that uses all of a connection are refused one after the other, and all from each one on.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { after, before, describe, test } from 'node:test'
import { codecOfThread, heapOfThread, OutOfMemory } from '../../src/codec/codec.js'
import type { Connection } from '../../src/connection/connection.js'
import type { Message } from '../../src/connection/message.js'
import { Peer } from '../../src/connection/peer.js'
import type { FrameBuffer } from '../../src/connection/sending/encoder.js'
import { prepare } from '../../src/connection/sending/prepared.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { type Connections, connections } from '../support/connections.js'
import { BINARY, masked, PING, readFrames, TEXT } from '../support/frames.js'
import { MemoryTransport } from '../support/memoryTransport.js'
import { Refusals } from '../support/refusals.js'
import { settle } from '../support/settle.js'

const LONG = 200_000
const RESPONSE = 'HTTP/1.1 101 Switching Protocols\r\n\r\n'

function respond(output: FrameBuffer): void {
  const pointer = output.reserve(RESPONSE.length)
  codecOfThread().bytes.write(RESPONSE, pointer, 'latin1')
  output.commit(pointer, RESPONSE.length)
}

let refusals: Refusals

before(() => {
  refusals = new Refusals()
})

after(() => refusals.restore())

interface One {
  readonly peer: Peer<undefined>
  readonly wire: MemoryTransport
}

/** What a peer asks for, by the text of its message. */
const ASKED: Readonly<Record<string, (connection: Connection, message: Message) => unknown>> = {
  publish: (connection) => {
    connection.publish('news', 'short')
    connection.publish('news', 'x'.repeat(LONG))
    connection.publish('more', Buffer.alloc(40_000))
    connection.publish('more', Buffer.alloc(40_000))
  },
  subscribe: (connection) => ['news', 'more'].map((topic) => connection.subscribe(topic)),
  prepared: (connection) => {
    const message = prepare('p'.repeat(30_000))
    connection.send(message)
    connection.publish('news', message)
    message.release()
  },
  stream: (connection) => {
    const ended = connection.sendStream(pieces())
    connection.send('behind the stream')
    connection.send(Buffer.alloc(60_000))
    return ended
  },
  fragments: (connection) => {
    connection.sendFragment('one', false)
    connection.sendFragment('x'.repeat(LONG), false)
    connection.sendFragment('last', true)
  },
  later: async (connection, message) => {
    await new Promise((resolve) => setImmediate(resolve))
    connection.send(message)
  },
  ping: (connection) => void connection.ping(),
}

async function* pieces(): AsyncGenerator<Buffer> {
  for (let count = 0; count < 3; count++) yield Buffer.alloc(70_000)
}

function place(): Connections {
  return connections({
    message: (connection, message) =>
      ASKED[message.byteLength < 20 ? message.text() : '']?.(connection, message) ?? connection.send(message),
    async stream(connection, message) {
      for await (const chunk of message) connection.send(chunk)
    },
    error: () => undefined,
    streamThreshold: 400_000,
  })
}

/** Opens a connection as the server does; undefined where there is no memory for it. */
function open({ shared }: Connections): One | undefined {
  const head = { method: 'GET', target: '/', httpVersion: '1.1', headers: {}, repeated: [] }
  const request = new UpgradeRequest(
    head,
    undefined,
    { remoteAddress: undefined, secure: false, told: false },
    undefined,
  )
  const opening = { request, data: undefined, protocol: '' }
  const wire = new MemoryTransport()
  let peer: Peer<undefined> | undefined
  try {
    peer = new Peer<undefined>(shared, wire, opening)
    peer.start(masked(TEXT, 'with the request'), respond)
  } catch (error) {
    assert.ok(error instanceof OutOfMemory, String(error))
    assert.equal(wire.output.length, 0, 'nothing has been sent')
    peer?.discard()
    return undefined
  }
  return { peer, wire }
}

/** Feeds what the connection reads, as far as it reads. */
function feed(one: One | undefined, bytes: Uint8Array): void {
  if (one !== undefined && !one.wire.closed && !one.wire.paused) one.wire.feed(bytes)
}

const LONG_FRAME = masked(BINARY, Buffer.alloc(LONG))
const STREAMED = masked(BINARY, Buffer.alloc(500_000))

/** A connection's whole life: each way of its memory once, and other connections besides. */
async function scenario(all: Connections): Promise<void> {
  const [one, other, slow] = [open(all), open(all), open(all)]
  for (const asks of ['subscribe', 'publish', 'prepared', 'ping', 'later', 'fragments', 'stream']) {
    for (const connection of [one, other]) feed(connection, masked(TEXT, asks))
    await settle()
  }
  feed(one, masked(PING, 'x'))
  feed(one, masked(TEXT, 'begun', false))
  for (const part of [LONG_FRAME, STREAMED]) {
    for (let at = 0; at < part.length; at += 50_000) feed(other, part.subarray(at, at + 50_000))
    await settle()
  }
  // Parked amid a read, and behind it.
  one?.peer.connection.pause()
  if (slow !== undefined) slow.wire.stuck = true
  feed(slow, masked(TEXT, 'subscribe'))
  for (let count = 0; count < 30; count++) feed(slow, masked(BINARY, Buffer.alloc(3000)))
  feed(slow, LONG_FRAME)
  feed(other, masked(TEXT, 'publish'))
  one?.peer.connection.resume()
  await settle()
  all.shared.deadlines.now += 400 // silence that asks for a ping, of a timer's own
  for (const connection of [one, other, slow]) if (connection?.wire.closed === false) connection.peer.expired()
  slow?.wire.finish()
  await settle()
  if (slow !== undefined) slow.wire.stuck = false
  for (let count = 0; count < 20; count++) slow?.wire.finish()
  one?.peer.close(1000, 'bye')
  await settle()
  for (const connection of [one, other, slow]) connection?.peer.terminate()
  await settle()
}

/** The honest peer's last frame. */
function echo({ wire }: One, text: string): string | undefined {
  feed({ wire } as One, masked(TEXT, text))
  const at = wire.output.indexOf('\r\n\r\n') + 4
  return readFrames(wire.output.subarray(at)).frames.at(-1)?.payload.toString()
}

async function trial(first: number, last: number): Promise<void> {
  const all = place()
  const before = heapOfThread().used
  const honest = open(all)
  assert.ok(honest !== undefined)
  refusals.refuse(first, last)
  await scenario(all)
  refusals.stop()
  const which = `allocations ${first} to ${last} refused`
  assert.equal(echo(honest, 'still here'), 'still here', which)
  honest.peer.terminate()
  await settle()
  assert.deepEqual([heapOfThread().used, all.budget.used, all.shared.connections.size], [before, 0, 0], which)
}

/** Refuses each allocation in its turn, up to `last`, until the scenario asks for no more; returns how many it asked for. */
async function sweep(last: (at: number) => number): Promise<number> {
  for (let at = 1; ; at++) {
    await trial(at, last(at))
    if (refusals.refused === 0) return at - 1
  }
}

describe('over the transport in memory', () => {
  test('everything is served where nothing is refused', () => trial(Infinity, Infinity))

  test('whichever allocation is refused, the others are served, and nothing stays behind', async () => {
    const allocations = await sweep((at) => at)
    assert.ok(allocations > 20, `the scenario asks ${allocations} times`)
  })

  test('and so it is where all are refused, from whichever on', async () => {
    assert.ok((await sweep(() => Infinity)) > 20)
  })
})
