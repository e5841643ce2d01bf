// Where messages do not refer to each other, one inflation of the thread does for all connections. Whatever a handler does, and
// however a connection ends, it is never in two hands, and nothing of one message is left in it for the next.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { constants, deflateRawSync } from 'node:zlib'
import { heapOfThread } from '../../src/codec/codec.js'
import type { Connection } from '../../src/connection/connection.js'
import { DeflateAgreements } from '../../src/connection/deflateAgreements.js'
import { deflateSettings } from '../../src/connection/deflateSettings.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import { type ConnectionsOptions, connections } from '../support/connections.js'
import { orders } from '../support/deflateClient.js'
import { BINARY, buildFrame, CONTINUATION, TEXT } from '../support/frames.js'
import type { MemoryTransport } from '../support/memoryTransport.js'
import { Random, seed } from '../support/random.js'
import { eventually } from '../support/socketClient.js'
import { warmCompression } from '../support/warmCompression.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const KEY = Buffer.of(1, 2, 3, 4)
const ALONE = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'
const heap = heapOfThread()

function deflated(data: string | Uint8Array, windowBits = 15): Buffer {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, windowBits }).subarray(0, -4)
}

function frame(payload: Uint8Array, opcode = TEXT, fin = true, rsv1 = true): Buffer {
  return buildFrame({ opcode, payload, fin, reserved: rsv1 ? 4 : 0, key: KEY })
}

/** The frames of one message. */
function cut(payload: Buffer, parts: number, opcode = TEXT): Buffer[] {
  const length = Math.ceil(payload.length / parts)
  return Array.from({ length: parts }, (_, at) =>
    frame(
      payload.subarray(at * length, (at + 1) * length),
      at === 0 ? opcode : CONTINUATION,
      at === parts - 1,
      at === 0,
    ),
  )
}

interface Line {
  readonly wire: MemoryTransport
  readonly peer: Connection<undefined>
}

/** A server in memory, and a way to connect to it. */
function place(options: ConnectionsOptions): { connect(offer?: string): Line } {
  const settings = deflateSettings({ windowBits: 15 }, undefined)
  assert.ok(settings !== undefined)
  const agreements = new DeflateAgreements({ encoder: encoderOfThread('server'), heap }, settings)
  const made = connections(options)
  return { connect: (offer = ALONE) => made.connect({ deflate: agreements.agree(offer) }) }
}

/** One that notes what it is sent; each message begins with a name. */
function noting(more: ConnectionsOptions = {}) {
  const received: string[] = []
  return { received, ...place({ message: (_, message) => void received.push(message.text()), ...more }) }
}

function fed(line: Line, text: string): void {
  line.wire.feed(frame(deflated(text)))
}

describe('messages that stand alone', () => {
  test('of one connection are inflated while one of another is under way', () => {
    const { received, connect } = noting()
    const lines = [connect(), connect(), connect()]
    const texts = lines.map((_, at) => `${at} ${orders.slice(at * 100, 5000)}`)
    const frames = texts.map((text) => cut(deflated(text), 4))
    for (let part = 0; part < 4; part++) {
      for (const [at, { wire }] of lines.entries()) {
        wire.feed(frames[at]?.[part] ?? Buffer.alloc(0))
        fed(connect(), `between ${part} and ${at}`)
      }
    }
    assert.deepEqual(
      received.filter((text) => !text.startsWith('between')),
      texts,
    )
    assert.equal(received.length, texts.length + 12)
  })

  test('follow one whose handler throws, terminates, closes, or feeds another connection', async () => {
    const received: string[] = []
    const lines: Line[] = []
    const ways: Readonly<Record<string, (connection: Connection<undefined>) => void>> = {
      throws() {
        throw new Error('on purpose')
      },
      terminates: (connection) => connection.terminate(),
      closes: (connection) => connection.close(),
      endsAnother: () => lines.shift()?.peer.terminate(),
      feedsAnother() {
        const [another] = lines
        if (another !== undefined) fed(another, 'nested')
      },
      feedsAndTerminates(connection) {
        ways['feedsAnother']?.(connection)
        connection.terminate()
      },
    }
    const { connect } = place({
      message(connection, message) {
        const before = message.text()
        ways[before]?.(connection)
        assert.equal(message.text(), before) // nobody has written to it
        received.push(before)
      },
      error: () => undefined,
    })
    for (const way of Object.keys(ways)) {
      lines.push(connect(), connect(), connect())
      fed(connect(), way)
      for (const line of lines.splice(0)) fed(line, `after ${way}`)
    }
    const count = (text: string): number => received.filter((one) => one === text).length
    await eventually(() => count('nested') === 2, 'what handlers have fed')
    assert.equal(count('after throws'), 3)
    assert.equal(count('after endsAnother'), 2)
    assert.equal(count('after feedsAndTerminates'), 3)
  })

  test('follow one that broke off, was corrupt, too long, or no UTF-8', () => {
    const { received, connect } = noting({ maxMessage: 10_000, error: () => undefined })
    const [first = Buffer.alloc(0)] = cut(deflated(orders.slice(0, 8000)), 3)
    const bad = [
      first,
      frame(Buffer.from('ffffff', 'hex')),
      frame(deflated(orders.slice(0, 20_000))),
      frame(deflated(Buffer.of(0xc3, 0x28))),
      // A match that refers to what is not there: what the message before has left must not be.
      frame(Buffer.from('020200', 'hex')),
    ]
    for (const [at, frames] of bad.entries()) {
      fed(connect(), `before ${at}`)
      const { wire, peer } = connect()
      wire.feed(frames)
      fed(connect(), `beside ${at}`)
      peer.terminate()
      fed(connect(), `after ${at}`)
    }
    const expected = bad.flatMap((_, at) => [`before ${at}`, `beside ${at}`, `after ${at}`])
    assert.deepEqual(received, expected)
  })

  test('have each the window of its own connection, whoever came before', () => {
    const failures: number[] = []
    const { received, connect } = noting({ close: (_, code) => void failures.push(code) })
    const far = `${orders.slice(0, 2000)}${orders.slice(0, 200)}`
    const narrow = `${ALONE}; client_max_window_bits=9`
    for (const [offer, windowBits] of [
      [ALONE, 15],
      [narrow, 9],
      [ALONE, 15],
    ] as const) {
      connect(offer).wire.feed(frame(deflated(far, windowBits)))
    }
    assert.deepEqual(received, [far, far, far])
    const { wire, peer } = connect(narrow)
    wire.feed(frame(deflated(far, 15)))
    peer.terminate()
    assert.equal(received.length, 3)
    fed(connect(), far)
    assert.equal(received.length, 4)
  })

  test('of which some are streams, some long, and some connections end amid them: each says what it said', async () => {
    warmCompression()
    const before = heap.used
    const received = new Map<string, string>()
    const note = (bytes: Buffer): void => void received.set(bytes.subarray(0, 8).toString(), bytes.toString('latin1'))
    const random = new Random(seed)
    const lines = new Set<Line>()
    for (const streamThreshold of [undefined, 3000]) {
      const { connect } = place({
        streamThreshold,
        message: (_, message) => note(Buffer.from(message.bytes)),
        async stream(_, stream) {
          const chunks: Buffer[] = []
          for await (const chunk of stream) chunks.push(chunk)
          note(Buffer.concat(chunks))
        },
      })
      const sent = new Map<string, string>()
      const waiting: { line: Line; frames: Buffer[] }[] = []
      const opened: Line[] = []
      for (let count = 0; count < 300; count++) {
        const line = connect(random.pick([ALONE, `${ALONE}; client_max_window_bits=15`]))
        opened.push(line)
        lines.add(line)
        const name = String(count + (streamThreshold ?? 0)).padStart(8)
        const from = random.between(0, orders.length)
        const bytes = Buffer.from(name + orders.slice(from, from + random.between(0, random.pick([300, 30_000]))))
        const frames = cut(deflated(bytes), random.between(1, 5), BINARY)
        if (random.pick([true, true, false])) sent.set(name, bytes.toString('latin1'))
        else frames.pop() // it ends amid it
        waiting.push({ line, frames })
      }
      while (waiting.length > 0) {
        const at = random.between(0, waiting.length)
        const { line, frames } = waiting[at] ?? {}
        const next = frames?.shift()
        if (next !== undefined) {
          await line?.wire.resumed()
          line?.wire.feed(next)
        } else {
          waiting.splice(at, 1)
          if (random.pick([true, false])) line?.peer.terminate()
        }
      }
      await eventually(() => [...sent.keys()].every((name) => received.has(name)), 'all messages')
      for (const [name, text] of sent) assert.equal(received.get(name), text)
      for (const line of opened) line.peer.terminate()
    }
    await eventually(() => heap.used <= before + 1024, 'nothing stays but the spare one')
  })

  for (const [what, text] of [
    ['of which the last was short', 'the last one'],
    ['of which a thread has inflated the last', randomBytes(300_000).toString('base64')],
  ] as const)
    test(`${what}, leave nothing that keeps their connection`, () => leavesNothing(text))

  async function leavesNothing(text: string): Promise<void> {
    const { received, connect } = noting()
    const gone = await (async () => {
      const { wire, peer } = connect()
      wire.feed(frame(deflated(text)))
      await eventually(() => received.length === 1, 'the message is here')
      peer.terminate()
      return new WeakRef(peer)
    })()
    connect().wire.feed(frame(Buffer.from('not compressed'), TEXT, true, false)) // the slices, too, know who was last
    await eventually(() => {
      collect()
      return gone.deref() === undefined
    }, 'the connection is collected')
    assert.equal(received.length, 2)
  }
})
