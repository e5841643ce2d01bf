// Publications that alternate between topics can't be put together, so many wait. What that costs a turn has a bound: a share
// of them is sent meanwhile, the rest in turns of its own, and everybody gets everything in its order.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { type TestContext, test } from 'node:test'
import { codecOfThread, heapOfThread } from '../../src/codec/codec.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import type { Subscriber } from '../../src/connection/subscriber.js'
import { Turn } from '../../src/connection/turn.js'
import type { SharedMemory } from '../../src/memory/sharedBlock.js'
import { Topics } from '../../src/topics/topics.js'
import { readFrames } from '../support/frames.js'

const MEMBERS = 2000
/** Milliseconds that a delivery takes, by the clock of the test. */
const DELIVERY = 1 / 256
/** As many deliveries take a turn's share of 4 ms, and as many are made between two looks at the clock. */
const SHARE = 4 / DELIVERY
const BETWEEN_LOOKS = 32

/** A server's topics `a` and `b`, each with the same members, and how many deliveries each turn of the event loop has made. */
class Crowd {
  readonly turn = new Turn(heapOfThread())
  readonly topics = new Topics(encoderOfThread('server'), heapOfThread(), this.turn, 10)
  /** What the last member has got. */
  readonly got: string[] = []
  readonly members: Subscriber[]
  /** Deliveries of this turn. */
  deliveries = 0
  #now = 0

  constructor({ mock }: TestContext) {
    mock.method(performance, 'now', () => this.#now)
    this.members = Array.from({ length: MEMBERS }, (_, at) => ({
      deliver: (memory, pointer, length) => this.#deliver(at === MEMBERS - 1, memory, pointer, length),
    }))
    for (const member of this.members) for (const name of ['a', 'b']) this.topics.subscribe(member, name, 10)
  }

  #deliver(last: boolean, _: SharedMemory, pointer: number, length: number): 'sent' {
    this.deliveries++
    this.#now += DELIVERY
    if (!last) return 'sent'
    const { frames } = readFrames(Buffer.from(codecOfThread().view(pointer, length)))
    for (const { payload } of frames) this.got.push(payload.toString())
    return 'sent'
  }

  /** Publishes so many, on one topic and the other, and ends the turn. Returns how many deliveries were made in it. */
  publish(from: number, count: number): number {
    this.deliveries = 0
    this.turn.begin()
    for (let n = from; n < from + count; n++) this.topics.publish(n % 2 === 0 ? 'a' : 'b', String(n))
    this.turn.end()
    return this.deliveries
  }

  /** Waits until everything is sent. Returns the most deliveries of a turn. */
  async rest(): Promise<number> {
    let most = 0
    while (this.topics.pending) {
      this.deliveries = 0
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, this.deliveries)
    }
    return most
  }

  leave(): void {
    for (const member of this.members) this.topics.leave(member)
    this.turn.outbox.free()
  }
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => String(n))
}

for (const count of [60, 100, 200]) {
  test(`${count} publications that wait cost a turn no more than its share`, async (context) => {
    const crowd = new Crowd(context)
    const first = crowd.publish(0, count)
    const strained = crowd.turn.behind
    const most = Math.max(first, await crowd.rest())
    assert.ok(strained)
    assert.ok(most <= SHARE + 2 * BETWEEN_LOOKS, `${most} deliveries in a turn`)
    assert.deepEqual(crowd.got, numbers(count))
    crowd.leave()
  })
}

test('each publication above the bound costs the turn one that waits, and the turn has no other share', async (context) => {
  const crowd = new Crowd(context)
  const [full, above] = [256, 10]
  const first = crowd.publish(0, full + above)
  assert.ok(first <= above * MEMBERS + BETWEEN_LOOKS, `${first} deliveries in a turn`)
  await crowd.rest()
  assert.deepEqual(crowd.got, numbers(full + above))
  crowd.leave()
})
