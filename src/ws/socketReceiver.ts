// The Receiver of an open WebSocket, for programs that reach for it. Once there is one, what has come goes by way of it: its own
// listeners, which answer pings and tell the WebSocket, are there to be removed, and others to be added.
import type { Buffer } from 'node:buffer'
import { Receiver, type ReceiverOptions } from './receiver.js'
import { longestMessage, type SocketContext } from './socketContext.js'
import type { SocketOwner } from './socketOwner.js'

/** The receiving half of a WebSocket. */
export interface Receiving {
  readonly context: SocketContext
  readonly incoming: { limit(maxMessage: number): boolean }
  readonly ending: { received(code: number, reason: Buffer): void }
  /** Answers a ping. */
  answer(data: Buffer): void
}

/** Events that are those of frames. */
const OF_FRAMES: ReadonlySet<string> = new Set(['message', 'ping', 'pong', 'conclude'])

export class SocketReceiver extends Receiver implements SocketOwner {
  readonly #owner: SocketOwner
  readonly #half: Receiving
  /** Whether a message that is longer than its limit now was under way when that was set. */
  #exceeded = false

  constructor(half: Receiving, owner: SocketOwner, extensions: ReceiverOptions['extensions']) {
    const { maxPayload, limits, mostChunks, synchronous, anyText, encoder } = half.context
    const isServer = encoder.role === 'server'
    const names = { maxBufferedChunks: mostChunks, allowSynchronousEvents: synchronous, skipUTF8Validation: anyText }
    super({ maxPayload, maxFragments: limits.maxFragments, isServer, extensions, ...names })
    this.#owner = owner
    this.#half = half
    let longest = maxPayload
    this.#live(
      '_maxPayload',
      () => longest,
      (value) => {
        longest = Number(value)
        this.#limit()
      },
    )
    this.#live(
      '_binaryType',
      () => owner.binaryType,
      (value) => Reflect.set(owner, 'binaryType', value),
    )
    this.on('message', (...values: unknown[]) => owner.emit('message', ...values))
    this.on('ping', (data: Buffer) => {
      half.answer(data)
      owner.emit('ping', data)
    })
    this.on('pong', (data: Buffer) => owner.emit('pong', data))
    this.on('conclude', (code: number, reason: Buffer) => half.ending.received(code, reason))
    this.on('error', () => undefined) // that of a WebSocket's frames is told by itself
  }

  /** Whom the receiving half tells: what is no frame's is not for the Receiver. */
  get told(): SocketOwner {
    const owner = this.#owner
    return {
      emit: (event, ...values) => {
        if (this.#exceeded && event === 'message') this.#limit()
        return OF_FRAMES.has(event) ? this.emit(event, ...values) : owner.emit(event, ...values)
      },
      get binaryType() {
        return owner.binaryType
      },
    }
  }

  #limit(): void {
    this.#exceeded = !this.#half.incoming.limit(longestMessage(this._maxPayload))
  }

  /** A field that says what is so, and has its effect when it is set. */
  #live(name: string, get: () => unknown, set: (value: unknown) => void): void {
    Object.defineProperty(this, name, { configurable: true, enumerable: true, get, set })
  }
}
