// What was published on the topics of a process lately, for those who come back and have missed it. It is bounded for each
// topic, and over all topics by memory.
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { SharedMemory } from '../memory/sharedBlock.js'
import { HistoryBlocks } from './historyBlocks.js'
import { type HistoryLimits, historyLimits, historyMemoryOf, historyOf, type TopicsOptions } from './options.js'
import { type Keep, type Kept, TopicHistory } from './topicHistory.js'

/** Topics whose latest number is remembered; the one seen first is forgotten first. */
const MOST_TOPICS = 65_536

/** Who must know of which topics there is a history: it must hear of all that is published on them, by whomever. */
export interface HistoryWatcher {
  historyBegins(topic: string, limits: HistoryLimits): void
  historyEnds(topic: string): void
}

/** Numbers that one hole leaves out at most: a publisher that lies of its own must not use up those of the topic. */
const MOST_MISSED = 2 ** 32

/** Milliseconds of `performance.now()`. */
type Clock = () => number

export class Histories {
  /** Tells the numbers of one process from those of all others. */
  epoch = randomEpoch()
  /** Whether topics that begin are known: not where another process numbers. */
  numbers = true
  readonly #option: NonNullable<TopicsOptions['history']>
  readonly #clock: Clock
  readonly #mostTopics: number
  readonly #blocks: HistoryBlocks<TopicHistory>
  readonly #topics = new Map<string, TopicHistory>()
  readonly #watcher: HistoryWatcher | undefined
  /** Higher than all numbers of topics that were forgotten: a topic's numbers never go back, or come twice. */
  #floor = 0
  /** Up to this number, publications of others may be missing, of topics that are not remembered. */
  #severed = -1

  constructor(
    option: NonNullable<TopicsOptions['history']>,
    memory: number,
    clock: Clock,
    mostTopics = MOST_TOPICS,
    watcher?: HistoryWatcher,
  ) {
    this.#watcher = watcher
    this.#option = option
    this.#blocks = new HistoryBlocks(memory)
    this.#clock = clock
    this.#mostTopics = mostTopics
  }

  /** Undefined where no topic keeps anything. */
  static of(options: TopicsOptions, watcher: HistoryWatcher): Histories | undefined {
    const { history } = options
    const clock = (): number => performance.now()
    return history && new Histories(history, historyMemoryOf(options), clock, MOST_TOPICS, watcher)
  }

  /** Bytes that all histories take. */
  get bytes(): number {
    return this.#blocks.bytes
  }

  /**
   * The history of a topic; undefined for a topic that keeps nothing. Throws what the application's function throws, and as
   * `createServer` does for options that are none.
   */
  of(name: string): TopicHistory | undefined {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    if (typeof this.#option !== 'function') return this.begin(name, historyLimits(this.#option))
    const limits = historyOf(this.#option, name)
    // The function may have published on the topic itself.
    return this.#topics.get(name) ?? (limits && this.begin(name, limits))
  }

  /** Begins the history of a topic that has none. */
  begin(name: string, limits: HistoryLimits): TopicHistory {
    if (this.#topics.size >= this.#mostTopics) this.#forgetFirst()
    const history = new TopicHistory(name, limits, this.#floor)
    history.severed = this.#severed
    history.isKnown = this.numbers
    this.#topics.set(name, history)
    this.#watcher?.historyBegins(name, limits)
    return history
  }

  /** A topic that was forgotten meanwhile begins anew as it was: the application is not asked, as no caller could be told. */
  revive(history: TopicHistory): void {
    if (!this.#topics.has(history.idle.name)) this.begin(history.idle.name, history.limits)
  }

  /** The history of a topic, if something is known of it. */
  find(name: string): TopicHistory | undefined {
    return this.#topics.get(name)
  }

  /** Whether something is known of a topic. */
  has(name: string): boolean {
    return this.#topics.has(name)
  }

  /** So many publications are missing after the latest: nothing before them is of use to anybody. */
  interrupt(history: TopicHistory, missed: number): void {
    this.place(history, history.last + Math.min(missed, MOST_MISSED))
  }

  /** The latest publication on a topic has this number; neither it nor those before it are kept. */
  place(history: TopicHistory, last: number): void {
    while (history.size > 0) this.#drop(history)
    history.last = last
    history.isKnown = true
  }

  /** Publications of others may be missing on any topic, and nobody knows how many: no earlier position is worth anything. */
  sever(): void {
    for (const history of this.#topics.values()) {
      history.severed = history.last
      this.interrupt(history, 1)
    }
    this.#severed = this.#floor++
  }

  /** Another process numbers from now on: nothing is known until it has told. */
  follow(): void {
    this.numbers = false
    for (const history of this.#topics.values()) {
      this.place(history, history.last)
      history.isKnown = false
    }
  }

  /** Nobody else numbers any more: the numbers of this process have an epoch of their own. */
  restart(): void {
    this.numbers = true
    this.epoch = randomEpoch()
    for (const history of this.#topics.values()) this.place(history, history.last)
  }

  /** All topics of which something is known. */
  get all(): Iterable<TopicHistory> {
    return this.#topics.values()
  }

  /** Whether this is still what is known of its topic. */
  knows(history: TopicHistory): boolean {
    return this.#topics.get(history.idle.name) === history
  }

  /** Drops what has become too old. */
  refresh(history: TopicHistory): void {
    this.#trim(history, this.#clock())
  }

  /** Keeps a publication, whose frame lies in `memory` of `size` bytes. */
  keep(history: TopicHistory, memory: SharedMemory, size: number, pointer: number, length: number): void {
    const now = this.#clock()
    history.push(this.#blocks.use(memory, size, history), pointer, length, now)
    this.#trim(history, now)
    this.#makeRoom()
  }

  /** The function that keeps what is published on a topic. */
  keeperOf(history: TopicHistory): Keep {
    history.keep ??= (memory, size, pointer, length) => this.keep(history, memory, size, pointer, length)
    return history.keep
  }

  /** A publication of the past, which was published `age` milliseconds ago: `prepend` keeps it, or `leave` lets it go. */
  hold(history: TopicHistory, memory: SharedMemory, size: number, pointer: number, length: number, age: number): Kept {
    return { block: this.#blocks.use(memory, size, history), memory, pointer, length, at: this.#clock() - age }
  }

  /** Keeps what came right before the oldest publication of a topic. */
  prepend(history: TopicHistory, publications: readonly Kept[]): void {
    history.prepend(publications)
    this.#trim(history, this.#clock())
    this.#makeRoom()
  }

  leave(publications: readonly Kept[]): void {
    for (const { block } of publications) this.#blocks.leave(block)
  }

  /** Forgets a topic. */
  forget(name: string): void {
    const history = this.#topics.get(name)
    if (history === undefined) return
    // One number is left out: what others publish while the topic is forgotten is seen by nobody here.
    this.#floor = Math.max(this.#floor, history.last + 1)
    while (history.size > 0) this.#drop(history)
    this.#topics.delete(name)
    this.#watcher?.historyEnds(name)
  }

  /** Drops everything: nobody will ask any more. */
  clear(): void {
    for (const history of this.#topics.values()) while (history.size > 0) this.#drop(history)
    this.#topics.clear()
  }

  #trim(history: TopicHistory, now: number): void {
    while (history.isOver(now)) this.#drop(history)
  }

  #drop(history: TopicHistory): void {
    const block = history.shift()
    if (block !== undefined) this.#blocks.leave(block)
  }

  /** Gives up the oldest blocks, as long as there is too much, with everything before what lies in them. */
  #makeRoom(): void {
    for (let block = this.#blocks.surplus; block !== undefined; block = this.#blocks.surplus) {
      for (const other of block.histories) {
        for (let count = other.countThrough(block); count > 0; count--) this.#drop(other)
      }
    }
  }

  #forgetFirst(): void {
    for (const name of this.#topics.keys()) return this.forget(name)
  }
}

function randomEpoch(): number {
  return randomBytes(6).readUIntBE(0, 6)
}
