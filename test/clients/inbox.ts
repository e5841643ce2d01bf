// What a client receives, in order, to be awaited one by one: a client's events come when they like.

export class Inbox<T> {
  readonly #arrived: T[] = []
  readonly #awaiting: { resolve(item: T): void; reject(error: Error): void }[] = []
  #over: Error | undefined

  push(item: T): void {
    const next = this.#awaiting.shift()
    if (next === undefined) this.#arrived.push(item)
    else next.resolve(item)
  }

  /** Nothing more will come: whoever waits is told why. */
  end(why: string): void {
    this.#over ??= new Error(why)
    for (const { reject } of this.#awaiting.splice(0)) reject(this.#over)
  }

  /** The next item; rejects when none will come. */
  next(): Promise<T> {
    const item = this.#arrived.shift()
    if (item !== undefined) return Promise.resolve(item)
    if (this.#over !== undefined) return Promise.reject(this.#over)
    return new Promise((resolve, reject) => this.#awaiting.push({ resolve, reject }))
  }

  /** How many have come that nobody asked for. */
  get left(): number {
    return this.#arrived.length
  }
}
