// One attempt to open a connection, with all its redirects: it is given up when its time is over, or when its caller aborts
// it, wherever it stands. Then nothing of it stays behind.
import type { ClientRequest } from 'node:http'
import { connectError } from './connectError.js'

export class Attempt {
  readonly #signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout | undefined
  readonly #aborted = (): void => this.#end(this.#signal?.reason)
  #request: ClientRequest | undefined
  #failed: (error: unknown) => void = () => undefined
  /** Rejects when the attempt is given up. */
  readonly givenUp: Promise<never>

  /** `timeout` is in milliseconds; 0 is for ever. Throws the signal's reason if it is aborted already. */
  constructor(address: string, timeout: number, signal: AbortSignal | undefined) {
    signal?.throwIfAborted()
    this.#signal = signal
    this.givenUp = new Promise((_, reject) => {
      this.#failed = reject
    })
    this.givenUp.catch(() => undefined) // who waits for nothing else does so by `Promise.race`
    signal?.addEventListener('abort', this.#aborted)
    const late = (): void =>
      this.#end(connectError('ERR_CONNECT_TIMEOUT', address, `gave no answer within ${timeout} ms`))
    if (timeout > 0) this.#timer = setTimeout(late, timeout)
  }

  /** The request that is under way: it ends with the attempt. */
  follow(request: ClientRequest): void {
    this.#request = request
  }

  /** The attempt has succeeded or failed. */
  finish(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#request = undefined
  }

  #end(reason: unknown): void {
    const request = this.#request
    this.finish()
    this.#failed(reason)
    request?.destroy()
  }
}
