// How often each path of a target has been connected to, in this process.

export class Visits {
  readonly #counts = new Map<string, number>()

  /** A connection has opened on this path. */
  count(path: string): void {
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1)
  }

  /** The connections that have opened, by path. */
  get byPath(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
