// Whether anything is read from one peer, and why not. Whoever must not be sent more by the peer for now says so here,
// and takes it back here: the output, the memory, the handlers, the application.
import { runOutside } from '../internals/context.js'
import type { Lifecycle } from '../protocol/lifecycle.js'
import type { Transport } from '../transport/transport.js'
import { Reason } from './reason.js'
import type { Slices } from './slices.js'
import { traceReading, tracing } from './trace.js'
import type { Vitals } from './vitals.js'

/** The one that hears of it. */
export interface PressureListener {
  /** Reading has stopped, or has a reason more to be stopped. */
  readingStopped(): void
  /** No reason is left: what is parked must be handed out before anything is read, which may stop it again. */
  deliverParked(): void
  /** Reading goes on. */
  readingStarted(): void
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

  /** Whether what has been read may be delivered now. */
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
    if (this.#reasons === 0) this.#transport.pause()
    this.#reasons |= reason
    this.#vitals.noteReasons(this.#reasons)
    if (tracing) traceReading(this.#listener, this.#reasons)
    this.#listener.readingStopped()
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

  /** The same, and goes on at once: this is a turn of its own already. */
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

  /** Whether that was the last reason. */
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
    // Also where that was the last: the peer's end must be seen.
    if (this.#lifecycle.delivers) this.#listener.readingStarted()
    this.#transport.resume()
  }
}
