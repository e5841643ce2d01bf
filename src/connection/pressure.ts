// Whether anything is read from one peer, and why not. The output, the memory, the handlers and the application each give
// their reason to stop here, and take it back here.
import { runOutside } from '../internals/context.js'
import type { Lifecycle } from '../protocol/lifecycle.js'
import type { Transport } from '../transport/transport.js'
import { Reason } from './reason.js'
import type { Slices } from './slices.js'
import { traceReading, tracing } from './trace.js'
import type { Vitals } from './vitals.js'

/** The connection, which is told when reading stops and when it goes on. */
export interface PressureListener {
  /** Reading goes on, or has stopped, or has a reason more to be stopped. */
  reading(goesOn: boolean): void
  /** No reason is left: parked frames must be delivered before anything is read. That may stop reading again. */
  deliverParked(): void
}

export class Pressure {
  readonly #transport: Transport
  readonly #lifecycle: Lifecycle
  readonly #vitals: Vitals
  readonly #listener: PressureListener
  #reasons = 0
  #resuming = false

  constructor(transport: Transport, lifecycle: Lifecycle, vitals: Vitals, listener: PressureListener) {
    this.#transport = transport
    this.#lifecycle = lifecycle
    this.#vitals = vitals
    this.#listener = listener
  }

  /** Whether messages that have been read may be delivered now. */
  get accepts(): boolean {
    return this.#reasons === 0 && this.#lifecycle.delivers
  }

  /** Nothing will ever be delivered again: what still comes is thrown away. */
  get done(): boolean {
    return !this.#lifecycle.delivers
  }

  /** Whether there is any reason not to read. */
  get stopped(): boolean {
    return this.#reasons !== 0
  }

  /** Stops reading, for one reason or one reason more. */
  pause(reason: number): void {
    if (!this.#lifecycle.delivers) return
    if (this.#reasons === 0) this.#transport.pause(reason === Reason.inflating)
    this.#reasons |= reason
    this.#vitals.noteReasons(this.#reasons)
    if (tracing) traceReading(this.#listener, this.#reasons)
    this.#listener.reading(false)
  }

  /** What one peer may cause at a time is done: nothing more is read until the others have had their turn. */
  yield(slices: Slices): void {
    if (this.#reasons !== 0) return
    this.pause(Reason.slice)
    slices.later(() => this.resumeNow(Reason.slice))
  }

  /** Takes back a reason to pause. Reading goes on in a turn of its own: this may be called from anywhere. */
  resume(reason: number): void {
    if (!this.#takeBack(reason) || this.#resuming) return
    this.#resuming = true
    setImmediate(() => runOutside(() => this.#goOn()))
  }

  /** Takes back a reason, and goes on reading at once: the caller already runs in a turn of its own. */
  resumeNow(reason: number): void {
    if (this.#takeBack(reason) && !this.#resuming) this.#goOn()
  }

  /** Reads on whatever the reasons were: nothing will be delivered any more, but the peer's end must be seen. */
  drain(): void {
    if (this.#reasons === 0) return
    this.#reasons = 0
    if (tracing) traceReading(this.#listener, this.#reasons)
    this.#transport.resume()
  }

  /** Takes back a reason; returns whether it was the last one. */
  #takeBack(reason: number): boolean {
    if ((this.#reasons & reason) === 0) return false
    this.#reasons &= ~reason
    this.#vitals.noteReasons(this.#reasons)
    if (tracing) traceReading(this.#listener, this.#reasons)
    return this.#reasons === 0
  }

  #goOn(): void {
    this.#resuming = false
    if (this.#reasons !== 0) return
    if (!this.#lifecycle.delivers) return this.#transport.resume() // to see the peer's end
    this.#listener.deliverParked()
    if (this.#reasons !== 0) return
    // Reading goes on even if that was the last delivery: the peer's end must be seen.
    if (this.#lifecycle.delivers) this.#listener.reading(true)
    this.#transport.resume()
  }
}
