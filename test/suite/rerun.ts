// Gathers changes, and reacts to them one reaction at a time: a change that comes during one ends it, and what it was
// about is reacted to again, with what is new.

/** An editor saves several files at once, or one file in several steps: milliseconds until the last of them counts. */
const QUIET = 100

export class Rerun {
  readonly #react: (changed: readonly string[], signal: AbortSignal) => Promise<void>
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #running: AbortController | undefined

  /** `react` must end soon after its signal is aborted. */
  constructor(react: (changed: readonly string[], signal: AbortSignal) => Promise<void>) {
    this.#react = react
  }

  /** A file has changed. */
  changed(path: string): void {
    this.#changed.add(path)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#begin(), QUIET)
  }

  async #begin(): Promise<void> {
    if (this.#running !== undefined) return this.#running.abort()
    const running = new AbortController()
    this.#running = running
    const changed = [...this.#changed]
    this.#changed.clear()
    await this.#react(changed, running.signal)
    this.#running = undefined
    if (!running.signal.aborted) return
    for (const path of changed) this.#changed.add(path)
    await this.#begin()
  }
}
