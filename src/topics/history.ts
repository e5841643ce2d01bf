// What was published on the topics of a process lately, for those who come back and have missed it. It is bounded for each
// topic, and over all topics by memory.
import { randomBytes } from 'node:crypto'
import type { SharedMemory } from '../memory/sharedBlock.js'
import { HistoryBlocks } from './historyBlocks.js'
import { historyLimits, historyMemoryOf, type TopicsOptions } from './options.js'
import { TopicHistory } from './topicHistory.js'

/** Topics whose latest number is remembered; the one seen first is forgotten first. */
const MOST_TOPICS = 65_536

/** Who must know of which topics there is a history: it must hear of all that is published on them, by whomever. */
export interface HistoryWatcher {
  historyBegins(topic: string): void
  historyEnds(topic: string): void
}

/** Milliseconds of `performance.now()`. */
type Clock = () => number

export class Histories {
  /** Tells the numbers of this process from those of all others. */
  readonly epoch = randomBytes(6).readUIntBE(0, 6)
  readonly #option: NonNullable<TopicsOptions['history']>
  readonly #clock: Clock
  readonly #mostTopics: number
  readonly #blocks: HistoryBlocks<TopicHistory>
  readonly #topics = new Map<string, TopicHistory>()
  readonly #watcher: HistoryWatcher | undefined
  /** The highest number of all topics that were forgotten: a topic's numbers never go back. */
  #floor = 0

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

  /** The history of a topic, without what is too old; undefined for a topic that keeps nothing. */
  of(name: string): TopicHistory | undefined {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const options = typeof this.#option === 'function' ? this.#option(name) : this.#option
    if (options === undefined) return undefined
    if (this.#topics.size >= this.#mostTopics) this.#forgetFirst()
    const history = new TopicHistory(name, historyLimits(options), this.#floor)
    this.#topics.set(name, history)
    this.#watcher?.historyBegins(name)
    return history
  }

  /** Whether something is known of a topic. */
  has(name: string): boolean {
    return this.#topics.has(name)
  }

  /** So many publications are missing after the latest: nothing before them is of use to anybody. */
  interrupt(history: TopicHistory, missed: number): void {
    while (history.size > 0) this.#drop(history)
    history.last += missed
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
    history.push({ block: this.#blocks.use(memory, size, history), memory, pointer, length, at: now })
    this.#trim(history, now)
    for (let block = this.#blocks.surplus; block !== undefined; block = this.#blocks.surplus) {
      for (const other of block.histories) while (other.oldest?.block === block) this.#drop(other)
    }
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
    const kept = history.shift()
    if (kept !== undefined) this.#blocks.leave(kept.block)
  }

  #forgetFirst(): void {
    for (const [name, history] of this.#topics) {
      this.#floor = Math.max(this.#floor, history.last)
      while (history.size > 0) this.#drop(history)
      this.#topics.delete(name)
      this.#watcher?.historyEnds(name)
      return
    }
  }
}
