// Takes what a broker receives, for tests to look at.
import type { Broker } from '../../src/topics/broker.js'

export interface Received {
  readonly topic: string
  readonly payload: Buffer
  readonly isText: boolean
}

export class Receiver {
  readonly received: Received[] = []
  /** How much had been received when the broker said that others' publications may be missing. */
  readonly interruptions: number[] = []

  constructor(broker: Broker) {
    broker.attach(
      (topic, payload, isText) => {
        this.received.push({ topic, payload: Buffer.from(payload), isText })
      },
      () => void this.interruptions.push(this.received.length),
    )
  }

  get count(): number {
    return this.received.length
  }

  /** Payloads as text, of one topic or of all. */
  texts(topic?: string): string[] {
    return this.received.filter((one) => topic === undefined || one.topic === topic).map((one) => `${one.payload}`)
  }
}
