// The connection as its application holds it: the members of `Connection`, and nothing else. The peer is
// private to the language, so that no program can reach it, not even one without types.
import { checkOptions } from '../checks/check.js'
import { everywhere, sendOptions } from '../checks/tables.js'
import { subscribeOptions } from '../checks/topicTables.js'
import { CloseCode } from '../protocol/closeCode.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { Connection, Messages, Sendable, SendOptions, SendResult } from './connection.js'
import type { DeflateStatistics } from './deflateTally.js'
import { identityOf } from './identity.js'
import { forgetLeftOut, leftOutOf } from './leftOut.js'
import { type Pings, pingPayload, refusedPing } from './pings.js'
import type { Pressure } from './pressure.js'
import { Reason } from './reason.js'
import type { Delivery, Recipient } from './receiving/delivery.js'
import type { Resumption, SubscribeOptions } from './resumption.js'
import { deflateStatisticsOf } from './sending/deflatingSender.js'
import type { FragmentData } from './sending/sendable.js'
import type { Sender } from './sending/sender.js'
import type { SendStreamOptions, StreamSource } from './sending/streamSource.js'
import { resume, type SubscriptionsContext, subscribe, unsubscribe } from './subscriptions.js'

/** The peer, as far as the public connection uses it. */
export interface Inside<Data> extends Recipient<Data> {
  readonly request: UpgradeRequest
  readonly protocol: string
  readonly remoteAddress: string | undefined
  readonly isOpen: boolean
  readonly shared: SubscriptionsContext
  readonly sender: Sender
  readonly pressure: Pressure
  readonly delivery: Delivery<Data>
  readonly pings: Pings
  /** Without a code, the Close frame says nothing. */
  close(code: number | undefined, reason: string): void
}

let inside: (connection: PublicConnection<unknown>) => Inside<unknown>

export class PublicConnection<Data> implements Connection<Data> {
  data: Data
  readonly #inside: Inside<Data>

  static {
    inside = (connection) => connection.#inside
  }

  constructor(data: Data, inside: Inside<Data>) {
    this.data = data
    this.#inside = inside
  }

  get id(): string {
    return identityOf(this)
  }

  get request(): UpgradeRequest {
    return this.#inside.request
  }

  get protocol(): string {
    return this.#inside.protocol
  }

  get isOpen(): boolean {
    return this.#inside.isOpen
  }

  get bufferedAmount(): number {
    return this.#inside.sender.buffered
  }

  get remoteAddress(): string | undefined {
    return this.#inside.remoteAddress
  }

  get deflateStatistics(): DeflateStatistics | undefined {
    return deflateStatisticsOf(this.#inside.sender)
  }

  send(data: Sendable, options?: SendOptions): SendResult {
    if (options !== undefined) checkOptions(options, sendOptions, everywhere)
    return this.#inside.sender.send(data, options?.compress)
  }

  sendFragment(data: FragmentData, last: boolean): SendResult {
    return this.#inside.sender.sendFragment(data, last)
  }

  sendStream(source: StreamSource, options: SendStreamOptions = {}): Promise<void> {
    const inside = this.#inside
    const sent = inside.sender.sendStream(source, options)
    sent.catch((error: unknown) => {
      if (inside.isOpen) inside.handlerFailed(error)
    })
    return sent
  }

  subscribe(topic: string): void
  subscribe(topic: string, options: SubscribeOptions): Promise<Resumption>
  subscribe(topic: string, options?: SubscribeOptions): undefined | Promise<Resumption> {
    const inside = this.#inside
    if (options === undefined) {
      subscribe(inside.shared, inside.sender, inside, topic)
      return undefined
    }
    checkOptions(options, subscribeOptions, everywhere)
    return resume(inside.shared, inside.sender, inside, topic, options)
  }

  unsubscribe(topic: string): void {
    const inside = this.#inside
    unsubscribe(inside.shared, inside.sender, inside, topic)
    forgetLeftOut(inside, topic)
  }

  leftOut(topic: string): number {
    return leftOutOf(this.#inside, topic)
  }

  isSubscribed(topic: string): boolean {
    const { shared, sender } = this.#inside
    return shared.topics.isSubscribed(sender, topic)
  }

  publish(topic: string, data: Sendable): number {
    const { shared, sender } = this.#inside
    return shared.topics.publish(topic, data, sender)
  }

  ping(data?: string | ArrayBufferView | ArrayBuffer): Promise<number> {
    const payload = pingPayload(data)
    const { sender, pings } = this.#inside
    return sender.admits() ? pings.send(payload, sender) : refusedPing()
  }

  pause(): void {
    this.#inside.pressure.pause(Reason.application)
  }

  resume(): void {
    this.#inside.pressure.resume(Reason.application)
  }

  messages(): Messages {
    return this.#inside.delivery.messages()
  }

  close(code: number = CloseCode.normal, reason = ''): void {
    this.#inside.close(code, reason)
  }

  terminate(): void {
    this.#inside.terminate()
  }
}

/** Closes as pages may and programs may not: with a Close frame that says nothing. @internal */
export function closeWithoutCode(connection: Connection<unknown>): void {
  if (connection instanceof PublicConnection) inside(connection).close(undefined, '')
  else connection.close()
}
