// One connection sends to a topic, and all others receive: each delivery is taken to account for each receiver, and its latency is
// told by the stamp in the message.
import { randomInt } from 'node:crypto'
import { callerError } from '../../checks/errors.js'
import type { ClientSocket } from '../dial.js'
import { disorderIn, problemOf, unanswered } from '../disorder.js'
import { LoadConnection, type LoadShared } from '../loadConnection.js'
import type { LoadOptions } from '../options.js'
import type { Others } from '../others.js'
import type { FanOutPart, Pattern } from '../pattern.js'
import type { Disorder } from '../sequence.js'
import { hasRoom, SequenceMaterial } from '../sequenceMaterial.js'
import { type Recipient, SHOWN, StampedLine } from '../stampedLine.js'
import { record } from '../strategies.js'
import type { Missing, Scheduled, Talk } from '../talk.js'
import { FanOutCrew } from './fanOutCrew.js'
import { CHARGED, Publisher } from './publisher.js'

type FanOut = Extract<Pattern, { readonly name: 'fanout' }>

export class FanOutTalk implements Talk {
  readonly extra: number
  readonly material
  readonly #shared: LoadShared
  readonly #sequences: SequenceMaterial
  readonly #topic: string
  readonly #options: LoadOptions
  /** Which messages are this load's: others may send to the topic, too. */
  readonly #part: FanOutPart
  /** Where other processes receive, too. */
  readonly #crew: FanOutCrew | undefined
  readonly #receivers: LoadConnection[] = []
  #publisher: Publisher | undefined
  #others = 0

  constructor(shared: LoadShared, options: LoadOptions, { topic, part = alone() }: FanOut, others?: Others) {
    const { kind, size, rate, pipeline } = options
    if (kind === 'deflate')
      throw callerError('ERR_OPTION_CONFLICT', 'a fan-out stamps its messages, so they are not compressed')
    if (!hasRoom(kind, size, true)) throw callerError('ERR_OPTION_RANGE', `${size} bytes have no room for a stamp`)
    this.#shared = shared
    this.#topic = topic
    this.#options = options
    this.#part = part
    this.extra = part.sends ? 1 : 0
    this.#sequences = new SequenceMaterial(shared.heap, kind, size, rate > 0 ? 1 : pipeline, false, true)
    this.material = { batch: this.#sequences.batch }
    this.#crew = others && new FanOutCrew(others, part, this.#receivers, (news) => this.#publisher?.arrived(news))
  }

  addressOf(url: URL): URL {
    return topicAddress(url, this.#topic)
  }

  joined(dialled: ClientSocket, number: number): LoadConnection {
    if (this.#part.sends && number === this.#options.connections) return this.#sender(dialled)
    const line = new StampedLine(this.#sequences, this.#part.stamp, this.#recipient)
    const receiver = new LoadConnection(this.#shared, dialled, SHOWN, number, line)
    this.#receivers.push(receiver)
    return receiver
  }

  /** Whoever receives must do so before anything is sent. */
  async ready(): Promise<void> {
    const batch = this.#options.rate > 0 ? Infinity : this.material.batch.messages
    for (const receiver of this.#receivers) {
      const arrived = this.#crew?.arrivals(receiver, batch) ?? ((messages) => this.#publisher?.arrived(messages))
      receiver.begin({ answered: arrived, passed: arrived, writable() {} })
    }
    await this.#crew?.together()
  }

  begin(): void {
    this.#publisher?.start()
  }

  schedules(most: number): readonly Scheduled[] {
    const publisher = this.#publisher
    if (publisher === undefined) return []
    publisher.most = most
    return [publisher]
  }

  async over(): Promise<Missing> {
    if (this.#crew !== undefined && !this.#part.sends) return this.#crew.missing(CHARGED)
    // Others wait for that, also where the load has ended before the one that sends was there.
    this.#crew?.tell(this.#publisher ?? { total: 0, last: [] })
    return { times: [] }
  }

  get outstanding(): number {
    return unanswered(this.#receivers)
  }

  disorder(over: boolean): Disorder {
    return disorderIn(this.#receivers, over)
  }

  get disorderlyReceivers(): number {
    return this.#receivers.filter((receiver) => problemOf(disorderIn([receiver], true)) !== undefined).length
  }

  get counts(): Record<'published' | 'receivers' | 'others', number> {
    const published = this.#publisher?.published ?? 0
    return { published, receivers: this.#receivers.length, others: this.#others }
  }

  free(): void {
    this.#sequences.free()
  }

  /** What comes to the sender is counted nowhere: servers may leave it out. */
  #sender(dialled: ClientSocket): LoadConnection {
    const line = new StampedLine(this.#sequences, this.#part.stamp, { delivered() {}, strange() {} })
    const connection = new LoadConnection(this.#shared, dialled, SHOWN, this.#options.connections, line)
    this.#publisher = new Publisher(this.#shared, connection, line, this.#receivers, this.#part.elsewhere)
    return connection
  }

  readonly #recipient: Recipient = {
    delivered: (milliseconds) => {
      if (!this.#shared.measuring) return
      this.#shared.messages++
      record(this.#shared.latency, milliseconds)
    },
    strange: () => {
      if (this.#shared.measuring) this.#others++
    },
  }
}

/** The part of a process that does all. */
function alone(): FanOutPart {
  return { stamp: randomInt(2 ** 31), sends: true, elsewhere: 0 }
}

/** The address of a topic: in place of `{topic}`, or else of the target if the address has no path. */
export function topicAddress(url: URL, topic: string): URL {
  const name = encodeURIComponent(topic)
  const href = url.href.replace(/\{topic\}|%7Btopic%7D/gi, name)
  if (href !== url.href) return new URL(href)
  return url.pathname === '/' && url.search === '' ? new URL(`/topics/${name}`, url) : url
}
