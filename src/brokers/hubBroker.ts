// The primary's own side of the embedded broker: it has no subscribers, but may publish.
import type { Broker, BrokerStatistics } from '../topics/broker.js'
import type { Hub } from './hub.js'
import { Ledger, lengthOf } from './ledger.js'

export class HubBroker implements Broker {
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

  publish(topic: string, payload: Uint8Array, isText: boolean): void {
    const numbered = this.#ledger.next(topic, payload)
    if (numbered === undefined) return
    if (this.#closing !== undefined) {
      this.#ledger.dropped++
      return
    }
    const record = Buffer.allocUnsafeSlow(lengthOf(numbered, payload))
    this.#ledger.write(record, numbered, payload, isText)
    this.#hub.publish(record)
  }

  close(): Promise<void> {
    this.#closing ??= this.#hub.close()
    return this.#closing
  }
}
