// How many messages and bytes one connection may send per second: two buckets that hold a second's worth each.
export interface RateLimits {
  /** Messages per second; 0 is any number. */
  readonly messageRate: number
  /** Payload bytes per second; 0 is any number. */
  readonly byteRate: number
}

export class Rates {
  readonly #limits: RateLimits
  #messages: number
  #bytes: number
  #at: number

  /** Undefined where nothing is limited. */
  static of(limits: RateLimits): Rates | undefined {
    return limits.messageRate === 0 && limits.byteRate === 0 ? undefined : new Rates(limits)
  }

  constructor(limits: RateLimits) {
    this.#limits = limits
    this.#messages = limits.messageRate
    this.#bytes = limits.byteRate
    this.#at = performance.now()
  }

  /** Takes a message of `length` bytes out of the buckets; names the one that is empty. */
  exceeded(length: number): 'MESSAGE_RATE' | 'BYTE_RATE' | undefined {
    const { messageRate, byteRate } = this.#limits
    const now = performance.now()
    const seconds = (now - this.#at) / 1000
    this.#at = now
    this.#messages = Math.min(this.#messages + seconds * messageRate, messageRate) - 1
    // A message longer than a second's worth is admitted when the bucket is full, and leaves it in debt.
    const full = this.#bytes + seconds * byteRate >= byteRate
    this.#bytes = Math.min(this.#bytes + seconds * byteRate, byteRate) - length
    if (messageRate > 0 && this.#messages < 0) return 'MESSAGE_RATE'
    return byteRate > 0 && this.#bytes < 0 && !full ? 'BYTE_RATE' : undefined
  }
}
