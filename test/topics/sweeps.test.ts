// Publications to many are sent in turns that are cut anywhere: whoever subscribes, leaves, is sent something else or
// publishes meanwhile sees everything in the order in which it was said. A naive twin delivers at once; SEED=… repeats.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { codecOfThread, heapOfThread } from '../../src/codec/codec.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import type { Subscriber } from '../../src/connection/subscriber.js'
import { Turn } from '../../src/connection/turn.js'
import { prepare } from '../../src/index.js'
import type { SharedMemory } from '../../src/memory/sharedBlock.js'
import { Topics } from '../../src/topics/topics.js'
import { effort } from '../support/effort.js'
import { readFrames } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { settle } from '../support/settle.js'

/** Longer than any text, and the padding behind the longest. */
const LONGEST_TEXT = 24
const PADDING = Buffer.alloc(1_500_000, ' ')

/** A text without its padding, which must be there whole. */
function textOf(payload: Buffer): string {
  const padding = payload.subarray(LONGEST_TEXT)
  assert.ok(padding.equals(PADDING.subarray(0, padding.length)))
  return payload.toString('latin1', 0, LONGEST_TEXT).trimEnd()
}

/** A subscriber, what it was delivered, and what its twin was. */
class Client implements Subscriber {
  readonly got: string[] = []
  readonly due: string[] = []
  readonly topics = new Set<string>()
  readonly #kept: SharedMemory[] = []

  /** As a slow connection does, it keeps the memory of a long message. */
  deliver(memory: SharedMemory, pointer: number, length: number): 'sent' {
    const { frames, rest } = readFrames(Buffer.from(codecOfThread().view(pointer, length)))
    assert.equal(rest.length, 0)
    for (const { payload } of frames) this.got.push(textOf(payload))
    if (length < 10_000 || this.#kept.length > 2) return 'sent'
    memory.retain()
    this.#kept.push(memory)
    return 'sent'
  }

  release(): void {
    for (const memory of this.#kept.splice(0)) memory.release()
  }
}

const NAMES = ['a', 'b', 'c', 'd']
const LENGTHS = [0, 5, 5, 130, 4000, 40_000, 70_000, 1_500_000]

class Model {
  readonly random: Random
  readonly turn = new Turn(heapOfThread())
  readonly topics = new Topics(encoderOfThread('server'), heapOfThread(), this.turn, 10)
  clients: Client[] = Array.from({ length: 150 }, () => new Client())
  #number = 0

  constructor(from: number) {
    this.random = new Random(from)
  }

  act(): void {
    const client = this.random.pick(this.clients)
    const name = this.random.pick(NAMES)
    const way = this.random.below(100)
    if (way < 40) this.#subscribe(client, name)
    else if (way < 55) this.#unsubscribe(client, name)
    else if (way < 58) this.#leave(client)
    else if (way < 75) this.#send(client)
    else if (way < 99) this.#publish(name, way < 88 ? client : undefined)
    else this.#flood()
  }

  #subscribe(client: Client, name: string): void {
    client.topics.add(name)
    this.topics.subscribe(client, name, 10)
  }

  #unsubscribe(client: Client, name: string): void {
    assert.equal(this.topics.unsubscribe(client, name), client.topics.delete(name))
  }

  /** It has gone: what was on its way to it may be lost, and another comes in its place. */
  #leave(client: Client): void {
    this.topics.leave(client)
    client.release()
    assert.deepEqual(client.got, client.due.slice(0, client.got.length))
    this.clients = this.clients.map((one) => (one === client ? new Client() : one))
  }

  /** As `Sender.send` does. */
  #send(client: Client): void {
    if (this.topics.pending) this.topics.catchUp(client)
    const text = `sent ${this.#number++}`
    client.due.push(text)
    client.got.push(text)
  }

  /** More than may wait, as no two in a row are on one topic. */
  #flood(): void {
    for (let n = this.random.below(400); n > 0; n--) {
      const client = this.random.chance(0.1) ? this.random.pick(this.clients) : undefined
      this.#publish(this.random.pick(NAMES), client, this.random.below(60))
      if (this.random.chance(0.05)) this.#send(this.random.pick(this.clients))
    }
  }

  #publish(name: string, except: Client | undefined, length = this.#length()): void {
    const text = `${name} ${this.#number++}`
    let count = 0
    for (const client of this.clients) {
      if (client === except || !client.topics.has(name)) continue
      client.due.push(text)
      count++
    }
    const padded = text.padEnd(length)
    const data = this.random.chance(0.2) ? prepare(padded) : this.random.chance(0.5) ? padded : Buffer.from(padded)
    assert.equal(this.topics.publish(name, data, except), count)
    if (!(typeof data === 'string') && !Buffer.isBuffer(data)) data.release()
  }

  #length(): number {
    return this.random.chance(0.97) ? this.random.pick(LENGTHS.slice(0, 6)) : this.random.pick(LENGTHS)
  }

  check(): void {
    for (const [at, { got, due }] of this.clients.entries()) assert.deepEqual(got, due, `client ${at}`)
    for (const client of this.clients) {
      client.release()
      client.got.length = client.due.length = 0
    }
  }
}

for (let round = 0; round < effort({ quick: 4, full: 60 }); round++) {
  const from = seed + round
  test(`sweeps that are cut anywhere, seed ${from}`, { timeout: 600_000 }, async (context) => {
    const before = heapOfThread().used
    const model = new Model(from)
    let now = 0
    context.mock.method(performance, 'now', () => {
      now += model.random.pick([0, 0, 3, 5])
      return now
    })
    for (let turn = 0; turn < effort({ quick: 150, full: 600 }); turn++) {
      model.turn.begin()
      for (let n = model.random.below(12); n > 0; n--) model.act()
      model.turn.end()
      if (model.random.chance(0.3)) model.act() // outside of a turn, a microtask ends it
      if (model.random.chance(0.6)) await new Promise((resolve) => setImmediate(resolve))
      if (turn % 20 !== 0) continue
      for (let wait = 0; model.topics.pending && wait < 2000; wait++) await settle()
      assert.equal(model.topics.pending, false, 'nothing is left')
      model.check()
    }
    for (let wait = 0; model.topics.pending && wait < 2000; wait++) await settle()
    model.check()
    for (const client of model.clients) model.topics.leave(client)
    await settle()
    model.turn.outbox.free()
    assert.equal(heapOfThread().used, before, 'nothing is held')
  })
}
