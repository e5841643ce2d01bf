// One attempt to open a connection, with all its redirects: it is given up when its time is over, or when its caller aborts
// it, wherever it stands. Then nothing of it stays behind.
import { whenAborted } from './abortion.js'
import { connectError } from './connectError.js'

export class Attempt {
  readonly #timer: NodeJS.Timeout | undefined
  readonly #stop = new AbortController()
  #unlisten: (() => void) | undefined
  #request: { destroy(): unknown } | undefined
  #failed: (error: unknown) => void = () => undefined
  /** Rejects when the attempt is given up. */
  readonly givenUp: Promise<never>

  /** `timeout` is in milliseconds; 0 is for ever. Throws the signal's reason if it is aborted already. */
  constructor(address: string, timeout: number, signal: AbortSignal | undefined) {
    signal?.throwIfAborted()
    this.givenUp = new Promise((_, reject) => {
      this.#failed = reject
    })
    this.givenUp.catch(() => undefined) // who waits for nothing else does so by `Promise.race`
    if (signal !== undefined) this.#unlisten = whenAborted(signal, () => this.#end(signal.reason))
    const late = (): void =>
      this.#end(connectError('ERR_CONNECT_TIMEOUT', address, `gave no answer within ${timeout} ms`))
    if (timeout > 0) this.#timer = setTimeout(late, timeout)
  }

  /** Aborted when the attempt is given up, and never when it has been finished before. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** The request that is under way: it ends with the attempt. */
  follow(request: { destroy(): unknown }): void {
    this.#request = request
    if (this.signal.aborted) request.destroy() // while the request was made, by a `lookup` for example
  }

  /** The attempt has succeeded or failed: it can't be given up any more. */
  finish(): void {
    clearTimeout(this.#timer)
    this.#unlisten?.()
    this.#request = undefined
  }

  #end(reason: unknown): void {
    const request = this.#request
    this.finish()
    this.#failed(reason)
    this.#stop.abort(reason)
    request?.destroy()
  }
}
