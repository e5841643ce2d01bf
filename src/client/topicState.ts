// A topic as a client that subscribes to it knows it: where it stands, and who waits for the server's answer.
import type { Gap, GapReason, Resumption } from '../connection/resumption.js'
import { isHad } from '../topics/position.js'

/** Publications that a client has missed and is not sent. */
export interface TopicGap extends Omit<Gap, 'reason'> {
  /** The topic on which they are missing. */
  readonly topic: string
  /** Why: a `GapReason` of the server, or `'refused'` where the server does not let the client have the topic. */
  readonly reason: GapReason | 'refused'
}

/** What has become of a client's subscription: the server's answer, or that it has refused. */
export type TopicAnswer = Resumption | { readonly resumed: false; readonly gap: TopicGap; readonly position: undefined }

/** The header with which the server has answered. */
type Answer = Readonly<Record<string, unknown>>

export class TopicState {
  /** The last publication that was handed over, or where the topic stood before the first. */
  position: string | undefined
  /** The server has answered once that this is a subscription. */
  isSubscribed = false
  /** A publication has come since the last request: it is later than the position in the answer. */
  #isAhead = false
  /** The last request was for what was missed. */
  #asked = false
  #waiting: ((answer: TopicAnswer) => void)[] = []

  constructor(after: string | undefined) {
    this.position = after
  }

  /** What the server is asked. */
  request(topic: string): object {
    this.#isAhead = false
    this.#asked = this.position !== undefined
    return this.position === undefined ? { subscribe: topic } : { subscribe: topic, after: this.position }
  }

  /** Resolves with the server's answer, of whichever connection. */
  answered(): Promise<TopicAnswer> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Whether a publication at this position is a new one. */
  take(position: unknown): boolean {
    this.#isAhead = true
    if (typeof position !== 'string') return true
    if (this.position !== undefined && isHad(position, this.position)) return false
    this.position = position
    return true
  }

  /** Takes the answer; returns the gap, if there is one that is news. */
  answer(answer: Answer): Gap | undefined {
    const resumption = read(answer)
    const comesBack = this.isSubscribed || this.#asked // who has had nothing before has missed nothing
    if (!this.#isAhead) this.position = resumption.position ?? this.position
    this.isSubscribed = true
    this.end(resumption)
    return resumption.resumed || !comesBack ? undefined : resumption.gap
  }

  /** Nobody will answer any more, or has answered so. */
  end(answer: TopicAnswer): void {
    for (const resolve of this.#waiting.splice(0)) resolve(answer)
  }
}

function read({ resumed, position, gap }: Answer): Resumption {
  const at = typeof position === 'string' ? position : undefined
  if (resumed === true && at !== undefined) return { resumed, position: at }
  const { reason, missed } = (typeof gap === 'object' && gap !== null ? gap : {}) as Answer
  const count = typeof missed === 'number' ? missed : undefined
  const why = typeof reason === 'string' ? (reason as GapReason) : 'no-history'
  return { resumed: false, gap: { reason: why, missed: count }, position: at }
}
