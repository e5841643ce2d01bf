// A subscriber that has missed publications, and is sent them before anything newer: piece by piece, as long as its output
// has room, while others have their turns. When nothing is missing any more, it becomes a subscriber like all others.
import type { Gap, Resumption, Returning } from '../connection/resumption.js'
import type { Subscriber } from '../connection/subscriber.js'
import type { Histories } from './history.js'
import { positionText } from './position.js'
import type { Kept, TopicHistory } from './topicHistory.js'

/** Bytes that one step sends at most, or one publication. */
const PIECE = 64 * 1024

/** What has become of a step: there is more to send, the output has no room, everything was sent, or nothing can be. */
export type Progress = 'more' | 'full' | 'done' | 'gone'

export class Resume {
  readonly subscriber: Subscriber
  readonly history: TopicHistory
  /** Resolves when the subscriber is one like all others, or is none any more. */
  readonly result: Promise<Resumption>
  readonly #histories: Histories
  readonly #returning: Returning
  /** The number of the next publication. */
  #next: number
  /** Numbers of what the subscriber itself has published to all others meanwhile. */
  readonly #own = new Set<number>()
  #resolve: (resumption: Resumption) => void = () => undefined

  constructor(histories: Histories, history: TopicHistory, subscriber: Subscriber, returning: Returning, next: number) {
    this.#histories = histories
    this.history = history
    this.subscriber = subscriber
    this.#returning = returning
    this.#next = next
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** What the subscriber has published to all others is not for it. */
  exclude(number: number): void {
    this.#own.add(number)
  }

  /** Sends a piece. */
  step(): Progress {
    const { history } = this
    if (!this.#returning.isOpen) return 'gone'
    this.#histories.refresh(history)
    if (this.#lost || this.#next > history.last) return 'done'
    const { bytes, empty } = this.#returning.room()
    return this.#send(empty ? Math.max(bytes, 1) : bytes, empty)
  }

  /** Everything was sent that could be: what was not is a gap. */
  finish(): void {
    const { history } = this
    const position = positionText({ epoch: this.#histories.epoch, number: history.last })
    const missed = this.#histories.knows(history) ? history.last - this.#next + 1 : undefined
    const gap: Gap | undefined = this.#lost ? { reason: 'forgotten', missed } : undefined
    this.#resolve(gap === undefined ? { resumed: true, position } : { resumed: false, gap, position })
  }

  /** The subscriber is gone, or does not want it any more. */
  cancel(): void {
    const missed = this.history.last - this.#next + 1
    this.#resolve({ resumed: false, gap: { reason: 'closed', missed }, position: undefined })
  }

  /** What comes next has been forgotten meanwhile. */
  get #lost(): boolean {
    return !this.#histories.knows(this.history) || this.#next < this.history.first
  }

  /** Sends frames that lie one behind the other, up to `room` bytes; the first one alone may be longer if nothing waits. */
  #send(room: number, empty: boolean): Progress {
    const from = this.history.at(this.#next)
    if (from === undefined) return 'done'
    if (this.#own.delete(this.#next)) {
      this.#next++
      return 'more'
    }
    if (from.length > room && !empty) return 'full'
    const most = Math.min(room, PIECE)
    let length = from.length
    for (let next = this.#follower(from, length); next !== undefined; next = this.#follower(from, length)) {
      if (length + next.length > most) break
      length += next.length
      this.#next++
    }
    this.#next++
    this.subscriber.deliver(from.memory, from.pointer, length)
    return this.#next > this.history.last ? 'done' : 'more'
  }

  /** The publication after this one, if it lies right behind `length` bytes from `from`, and is for the subscriber. */
  #follower(from: Kept, length: number): Kept | undefined {
    const next = this.#own.has(this.#next + 1) ? undefined : this.history.at(this.#next + 1)
    return next?.memory === from.memory && next.pointer === from.pointer + length ? next : undefined
  }
}
