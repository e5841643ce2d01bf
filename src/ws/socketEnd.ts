// How one WebSocket ends: says Close with a payload of its own, closes the halves of the transport as the lifecycle asks
// for it, and limits the time that this may take. It is made when something of the end is to be done.
import type { Buffer } from 'node:buffer'
import { OPCODE_CLOSE } from '../codec/frames.js'
import { runOutside } from '../internals/context.js'
import { CloseCode } from '../protocol/closeCode.js'
import { Action, type Lifecycle } from '../protocol/lifecycle.js'
import type { Transport } from '../transport/transport.js'
import { EMPTY } from './data.js'
import type { FrameSender } from './frameSender.js'

/** The peer that ends. */
export interface Ending {
  readonly lifecycle: Lifecycle
  readonly transport: Transport
  readonly frames: FrameSender
  /** Milliseconds that the closing handshake may take. */
  readonly closeTimeout: number | undefined
  /** Nothing more is delivered. */
  deliveryEnds(): void
  /** All has been written, Close too. */
  allWritten(): void
  /** Has the WebSocket's own `close` called, which calls that of this room, or not. */
  closes(values: readonly [code?: number, reason?: Buffer]): void
}

type Asked = (lifecycle: Lifecycle) => number

const NO_STATUS = { code: CloseCode.none, reason: '' }

export class SocketEnd {
  /** What the peer's Close frame has said. */
  code: number = CloseCode.abnormal
  reason: Buffer = EMPTY
  /** Whether this side has said Close, and whether it has failed the connection. */
  saidClose = false
  failed = false
  /** Whether this side's Close frame has left. */
  closeLeft = false
  /** Why the transport has failed, if it has. */
  cause: Error | undefined
  /** Whether a write has failed, and whether the peer has closed its half. */
  writeFailed = false
  peerEnded = false
  /** Ends the connection when the closing handshake takes too long. */
  timer: NodeJS.Timeout | undefined
  readonly #peer: Ending
  /** The payload of this side's Close frame. */
  #farewell: Uint8Array = EMPTY
  /** What the lifecycle is asked when this side closes next: it answers a Close or a mistake, perhaps. */
  #asks: Asked = (lifecycle) => lifecycle.sendClose(NO_STATUS)
  #allWritten = false
  /** Who waits until nothing is left to be written. */
  readonly #waiting: (() => void)[] = []

  constructor(peer: Ending) {
    this.#peer = peer
  }

  /** Starts the closing handshake with the payload of a Close frame. */
  close(payload: Uint8Array): void {
    this.#farewell = payload
    this.perform(this.#asks(this.#peer.lifecycle))
  }

  /** The peer has said Close: what it has said goes back to it. */
  received(code: number, reason: Buffer): void {
    this.code = code
    this.reason = reason
    this.#answer((lifecycle) => lifecycle.receiveClose(NO_STATUS), code === CloseCode.none ? [] : [code, reason])
  }

  /** Fails the connection with this close code. */
  fail(code: number): void {
    this.failed = true
    this.#answer((lifecycle) => lifecycle.fail(NO_STATUS), [code])
  }

  #answer(asks: Asked, values: readonly [code?: number, reason?: Buffer]): void {
    const { lifecycle } = this.#peer
    this.#asks = asks
    this.#peer.closes(values)
    if (!lifecycle.isOpen) return this.perform(asks(lifecycle)) // this side had said Close before
    lifecycle.stopDelivery() // the program has not closed it yet
    this.#peer.deliveryEnds()
  }

  /** Whether neither a Close, nor a mistake, nor its end has told that the peer is about to go. */
  get isSudden(): boolean {
    return this.code === CloseCode.abnormal && !this.failed && !this.peerEnded
  }

  /** Does what the lifecycle has answered to an event. */
  perform(actions: number): void {
    if (actions === Action.none) return
    const { frames, transport } = this.#peer
    if ((actions & Action.sayClose) !== 0) this.#sayClose()
    if ((actions & Action.limitTime) !== 0) this.#limitTime()
    if ((actions & Action.stopDelivery) !== 0) this.#peer.deliveryEnds()
    if ((actions & Action.flush) !== 0) frames.outgoing.touch()
    if ((actions & Action.halfClose) !== 0) transport.end()
    if ((actions & Action.destroy) !== 0) {
      frames.giveUp()
      transport.close()
    }
    if ((actions & Action.finish) !== 0) transport.endBoth()
    if ((actions & (Action.halfClose | Action.finish)) === 0) return
    if (!this.#allWritten) this.#peer.allWritten()
    this.#written()
  }

  /** Calls `call` when all has been written, Close too: at once, if it has been; and never, if the transport is gone before. */
  whenWritten(call: () => void): void {
    if (this.#allWritten) call()
    else this.#waiting.push(call)
  }

  /** The transport is gone. */
  over(): void {
    clearTimeout(this.timer)
    this.#waiting.length = 0
  }

  #written(): void {
    this.#allWritten = true
    for (const call of this.#waiting.splice(0)) process.nextTick(call)
  }

  #sayClose(): void {
    this.saidClose = true
    this.#peer.frames.control(OPCODE_CLOSE, this.#farewell, (error) => {
      this.closeLeft = error === null
    })
  }

  #limitTime(): void {
    const { lifecycle, closeTimeout } = this.#peer
    this.timer ??= runOutside(() => setTimeout(() => this.perform(lifecycle.terminate()), closeTimeout))
  }
}
