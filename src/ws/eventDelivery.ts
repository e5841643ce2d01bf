// Tells a WebSocket's listeners what has come. What a listener throws is an uncaught exception, as with ws: it breaks off
// nothing of the core's, and nothing more is delivered before it has been seen.
import type { Region } from '../codec/codec.js'
import { isText } from '../codec/frames.js'
import type { Pressure } from '../connection/pressure.js'
import { Reason } from '../connection/reason.js'
import type { Deliverer } from '../connection/receiving/sink.js'
import { runOutside } from '../internals/context.js'
import { binary, copied } from './data.js'
import { throwLater } from './errors.js'
import type { SocketOwner } from './socketOwner.js'

export class EventDelivery implements Deliverer {
  readonly #owner: SocketOwner
  readonly #pressure: Pressure
  /** Whether several events may be told in one turn of the event loop. */
  readonly #synchronous: boolean

  constructor(owner: SocketOwner, pressure: Pressure, synchronous: boolean) {
    this.#owner = owner
    this.#pressure = pressure
    this.#synchronous = synchronous
  }

  take(info: number, pointer: number, length: number, region: Region | undefined): void {
    try {
      if (isText(info)) this.#owner.emit('message', copied(pointer, length, region), false)
      else this.#owner.emit('message', binary(this.#owner.binaryType, pointer, length, region), true)
    } catch (error) {
      this.fault(error)
    }
    if (!this.#synchronous) this.#yield()
  }

  // No message is handed out in parts.
  streamBegins(): void {}
  streamPart(): void {}

  /** A control frame has come. */
  tellControl(event: string, data: Uint8Array): void {
    this.tell(event, data)
    if (!this.#synchronous) this.#yield()
  }

  tell(event: string, ...values: unknown[]): void {
    try {
      this.#owner.emit(event, ...values)
    } catch (error) {
      this.fault(error)
    }
  }

  /** The same in the next tick, as ws does where a stream of Node's tells it of an error. */
  tellLater(event: string, ...values: unknown[]): void {
    process.nextTick(() => this.tell(event, ...values))
  }

  fault(error: unknown): void {
    throwLater(error)
    this.#yield()
  }

  /** Nothing more is delivered in this turn of the event loop. */
  #yield(): void {
    if (this.#pressure.done) return
    this.#pressure.pause(Reason.handlers)
    setImmediate(() => runOutside(() => this.#pressure.resumeNow(Reason.handlers)))
  }
}
