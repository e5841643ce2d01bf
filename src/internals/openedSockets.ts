// The sockets that somebody else's code opens, where that code gives up a connection without closing it.
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Whose work is running, over all that it waits for. */
let owners: AsyncLocalStorage<OpenedSockets> | undefined

/** Node tells each socket of a client on a channel, while it is being made. */
function ownersOfSockets(): AsyncLocalStorage<OpenedSockets> {
  if (owners !== undefined) return owners
  const storage = new AsyncLocalStorage<OpenedSockets>()
  subscribe('net.client.socket', (message) => {
    storage.getStore()?.add(Object(message).socket)
  })
  owners = storage
  return storage
}

export class OpenedSockets {
  readonly #sockets = new Set<Socket>()
  #isEnded = false

  /** Runs `work`; from then on, the sockets are known that it opens, and what it has begun. */
  during<Result>(work: () => Result): Result {
    return ownersOfSockets().run(this, work)
  }

  add(socket: Socket): void {
    if (this.#isEnded) return void socket.destroy()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Closes them, and every one that is opened later. */
  destroy(): void {
    this.#isEnded = true
    for (const socket of this.#sockets) socket.destroy()
  }
}
