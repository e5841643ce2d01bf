// Draining an acceptor: it accepts nothing more, serves for a while what it has, closes that little by little, and ends.
import type { Server } from '../server/server.js'
import type { Drain } from './orders.js'

/** Time between two portions of closes, in milliseconds. */
const STEP = 20

export class Drainage {
  readonly #server: Server
  readonly #end: (code: number, reason: string) => void
  #timer: NodeJS.Timeout | undefined

  /** `end` is called when the connections were closed, or have left: it closes what has come since. */
  constructor(server: Server, end: (code: number, reason: string) => void) {
    this.#server = server
    this.#end = end
  }

  /** A later order takes the place of an earlier one. */
  obey(order: Drain): void {
    clearTimeout(this.#timer)
    this.#server.stopListening()
    this.#timer = setTimeout(() => this.#close(order), order.after)
  }

  #close({ over, code, reason }: Drain): void {
    const connections = [...this.#server.connections]
    const began = performance.now()
    let closed = 0
    const step = (): void => {
      const share = over === 0 ? 1 : Math.min(1, (performance.now() - began) / over)
      for (const due = connections.length * share; closed < due; closed++) connections[closed]?.close(code, reason)
      if (closed < connections.length && this.#server.connections.size > 0) this.#timer = setTimeout(step, STEP)
      else this.#end(code, reason)
    }
    step()
  }
}
