// How a load goes while it runs: a line that is written over on a terminal, or a line for each interval.
import type { Interval } from '../../load/timeline.js'
import { mention } from '../standardStreams.js'
import { time, whole } from './words.js'

export class Progress {
  readonly #seconds: number
  readonly #over: boolean
  readonly #unit: string
  #written = false

  /** `over` writes each line over the one before; `unit` is what the rate counts. */
  constructor(seconds: number, over: boolean, unit: string) {
    this.#unit = unit
    this.#seconds = seconds
    this.#over = over
  }

  show({ at, messagesPerSecond, p50, p99, errors }: Interval): void {
    const left = Math.max(0, Math.round(this.#seconds - at))
    const wrong = errors === 0 ? 'no errors' : `${whole(errors)} errors`
    const text = `${whole(messagesPerSecond)} ${this.#unit}/s, p50 ${time(p50)}, p99 ${time(p99)}, ${wrong}, ${left} s left`
    mention(this.#over ? `\r\u{1b}[K${text}` : `${text}\n`)
    this.#written = true
  }

  end(): void {
    if (this.#written && this.#over) mention('\r\u{1b}[K')
  }
}
