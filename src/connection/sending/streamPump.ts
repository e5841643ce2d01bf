// Sends what a source yields as one message, a fragment after the other: no faster than the peer reads, in slices between
// which the event loop has its turn, and only as long as the connection lives.

import { isThenable } from '../../checks/thenable.js'
import type { SendResult } from '../connection.js'
import { ConnectionEnded } from '../ended.js'
import { Pieces } from './streamPieces.js'
import { streamSlices } from './streamSlices.js'
import type { OpenSource } from './streamSource.js'

/** The sender of the fragments. */
export interface StreamTarget {
  /** Sends a fragment of the message; `'buffered'` asks to wait until `relieved`. */
  streamPart(piece: string | Uint8Array, last: boolean): SendResult
}

export class StreamPump {
  readonly #source: OpenSource
  readonly #target: StreamTarget
  readonly #pieces: Pieces
  #ended: ConnectionEnded | undefined
  /** Rejects what is being waited for. */
  #abandon: ((reason: Error) => void) | undefined
  #relieve: (() => void) | undefined

  constructor(source: OpenSource, binary: boolean | undefined, target: StreamTarget) {
    this.#source = source
    this.#target = target
    this.#pieces = new Pieces(binary === undefined ? undefined : !binary)
  }

  /** Resolves when the last fragment is on its way. Rejects with what the source fails with, or if the connection ends. */
  async run(): Promise<void> {
    try {
      this.#check()
      await this.#sendChunks()
      this.#source.end()
      if (this.#target.streamPart(this.#pieces.end(), true) === 'closed') this.end()
      this.#check()
    } catch (error) {
      this.#source.leave()
      throw this.#ended ?? error
    }
  }

  /** The connection has ended. Takes effect in a microtask: nothing of the application's runs in here. */
  end(): void {
    this.#ended ??= new ConnectionEnded('the stream was sent')
    this.#abandon?.(this.#ended)
  }

  /** Enough of the output has been written: the pump goes on. */
  relieved(): void {
    this.#relieve?.()
  }

  /** Awaits only what really has to be waited for: each `await` costs more than a short chunk. */
  async #sendChunks(): Promise<void> {
    for (;;) {
      const asked = this.#source.next()
      const step = isThenable(asked) ? await this.#until(asked) : asked
      this.#check()
      if (step.done === true) return
      this.#pieces.take(step.value)
      for (let piece = this.#pieces.next(); piece !== undefined; piece = this.#pieces.next()) {
        const result = this.#target.streamPart(piece, false)
        if (result === 'closed') this.end()
        this.#check()
        if (result === 'buffered') await this.#until(new Promise<void>((resolve) => (this.#relieve = resolve)))
        if (streamSlices.spent) await this.#until(streamSlices.next())
      }
    }
  }

  #check(): void {
    if (this.#ended !== undefined) throw this.#ended
  }

  /** Waits, but not for longer than the connection lives; what comes then is ignored. */
  #until<Value>(promise: PromiseLike<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#abandon = reject
      promise.then(resolve, reject)
    })
  }
}
