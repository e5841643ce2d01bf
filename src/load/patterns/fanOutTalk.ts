// One connection sends to a topic, and all others receive: each delivery is taken to account for each receiver, and its latency is
// told by the stamp in the message.
import { randomInt } from 'node:crypto'
import { callerError } from '../../checks/errors.js'
import type { ClientSocket } from '../dial.js'
import { disorderIn, problemOf, unanswered } from '../disorder.js'
import { LoadConnection, type LoadShared } from '../loadConnection.js'
import type { LoadOptions } from '../options.js'
import type { Disorder } from '../sequence.js'
import { hasRoom, SequenceMaterial } from '../sequenceMaterial.js'
import { type Recipient, SHOWN, StampedLine } from '../stampedLine.js'
import { record } from '../strategies.js'
import type { Scheduled, Talk } from '../talk.js'
import { Publisher } from './publisher.js'

export class FanOutTalk implements Talk {
  readonly extra = 1
  readonly material
  readonly #shared: LoadShared
  readonly #sequences: SequenceMaterial
  readonly #topic: string
  readonly #connections: number
  /** Which messages are this load's: others may send to the topic, too. */
  readonly #id = randomInt(2 ** 31)
  readonly #receivers: LoadConnection[] = []
  #publisher: Publisher | undefined
  #others = 0

  constructor(shared: LoadShared, { kind, size, rate, pipeline, connections }: LoadOptions, topic: string) {
    if (kind === 'deflate')
      throw callerError('ERR_OPTION_CONFLICT', 'a fan-out stamps its messages, so they are not compressed')
    if (!hasRoom(kind, size, true)) throw callerError('ERR_OPTION_RANGE', `${size} bytes have no room for a stamp`)
    this.#shared = shared
    this.#topic = topic
    this.#connections = connections
    this.#sequences = new SequenceMaterial(shared.heap, kind, size, rate > 0 ? 1 : pipeline, false, true)
    this.material = { batch: this.#sequences.batch }
  }

  addressOf(url: URL): URL {
    return topicAddress(url, this.#topic)
  }

  joined(dialled: ClientSocket, number: number): LoadConnection {
    if (number === this.#connections) return this.#sender(dialled)
    const line = new StampedLine(this.#sequences, this.#id, this.#recipient)
    const receiver = new LoadConnection(this.#shared, dialled, SHOWN, number, line)
    this.#receivers.push(receiver)
    return receiver
  }

  begin(): void {
    this.#receive()
    this.#publisher?.start()
  }

  schedules(most: number): readonly Scheduled[] {
    this.#receive()
    const publisher = this.#publisher
    if (publisher === undefined) return []
    publisher.most = most
    return [publisher]
  }

  get outstanding(): number {
    return unanswered(this.#receivers)
  }

  disorder(over: boolean): Disorder {
    return disorderIn(this.#receivers, over)
  }

  problemOf(disorder: Disorder): string | undefined {
    const problem = problemOf(disorder, 'deliveries')
    if (problem === undefined) return undefined
    return `${problem}, at ${this.#wrong()} of ${this.#receivers.length} receivers`
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
    const line = new StampedLine(this.#sequences, this.#id, { delivered() {}, strange() {} })
    const connection = new LoadConnection(this.#shared, dialled, SHOWN, this.#connections, line)
    this.#publisher = new Publisher(this.#shared, connection, line, this.#receivers)
    return connection
  }

  #receive(): void {
    const arrived = (messages: number): void => this.#publisher?.arrived(messages)
    for (const receiver of this.#receivers) receiver.begin({ answered: arrived, passed: arrived, writable() {} })
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

  /** Receivers that have not got each message once and in order. */
  #wrong(): number {
    return this.#receivers.filter((receiver) => problemOf(disorderIn([receiver], true)) !== undefined).length
  }
}

/** The address of a topic: in place of `{topic}`, or else of the target if the address has no path. */
export function topicAddress(url: URL, topic: string): URL {
  const name = encodeURIComponent(topic)
  const href = url.href.replace(/\{topic\}|%7Btopic%7D/gi, name)
  if (href !== url.href) return new URL(href)
  return url.pathname === '/' && url.search === '' ? new URL(`/topics/${name}`, url) : url
}
