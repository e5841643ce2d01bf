// All who are being sent what they have missed: in turns of their own, of which each takes only so long, one piece for each
// after the other. Who does not read waits, and holds up nobody.
import type { Gap, Resumption, Returning } from '../connection/resumption.js'
import type { Subscriber } from '../connection/subscriber.js'
import type { Turn } from '../connection/turn.js'
import { runOutside } from '../internals/context.js'
import { Queue } from '../time/queue.js'
import type { Histories } from './history.js'
import { positionText, readPosition } from './position.js'
import type { Upstream } from './recalls.js'
import { Resume } from './resume.js'
import type { TopicHistory } from './topicHistory.js'
import type { TopicTable } from './topicTable.js'

/** Milliseconds that one turn takes for it. */
const SHARE = 2
/**
 * Pieces that one turn sends at most: what they cost is spent when the turn ends, and is not in that time. The longer a turn is,
 * the more requests of others who come back are read in the next one, which is as much longer for that.
 */
const MOST_PIECES = 8
/** Milliseconds after which is looked again whether an output has room. */
const PAUSE = 10

/** What the resumes need of the topics. */
export interface Live {
  /** Where a place is kept for the topics that subscribers are on their way back to. */
  readonly table: TopicTable
  /** What was published before is sent to this subscriber first. */
  catchUp(subscriber: Subscriber): void
  /** The subscriber is one like all others from now on. */
  join(subscriber: Subscriber, topic: string): void
}

export class Resumes {
  readonly #histories: Histories
  readonly #turn: Turn
  readonly #live: Live
  readonly #upstream: Upstream
  readonly #of = new Map<Subscriber, Map<string, Resume>>()
  readonly #ready = new Queue<Resume>()
  #full: Resume[] = []
  #scheduled = false
  #timer: NodeJS.Timeout | undefined

  constructor(histories: Histories, turn: Turn, live: Live, upstream: Upstream) {
    this.#upstream = upstream
    this.#histories = histories
    this.#turn = turn
    this.#live = live
  }

  has(subscriber: Subscriber, topic: string): boolean {
    return this.#of.get(subscriber)?.has(topic) === true
  }

  /** How many topics a subscriber is on its way back to. */
  count(subscriber: Subscriber): number {
    return this.#of.get(subscriber)?.size ?? 0
  }

  /** A subscriber comes back to a topic, and is sent what it has missed. Without anything, it is one like all others at once. */
  start(subscriber: Subscriber, history: TopicHistory, returning: Returning): Promise<Resumption> {
    this.#histories.refresh(history)
    const resume = new Resume(this.#histories, history, subscriber, returning)
    if (history.isKnown) this.#recall(resume)
    else this.#ask(resume, Number.POSITIVE_INFINITY, () => this.#recall(resume))
    return resume.result
  }

  /**
   * Subscribers that have had everything up to a number have missed what follows, on its way to this process: they are sent it
   * late, as if they had come back, and all that has come meanwhile.
   */
  repair(subscribers: readonly Subscriber[], history: TopicHistory, number: number): void {
    const after = positionText({ epoch: this.#histories.epoch, number })
    for (const subscriber of subscribers) this.#recall(new Resume(this.#histories, history, subscriber, live(after)))
  }

  /** Asks for what is not here, if there may be any, before it is decided what can be sent. */
  #recall(resume: Resume): void {
    const wanted = this.#wanted(resume.history, resume.after)
    if (wanted === undefined) this.#decide(resume)
    else this.#ask(resume, wanted, () => this.#decide(resume))
  }

  #ask(resume: Resume, wanted: number, told: () => void): void {
    this.#note(resume)
    this.#upstream.ask(resume.history, wanted, (isTold) => {
      if (!this.#isWanted(resume)) return
      this.#forget(resume)
      if (isTold) told()
      else this.#refuse(resume, { reason: 'unreachable', missed: undefined })
    })
  }

  /** After which number others must be asked for publications, if at all. */
  #wanted(history: TopicHistory, after: string | undefined): number | undefined {
    if (after === undefined || this.#histories.numbers) return undefined
    const position = readPosition(after)
    if (position?.epoch !== this.#histories.epoch) return undefined
    // A later number than is known here may have been told by another process that is ahead.
    return position.number > history.last || position.number < history.first - 1 ? position.number : undefined
  }

  /** It is known where the topic stands: what was missed is sent, or can't be. */
  #decide(resume: Resume): void {
    const { history, after: wanted } = resume
    const gap = this.#gapOf(history, wanted)
    if (gap !== undefined) return this.#refuse(resume, gap)
    const after = wanted === undefined ? history.last : (readPosition(wanted)?.number ?? history.last)
    resume.begin(after + 1)
    if (after === history.last) return this.#finish(resume)
    this.#note(resume)
    this.#ready.push(resume)
    this.#schedule()
  }

  /** Who was subscribed all the time is sent what there is. */
  #refuse(resume: Resume, gap: Gap): void {
    if (resume.returning.isLate === true) {
      resume.begin(resume.history.first)
      this.#note(resume)
      this.#ready.push(resume)
      return this.#schedule()
    }
    this.#join(resume)
    resume.refuse(gap)
  }

  /** What a subscriber publishes to all others is not for itself, now or later. */
  exclude(subscriber: Subscriber, topic: string, number: number): void {
    this.#of.get(subscriber)?.get(topic)?.exclude(number)
  }

  /** Whether there was one to cancel. */
  cancel(subscriber: Subscriber, topic: string): boolean {
    const resume = this.#of.get(subscriber)?.get(topic)
    if (resume === undefined) return false
    this.#forget(resume)
    resume.cancel()
    return true
  }

  /** The subscriber is gone. Returns how many there were. */
  leave(subscriber: Subscriber): number {
    const own = this.#of.get(subscriber)
    if (own === undefined) return 0
    this.#of.delete(subscriber)
    for (const [name, resume] of own) {
      this.#live.table.leavePlace(name)
      resume.cancel()
    }
    return own.size
  }

  #gapOf(history: TopicHistory, after: string | undefined): Gap | undefined {
    if (after === undefined) return undefined
    const position = readPosition(after)
    if (position === undefined) return { reason: 'position', missed: undefined }
    if (position.epoch !== this.#histories.epoch) return { reason: 'epoch', missed: undefined }
    if (position.number > history.last) return { reason: 'position', missed: undefined }
    if (position.number <= history.severed) return { reason: 'broker', missed: undefined }
    const missed = history.last - position.number
    return position.number < history.first - 1 ? { reason: 'forgotten', missed } : undefined
  }

  #note(resume: Resume): void {
    const { name } = resume.history.idle
    const own = this.#of.get(resume.subscriber) ?? new Map<string, Resume>()
    if (own.size === 0) this.#of.set(resume.subscriber, own)
    if (!own.has(name)) this.#live.table.keepPlace(name)
    own.set(name, resume)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      runOutside(() => this.#run())
    })
  }

  #run(): void {
    this.#turn.begin()
    try {
      const until = performance.now() + SHARE
      for (let pieces = 0; pieces < MOST_PIECES && (pieces === 0 || performance.now() < until); pieces++) {
        const resume = this.#ready.shift()
        if (resume === undefined) return
        if (this.#isWanted(resume)) this.#turn.undisturbed(() => this.#advance(resume))
      }
      this.#schedule()
    } finally {
      this.#turn.end()
    }
  }

  #advance(resume: Resume): void {
    this.#live.catchUp(resume.subscriber)
    const progress = resume.step()
    if (progress === 'done') {
      this.#forget(resume)
      // What was here may have been given up for a hole: whoever has kept it is asked again.
      if (resume.isLost && this.#histories.knows(resume.history)) this.#recall(resume)
      else this.#finish(resume)
    } else if (progress === 'more') this.#ready.push(resume)
    else if (progress === 'gone')
      resume.cancel() // the end of the connection forgets it
    else {
      this.#full.push(resume)
      this.#timer ??= setTimeout(() => this.#lookAgain(), PAUSE).unref()
    }
  }

  #lookAgain(): void {
    this.#timer = undefined
    for (const resume of this.#full.splice(0)) this.#ready.push(resume)
    this.#schedule()
  }

  #finish(resume: Resume): void {
    this.#join(resume)
    resume.finish()
  }

  #join({ subscriber, history }: Resume): void {
    this.#histories.revive(history)
    this.#live.join(subscriber, history.idle.name)
  }

  /** Whether it has not been cancelled. */
  #isWanted(resume: Resume): boolean {
    return this.#of.get(resume.subscriber)?.get(resume.history.idle.name) === resume
  }

  #forget(resume: Resume): void {
    const own = this.#of.get(resume.subscriber)
    if (own?.delete(resume.history.idle.name) === true) this.#live.table.leavePlace(resume.history.idle.name)
    if (own?.size === 0) this.#of.delete(resume.subscriber)
  }
}

/** One that was subscribed all the time: its output policy applies to what it is sent, as to all publications. */
function live(after: string): Returning {
  return { after, isOpen: true, isLate: true, room: () => ({ bytes: Number.POSITIVE_INFINITY, empty: true }) }
}
