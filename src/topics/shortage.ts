// Publications that find no memory, which come in floods: one warning stands for those of some time.
import type { OutOfMemory } from '../codec/codec.js'

/** Milliseconds. */
const WARNING_INTERVAL = 1000

export class Shortage {
  #warned = Number.NEGATIVE_INFINITY

  warn({ message }: OutOfMemory): void {
    const now = performance.now()
    if (now - this.#warned < WARNING_INTERVAL) return
    this.#warned = now
    process.emitWarning(`publications could not be delivered (${message})`, 'MillraceWarning')
  }
}
