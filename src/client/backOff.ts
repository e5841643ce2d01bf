// How long to wait before the next attempt to connect: longer each time, up to a ceiling, and never the same for two
// clients, so that a server that comes back is not met by all of them at once.
import { reconnectQuantities } from '../checks/quantities.js'

/** The option `reconnect`, in detail. Times are in milliseconds. */
export interface ReconnectOptions {
  /** The pause before the first attempt; each further one is twice as long. Default: 500. */
  readonly delay?: number
  /** The longest pause. Default: 30,000. */
  readonly maxDelay?: number
  /** How many attempts may fail in a row before the connection is given up. 0 means any number. Default: 0. */
  readonly attempts?: number
  /** Bytes of messages that are kept while there is no connection. What finds no room is dropped. Default: 1 MiB. */
  readonly buffer?: number
}

/** All of it, with no value left out. */
export function reconnectSettings(given: true | ReconnectOptions): Required<ReconnectOptions> {
  const { delay, maxDelay, attempts, buffer } = given === true ? {} : given
  return {
    delay: delay ?? reconnectQuantities.delay.byDefault,
    maxDelay: maxDelay ?? reconnectQuantities.maxDelay.byDefault,
    attempts: attempts ?? reconnectQuantities.attempts.byDefault,
    buffer: buffer ?? reconnectQuantities.buffer.byDefault,
  }
}

/** The pause before an attempt, counted from 1: by chance, from half of the time to all of it. */
export function pauseBefore(attempt: number, { delay, maxDelay }: Required<ReconnectOptions>): number {
  const most = Math.min(maxDelay, delay * 2 ** Math.min(attempt - 1, 40))
  return Math.round(most * (0.5 + Math.random() / 2))
}

/**
 * The pauses of one connection. What does not last as long as the pause before it is no success: a server that takes connections
 * and ends them at once, because it has too many, is not tried again as if nothing had been.
 */
export class BackOff {
  readonly #settings: Required<ReconnectOptions>
  #steps = 0
  #pause = 0
  #openSince = 0

  constructor(settings: Required<ReconnectOptions>) {
    this.#settings = settings
  }

  opened(): void {
    this.#openSince = performance.now()
  }

  ended(): void {
    if (performance.now() - this.#openSince >= this.#pause) this.#steps = 0
  }

  /** The pause before the next attempt, in milliseconds. */
  next(): number {
    this.#pause = pauseBefore(++this.#steps, this.#settings)
    return this.#pause
  }
}
