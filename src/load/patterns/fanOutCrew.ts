// A fan-out over several processes: one of them sends, and is told by the others that all have got it; it tells them in the end how
// many messages they should have got.
import { microseconds, momentOf } from '../clock.js'
import type { LoadConnection } from '../loadConnection.js'
import type { FanOutNews, Others } from '../others.js'
import type { FanOutPart } from '../pattern.js'
import type { Missing } from '../talk.js'
import type { Publisher } from './publisher.js'

/** A receiver expects so many messages until it is told how many were sent, and so many more when half of them have come. */
const EXPECTED = 2 ** 30

type End = Extract<FanOutNews, { readonly published: number }>

export class FanOutCrew {
  readonly #others: Others
  readonly #part: FanOutPart
  readonly #receivers: readonly LoadConnection[]
  readonly #end: Promise<End>
  /** Deliveries to this process that the one that sends was not told yet. */
  #come = 0
  #over = false

  /** `arrived` is called for the deliveries of a batch to another process. */
  constructor(
    others: Others,
    part: FanOutPart,
    receivers: readonly LoadConnection[],
    arrived: (deliveries: number) => void,
  ) {
    this.#others = others
    this.#part = part
    this.#receivers = receivers
    this.#end = new Promise((resolve) => {
      others.hear((news) => ('published' in news ? resolve(news) : arrived(news.arrived)))
    })
  }

  together(): Promise<void> {
    return this.#others.together()
  }

  /** What to call for deliveries to a receiver, and for what is passed over; undefined where this process sends. */
  arrivals({ sequence }: LoadConnection, batch: number): ((messages: number) => void) | undefined {
    if (this.#part.sends) return undefined
    sequence?.add(EXPECTED)
    return (messages) => {
      if (!this.#over && (sequence?.outstanding ?? 0) < EXPECTED / 2) sequence?.add(EXPECTED)
      this.#come += messages
      const whole = batch * this.#receivers.length
      if (this.#come < whole) return
      this.#come -= whole
      this.#others.tell({ arrived: whole })
    }
  }

  /** Tells the others how many were sent. */
  tell({ total, last }: Pick<Publisher, 'total' | 'last'>): void {
    this.#others.tell({ published: total, due: last.map((moment) => microseconds(moment)) })
  }

  /**
   * Waits until it is known how many were sent, and what is missing from then on; resolves with when each message was due that had
   * not come when this was called, at most so many of them.
   */
  async missing(most: number): Promise<Missing> {
    const came = this.#receivers.map(({ sequence }) => sequence?.next ?? 0)
    const { published, due } = await this.#end
    this.#over = true
    const known = this.#receivers.map(({ sequence }) => sequence?.end(published) ?? true)
    if (known.includes(false)) return { times: [], problem: 'the server has delivered a message that was never sent' }
    const times: number[] = []
    for (const next of came) {
      const missing = Math.min((published - next) >>> 0, due.length)
      for (const stamp of due.slice(due.length - missing)) {
        if (times.length === most) return { times }
        times.push(momentOf(stamp))
      }
    }
    return { times }
  }
}
