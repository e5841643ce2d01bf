// The pings of one connection that wait for their pongs.
import { Buffer } from 'node:buffer'
import { callerError } from '../checks/errors.js'
import { LONGEST_7_BIT, OPCODE_PING } from '../codec/frames.js'
import { Account, OBJECTS } from '../memory/account.js'
import type { Budget, Holder } from '../memory/budget.js'
import { ConnectionEnded, ignorable } from './ended.js'
import { bytesOf } from './sending/encoder.js'

interface Ping {
  readonly payload: Buffer
  readonly at: number
  readonly resolve: (roundTrip: number) => void
  readonly reject: (error: Error) => void
}

/** Pings without a payload of the application's carry this number, so that they can be told apart. */
let counter = 0

/** The payload of a ping. Throws a RangeError for more than 125 bytes (section 5.5). */
export function pingPayload(data: string | ArrayBufferView | ArrayBuffer | undefined): Uint8Array {
  if (data === undefined) {
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(counter++ % 2 ** 32)
    return payload
  }
  const bytes = typeof data === 'string' ? Buffer.from(data) : bytesOf(data)
  if (bytes.length > LONGEST_7_BIT)
    throw callerError('ERR_PING_TOO_LONG', `a ping may have up to 125 bytes, not ${bytes.length}`)
  return bytes
}

/** Pings that may wait for their pongs at once: a peer that answers none must not make more of them pile up. */
const MOST_WAITING = 64

/** The sender of the connection's control frames. */
export interface ControlSender {
  control(opcode: number, payload: Uint8Array): void
}

export class Pings {
  readonly #waiting: Ping[] = []
  readonly #account: Account

  constructor(budget: Budget, holder: Holder) {
    this.#account = new Account(budget, holder)
  }

  /** Sends a ping with this payload; resolves with its round trip in milliseconds. */
  send(payload: Uint8Array, sender: ControlSender): Promise<number> {
    const roundTrip = this.#sent(payload)
    sender.control(OPCODE_PING, payload)
    return roundTrip
  }

  #sent(payload: Uint8Array): Promise<number> {
    if (this.#waiting.length >= MOST_WAITING)
      this.#giveUp(1, callerError('ERR_PINGS_UNANSWERED', 'too many later pings wait for their pongs'))
    if (!this.#account.keep(OBJECTS))
      return ignorable(Promise.reject(callerError('ERR_OUT_OF_MEMORY', 'no memory is left for the ping')))
    const roundTrip = new Promise<number>((resolve, reject) => {
      this.#waiting.push({ payload: Buffer.from(payload), at: performance.now(), resolve, reject })
    })
    return ignorable(roundTrip) // a caller who does not wait for the pong need not hear that it never came
  }

  /** Section 5.5.3: a pong may answer only the latest of several pings, so it settles those before, too. */
  answered(payload: Uint8Array): void {
    const last = this.#waiting.findLastIndex((ping) => ping.payload.equals(payload))
    const now = performance.now()
    for (const { at, resolve } of this.#take(last + 1)) resolve(now - at)
  }

  /** The connection has ended. */
  close(): void {
    this.#giveUp(this.#waiting.length, new ConnectionEnded('the pong came'))
  }

  #giveUp(count: number, error: Error): void {
    for (const { reject } of this.#take(count)) reject(error)
  }

  /** Takes the pings that have waited longest. */
  #take(count: number): Ping[] {
    if (count > 0) this.#account.release(count * OBJECTS)
    return this.#waiting.splice(0, count)
  }
}

/** The result of a ping on a connection that has ended. */
export function refusedPing(): Promise<number> {
  return ignorable(Promise.reject(new ConnectionEnded('the pong came')))
}
