// When a broker tries again what has failed: soon at first, and later with each failure in a row.

/** Milliseconds before the first attempt; doubled with each failure. */
const FIRST = 50
const LONGEST = 2000

/** Milliseconds to wait after so many failures before the last one. */
export function delayAfter(failures: number): number {
  return Math.min(FIRST * 2 ** failures, LONGEST)
}

/** The attempts to connect. */
export class Retry {
  #failures = 0
  #timer: NodeJS.Timeout | undefined

  /** One attempt has failed, or what it made is lost: calls `attempt` in a while. */
  failed(attempt: () => void): void {
    const delay = delayAfter(this.#failures++)
    // Processes that lost the broker at the same moment must not all come back at the same moment.
    this.#timer = setTimeout(attempt, delay * (0.5 + Math.random() / 2)).unref()
  }

  succeeded(): void {
    this.#failures = 0
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
