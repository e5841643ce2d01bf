// The primary's own side of the embedded broker: it has no subscribers, but may publish.
import type { BrokerStatistics } from '../topics/broker.js'
import type { HistoryLimits } from '../topics/options.js'
import type { OrderingBroker } from '../topics/ordering.js'
import type { Hub } from './hub.js'
import { Ledger, lengthOf } from './ledger.js'

export class HubBroker implements OrderingBroker {
  readonly #hub: Hub
  readonly #ledger = new Ledger()
  #closing: Promise<void> | undefined

  constructor(hub: Hub) {
    this.#hub = hub
  }

  get statistics(): BrokerStatistics {
    return this.#ledger.statistics(this.#closing === undefined)
  }

  attach(): void {}

  subscribe(): void {}

  unsubscribe(): void {}

  order(): void {}

  keep(topic: string, limits: HistoryLimits): void {
    this.#hub.keep(topic, limits)
  }

  /** Nobody here has missed anything. */
  recall(): false {
    return false
  }

  missing(): void {}

  publish(topic: string, payload: Uint8Array, isText: boolean): void {
    this.publishOrdered(topic, payload, isText)
  }

  /** What is published here does not come back. */
  publishOrdered(topic: string, payload: Uint8Array, isText: boolean): number | undefined {
    const numbered = this.#ledger.next(topic, payload)
    if (numbered === undefined) return undefined
    if (this.#closing !== undefined) {
      this.#ledger.dropped++
      return undefined
    }
    const record = Buffer.allocUnsafeSlow(lengthOf(numbered, payload))
    this.#ledger.write(record, numbered, payload, isText)
    this.#hub.publish(record)
    return numbered.number
  }

  close(): Promise<void> {
    this.#closing ??= this.#hub.close()
    return this.#closing
  }
}
