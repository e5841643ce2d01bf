// What is sent after the program has ended the socket of a WebSocket: with ws it is written to the socket, which fails then.
import type { Duplex } from 'node:stream'
import type { SendQueue, Unsent } from './blobQueue.js'
import { byteLengthOf, EMPTY } from './data.js'

export class EndedQueue implements SendQueue {
  /** Those of what waited before, and is never sent. */
  readonly bytes: number
  readonly reads = true
  readonly doing = 0
  readonly #socket: Duplex

  constructor(socket: Duplex, bytes: number) {
    this.#socket = socket
    this.bytes = bytes
  }

  /** A frame is a header, and a payload if it has one: each is a write that fails. */
  add({ payload, callback }: Unsent): void {
    if (byteLengthOf(payload) > 0) this.#socket.write(EMPTY)
    this.#socket.write(EMPTY, callback as ((error?: Error | null) => void) | undefined)
  }

  end(): void {
    // nothing waits
  }
}
