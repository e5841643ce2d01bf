// What NODE_DEBUG=millrace prints of a connection, by util.debuglog: one line for each frame header that is read or
// written, for each state that the connection comes to, and for each time that reading stops or goes on, with the reasons.
// Without it nothing here is called but `traced`, once for each connection. A connection is known here by its Peer.
import { debuglog } from 'node:util'
import { codecOfThread } from '../codec/codec.js'
import { FrameHeaders } from '../codec/frameHeaders.js'
import type { Receiver, Transport } from '../transport/transport.js'
import { Reason } from './reason.js'

const log = debuglog('millrace')

/** Whether anything is printed. Node.js is asked once, so that each check costs no more than a constant. */
export const tracing: boolean = log.enabled === true

/** How many connections have been printed: each is called by its number. */
let connections = 0

class Trace {
  readonly incoming = new FrameHeaders((header) => this.say(`in: ${header}`))
  readonly outgoing = new FrameHeaders((header) => this.say(`out: ${header}`))
  #state = ''
  #reading = ''
  readonly #number = ++connections

  state(state: string): void {
    if (state !== this.#state) this.say(state)
    this.#state = state
  }

  reading(reasons: string): void {
    if (reasons !== this.#reading) this.say(reasons === '' ? 'reading goes on' : `reading stops: ${reasons}`)
    this.#reading = reasons
  }

  say(text: string): void {
    log('connection %d %s', this.#number, text)
  }
}

const traces = new WeakMap<object, Trace>()

function traceOf(connection: object): Trace {
  const trace = traces.get(connection) ?? new Trace()
  traces.set(connection, trace)
  return trace
}

/** Returns the transport for a new connection: if anything is printed, one that prints what is written. */
export function traced(transport: Transport): Transport {
  return tracing ? new TracedTransport(transport) : transport
}

/** Bytes were read: they lie in the codec's memory, as they came. */
export function traceRead(connection: object, start: number, end: number): void {
  traceOf(connection).incoming.follow(codecOfThread().view(start, end - start))
}

/** The connection is in this state, perhaps for a long time already. */
export function traceState(connection: object, state: string): void {
  traceOf(connection).state(state)
}

/** Prints an error of which the `error` handler is told as well. */
export function traceError(connection: object, error: unknown): void {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  traceOf(connection).say(`error: ${typeof code === 'string' && /^\w+$/.test(code) ? code : 'without a code'}`)
}

/** Nothing is read for these reasons, or if there is none, the connection is read from. */
export function traceReading(connection: object, reasons: number): void {
  const named = Object.entries(Reason).filter(([, bit]) => (reasons & bit) !== 0)
  traceOf(connection).reading(named.map(([name]) => name).join(', '))
}

class TracedTransport implements Transport {
  readonly #transport: Transport
  #trace: Trace | undefined

  constructor(transport: Transport) {
    this.#transport = transport
  }

  get remoteAddress(): string | undefined {
    return this.#transport.remoteAddress
  }

  get unsent(): number {
    return this.#transport.unsent
  }

  open(receiver: Receiver): void {
    this.#trace = traceOf(receiver)
    this.#trace.state('open')
    this.#transport.open(receiver)
  }

  pause(): void {
    this.#transport.pause()
  }

  resume(): void {
    this.#transport.resume()
  }

  write(pointer: number, length: number): number {
    this.#trace?.outgoing.follow(codecOfThread().view(pointer, length))
    return this.#transport.write(pointer, length)
  }

  writeViews(views: readonly Uint8Array[]): number {
    for (const view of views) this.#trace?.outgoing.follow(view)
    return this.#transport.writeViews(views)
  }

  end(): void {
    this.#transport.end()
  }

  endBoth(): void {
    this.#transport.endBoth()
  }

  close(): void {
    this.#transport.close()
  }

  reset(): void {
    this.#transport.reset()
  }
}
