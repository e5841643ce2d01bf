// What a connection was not sent of the topics that it subscribes to, because its peer did not read what was sent before.

export class LeftOut {
  /** Publications by topic, since the connection has subscribed. */
  readonly #total = new Map<string, number>()
  /** Those of which the application has not been told. */
  #untold = new Map<string, number>()

  add(topic: string, publications: number): void {
    this.#total.set(topic, this.of(topic) + publications)
    this.#untold.set(topic, (this.#untold.get(topic) ?? 0) + publications)
  }

  of(topic: string): number {
    return this.#total.get(topic) ?? 0
  }

  /** The subscription is over. */
  forget(topic: string): void {
    this.#total.delete(topic)
    this.#untold.delete(topic)
  }

  /** What the application is to be told now, by topic. */
  take(): ReadonlyMap<string, number> {
    const untold = this.#untold
    if (untold.size > 0) this.#untold = new Map()
    return untold
  }
}
