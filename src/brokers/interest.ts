// The topics that are subscribed here, and which of them the other side has not been told of yet. However often topics
// come and go while nothing can be sent, only the difference is told in the end.

export class Interest {
  readonly #wanted = new Set<string>()
  readonly #told = new Set<string>()
  readonly #changed = new Set<string>()

  /** Whether there is something to tell. */
  get changed(): boolean {
    return this.#changed.size > 0
  }

  add(topic: string): void {
    this.#wanted.add(topic)
    this.#changed.add(topic)
  }

  remove(topic: string): void {
    this.#wanted.delete(topic)
    this.#changed.add(topic)
  }

  /** The other side has lost what it was told: all topics must be told again. */
  reset(): void {
    this.#told.clear()
    this.#changed.clear()
    for (const topic of this.#wanted) this.#changed.add(topic)
  }

  /** The other side has given up one topic by itself: if it is wanted still, it must be told again. */
  forget(topic: string): void {
    this.#told.delete(topic)
    if (this.#wanted.has(topic)) this.#changed.add(topic)
  }

  /** Returns the changes that the other side must be told now; from then on, they count as told. */
  take(): { added: string[]; removed: string[] } {
    const changes: { added: string[]; removed: string[] } = { added: [], removed: [] }
    for (const topic of this.#changed) {
      const wanted = this.#wanted.has(topic)
      if (wanted === this.#told.has(topic)) continue
      if (wanted) this.#told.add(topic)
      else this.#told.delete(topic)
      changes[wanted ? 'added' : 'removed'].push(topic)
    }
    this.#changed.clear()
    return changes
  }
}
