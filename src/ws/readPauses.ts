// Pauses of one WebSocket that its application asks for. What has been read is still told, as ws does: reading stops behind
// it. Whoever has `_socket` may pause that instead.
import type { Duplex } from 'node:stream'
import type { Pressure } from '../connection/pressure.js'
import { Reason } from '../connection/reason.js'
import { runOutside } from '../internals/context.js'
import { followPauses, type Reader } from './socketEvents.js'

/** The peer whose reading is paused. */
export interface Reads {
  readonly socket: Duplex
  /** Whether what was read is being told, or goes on being told without anybody's doing. */
  readonly tells: boolean
}

export class ReadPauses implements Reader {
  readonly #peer: Reads
  readonly #pressure: Pressure
  #asked = false
  #exposed = false

  constructor(peer: Reads, pressure: Pressure) {
    this.#peer = peer
    this.#pressure = pressure
  }

  pause(): void {
    const { socket } = this.#peer
    this.#asked = true
    this.settle()
    if (this.#exposed && !socket.isPaused()) socket.pause()
  }

  resume(): void {
    const { socket } = this.#peer
    this.#asked = false
    process.nextTick(goOn, this) // as a stream of Node's does
    if (this.#exposed && socket.isPaused()) socket.resume()
  }

  /** Reading goes on, unless it was paused again. */
  goOn(): void {
    if (!this.#asked) this.#pressure.resumeNow(Reason.application)
  }

  /** What was read has been told, perhaps: then reading stops, if that was asked for. */
  settle(): void {
    if (this.#asked && !this.#peer.tells) this.#pressure.pause(Reason.application)
  }

  /** Somebody has a look at a socket that bytes pass by: from now on, to pause it has its effect. */
  expose(): void {
    if (this.#exposed) return
    const { socket } = this.#peer
    this.#exposed = true
    if (this.#asked) socket.pause()
    followPauses(socket, this)
  }
}

function goOn(pauses: ReadPauses): void {
  runOutside(() => pauses.goOn())
}
