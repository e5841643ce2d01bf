// Histories over memory that is used again and again, with all that can happen to them, against plain lists of what was published:
// what is kept is found under its number, and its bytes are its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { SharedBlock } from '../../src/memory/sharedBlock.js'
import { Histories } from '../../src/topics/history.js'
import type { TopicHistory } from '../../src/topics/topicHistory.js'
import { Random, seed } from '../support/random.js'

const BLOCK = 8 * 1024
const NAMES = ['a', 'b', 'c', 'd', 'e']

/** What was published: a frame full of one byte. */
interface Published {
  readonly byte: number
  readonly length: number
  readonly at: number
}

interface Frame extends Published {
  readonly block: SharedBlock
  readonly pointer: number
}

class World {
  now = 0
  readonly #random: Random
  readonly #limits: { readonly messages: number; readonly bytes: number; readonly maxAge: number }
  readonly #memory: number
  readonly #histories: Histories
  readonly #published = new Map<TopicHistory, Map<number, Published>>()
  readonly #heap = heapOfThread()
  /** Numbers begin beyond what 31 or 32 bits hold, too. */
  readonly #start: number
  #block: SharedBlock | undefined
  #used = 0
  #count = 0

  constructor(random: Random) {
    this.#random = random
    this.#start = random.pick([0, 2 ** 31 - 20, 2 ** 32 - 20, 2 ** 52])
    const none = Number.MAX_SAFE_INTEGER
    this.#limits = {
      messages: random.pick([1, random.between(2, 40), none]),
      bytes: random.pick([1, random.between(2, 3000), none]),
      maxAge: random.pick([1, random.between(2, 200), none]),
    }
    this.#memory = random.pick([0, random.between(1, 30_000), 2 ** 20])
    this.#histories = new Histories(this.#limits, this.#memory, () => this.now, random.between(2, 6))
  }

  step(): void {
    this.now += this.#random.between(0, 5)
    const name = this.#random.pick(NAMES)
    const history = this.#histories.of(name)
    assert.ok(history !== undefined)
    const published = this.#published.get(history) ?? new Map<number, Published>()
    if (!this.#published.has(history)) this.#histories.place(history, Math.max(history.last, this.#start))
    this.#published.set(history, published)
    const what = this.#random.between(0, 99)
    if (what < 70) this.#publish(history, published)
    else if (what < 85) this.#recall(history, published)
    else if (what < 92) this.#histories.refresh(history)
    else if (what < 95) this.#histories.interrupt(history, this.#random.between(1, 3))
    else if (what < 97) this.#histories.forget(name)
    else if (what < 98) this.#histories.sever()
    else this.#histories.restart()
    this.#check()
  }

  end(): void {
    this.#histories.clear()
    assert.equal(this.#histories.bytes, 0)
    this.#block?.release()
  }

  #publish(history: TopicHistory, published: Map<number, Published>): void {
    const frame = this.#frame(this.now)
    const number = history.last + 1
    published.set(number, frame)
    this.#histories.keep(history, frame.block, frame.block.size, frame.pointer, frame.length)
    assert.equal(history.last, number)
  }

  #recall(history: TopicHistory, published: Map<number, Published>): void {
    const { first } = history
    const count = this.#random.between(1, 10)
    const age = this.#random.between(0, 300)
    const held = Array.from({ length: count }, (_, at) => {
      const frame = this.#frame(this.now - age - count + at)
      published.set(first - count + at, frame)
      return this.#histories.hold(
        history,
        frame.block,
        frame.block.size,
        frame.pointer,
        frame.length,
        this.now - frame.at,
      )
    })
    if (this.#random.chance(0.2)) this.#histories.leave(held)
    else this.#histories.prepend(history, held)
  }

  #frame(at: number): Frame {
    const length = this.#random.between(1, 300)
    if (this.#block === undefined || this.#used + length > BLOCK) {
      this.#block?.release()
      this.#block = new SharedBlock(this.#heap, BLOCK)
      this.#used = 0
    }
    const pointer = this.#block.pointer + this.#used
    this.#used += length
    const byte = 1 + (this.#count++ % 251)
    this.#heap.codec.bytes.fill(byte, pointer, pointer + length)
    return { block: this.#block, pointer, byte, length, at }
  }

  #check(): void {
    assert.ok(this.#histories.bytes <= this.#memory)
    for (const history of this.#histories.all) {
      const { first, last, size, bytes } = history
      let found = 0
      for (let number = first; number <= last; number++) {
        const kept = history.at(number)
        const published = this.#published.get(history)?.get(number)
        assert.ok(kept !== undefined && published !== undefined, `${number} of ${first} to ${last}`)
        assert.deepEqual([kept.length, kept.at], [published.length, published.at])
        const frame = this.#heap.codec.bytes.subarray(kept.pointer, kept.pointer + kept.length)
        assert.ok(frame.every((byte) => byte === published.byte))
        found += kept.length
      }
      assert.deepEqual([history.at(first - 1), history.at(last + 1)], [undefined, undefined])
      assert.equal(bytes, found)
      assert.ok(size <= this.#limits.messages && bytes <= this.#limits.bytes)
    }
  }
}

test(`what is kept is what was published, with its own bytes, whatever happens to topics (SEED=${seed})`, () => {
  const random = new Random(seed)
  for (let run = 0; run < 60; run++) {
    const world = new World(random)
    for (let step = 0; step < 200; step++) world.step()
    world.end()
  }
})
