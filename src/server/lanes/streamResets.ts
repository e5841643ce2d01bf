// How often a client of HTTP/2 may reset streams that it has just opened (CVE-2023-44487): each costs a decision, and counts
// no longer as open. nghttp2 has such a limit, too, but the session that it gives up stays where it is.

/** Resets at once, and per second from then on. */
const MOST = 500
const PER_SECOND = 30

export class StreamResets {
  #left = MOST
  #at = performance.now()

  /** One more; whether they are too many. */
  exceeded(): boolean {
    const now = performance.now()
    this.#left = Math.min(this.#left + ((now - this.#at) / 1000) * PER_SECOND, MOST) - 1
    this.#at = now
    return this.#left < 0
  }
}
