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
  readonly returning: Returning
  /** The number of the next publication; undefined until it is known where the topic stands. */
  #next: number | undefined
  /** Whose numbers these are. */
  #epoch = 0
  /** Numbers of what the subscriber itself has published to all others meanwhile; most publish nothing. */
  #own: Set<number> | undefined
  #resolve: (resumption: Resumption) => void = () => undefined

  constructor(histories: Histories, history: TopicHistory, subscriber: Subscriber, returning: Returning) {
    this.#histories = histories
    this.history = history
    this.subscriber = subscriber
    this.returning = returning
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** The first publication that is sent. */
  begin(next: number): void {
    this.#next = next
    this.#epoch = this.#histories.epoch
  }

  /** The position after which publications are wanted now. */
  get after(): string | undefined {
    return this.#next === undefined
      ? this.returning.after
      : positionText({ epoch: this.#epoch, number: this.#next - 1 })
  }

  /** What the subscriber has published to all others is not for it. */
  exclude(number: number): void {
    this.#own ??= new Set()
    this.#own.add(number)
  }

  /** Sends a piece. */
  step(): Progress {
    const { history } = this
    if (!this.returning.isOpen) return 'gone'
    this.#histories.refresh(history)
    if (this.isLost || this.#following > history.last) return 'done'
    const { bytes, empty } = this.returning.room()
    return this.#send(empty ? Math.max(bytes, 1) : bytes, empty)
  }

  /** Everything was sent that could be: what was not is a gap. */
  finish(): void {
    const { history } = this
    const missed = this.#histories.knows(history) ? history.last - this.#following + 1 : undefined
    if (this.isLost) this.refuse({ reason: this.#following <= history.severed ? 'broker' : 'forgotten', missed })
    else this.#resolve({ resumed: true, position: this.#position ?? '' })
  }

  /** What was missed can't be sent. */
  refuse(gap: Gap): void {
    this.#resolve({ resumed: false, gap, position: this.#position })
  }

  get #position(): string | undefined {
    const { isKnown, last } = this.history
    return isKnown ? positionText({ epoch: this.#histories.epoch, number: last }) : undefined
  }

  /** The number of the next publication. */
  get #following(): number {
    return this.#next ?? this.history.last + 1
  }

  /** The subscriber is gone, or does not want it any more. */
  cancel(): void {
    const missed = this.#next === undefined ? undefined : this.history.last - this.#next + 1
    this.#resolve({ resumed: false, gap: { reason: 'closed', missed }, position: undefined })
  }

  /** What comes next has been forgotten here meanwhile. */
  get isLost(): boolean {
    return !this.#histories.knows(this.history) || this.#following < this.history.first
  }

  /** Sends frames that lie one behind the other, up to `room` bytes; the first one alone may be longer if nothing waits. */
  #send(room: number, empty: boolean): Progress {
    const first = this.#following
    let at = first
    const from = this.history.at(at)
    if (from === undefined) return 'done'
    this.#next = at + 1
    if (this.#own?.delete(at) === true) return 'more'
    if (from.length > room && !empty) {
      this.#next = at
      return 'full'
    }
    const most = Math.min(room, PIECE)
    let length = from.length
    for (let next = this.#follower(from, length, at); next !== undefined; next = this.#follower(from, length, at)) {
      if (length + next.length > most) break
      length += next.length
      at++
    }
    this.#next = at + 1
    const result = this.subscriber.deliver(from.memory, from.pointer, length)
    if (result === 'dropped') this.subscriber.leftOut?.(this.history.idle.name, this.#next - first)
    return this.#next > this.history.last ? 'done' : 'more'
  }

  /** The publication after number `at`, if it lies right behind `length` bytes from `from`, and is for the subscriber. */
  #follower(from: Kept, length: number, at: number): Kept | undefined {
    const next = this.#own?.has(at + 1) === true ? undefined : this.history.at(at + 1)
    return next?.memory === from.memory && next.pointer === from.pointer + length ? next : undefined
  }
}
