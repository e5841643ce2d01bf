// One connection that sends a message, waits for its answer, and closes.
import type { ClientSocket } from '../dial.js'
import { LoadConnection, type LoadShared } from '../loadConnection.js'
import { ANY } from '../payload.js'
import type { SequenceMaterial } from '../sequenceMaterial.js'
import { SHOWN, StampedLine } from '../stampedLine.js'

/** So long may the answer take, in milliseconds. */
const TIMEOUT = 10_000

/** What exchanges share. */
type Shared = Pick<LoadShared, 'heap' | 'batch' | 'deflate'> & { readonly options: { readonly verify: boolean } }

export class Exchange implements LoadShared {
  readonly heap: LoadShared['heap']
  readonly batch: LoadShared['batch']
  readonly deflate: LoadShared['deflate']
  readonly latency = { record() {} }
  measuring = true
  messages = 0
  bytes = 0
  sent = 0
  greetings = 0
  heard = 0
  readonly #shared: Shared
  readonly #stamps: SequenceMaterial | undefined
  readonly #number: number
  #connection: LoadConnection | undefined
  #problem: string | undefined
  #settled: () => void = () => undefined

  /** With `stamps`, the answer is the message that has the stamp of this number. */
  constructor(shared: Shared, stamps: SequenceMaterial | undefined, number: number) {
    this.heap = shared.heap
    this.batch = shared.batch
    this.deflate = shared.deflate
    this.#shared = shared
    this.#stamps = stamps
    this.#number = number
  }

  /** Returns what went wrong, if anything, when the answer has come. Aborting `signal` ends it at once. */
  async run(dialled: ClientSocket, signal: AbortSignal): Promise<string | undefined> {
    const settled = new Promise<void>((resolve) => {
      this.#settled = resolve
    })
    const connection = this.#connected(dialled)
    this.#connection = connection
    const done = this.#settled
    let sent = false
    const writable = (): void => {
      if (!sent && connection.writable) connection.send()
      sent = true
    }
    connection.begin({ answered: done, passed: done, writable })
    writable()
    const timer = setTimeout(() => this.failed('no answer'), TIMEOUT)
    signal.addEventListener('abort', done, { once: true })
    await settled
    signal.removeEventListener('abort', done)
    clearTimeout(timer)
    return this.#problem
  }

  /** Closes the connection. Returns what went wrong with that, if anything, when it has ended. */
  async end(): Promise<string | undefined> {
    await this.#connection?.end()
    return this.#problem !== undefined || this.#connection?.heardClose === true ? undefined : 'Close is not answered'
  }

  failed(reason: string): void {
    this.#problem ??= reason
    this.#settled()
  }

  #connected(dialled: ClientSocket): LoadConnection {
    if (this.#stamps !== undefined) {
      const line = new StampedLine(this.#stamps, this.#number, { delivered() {}, strange() {} })
      return new LoadConnection(this, dialled, SHOWN, this.#number, line)
    }
    const anything = this.deflate === undefined && !this.#shared.options.verify
    return new LoadConnection(this, dialled, anything ? ANY : undefined, this.#number)
  }
}
