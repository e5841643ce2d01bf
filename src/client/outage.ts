// What is sent while there is no connection: copies of messages, in order, up to a number of bytes.
import { Buffer } from 'node:buffer'
import { checkOptions } from '../checks/check.js'
import { everywhere, sendOptions } from '../checks/tables.js'
import type { Connection, Sendable, SendOptions } from '../connection/connection.js'
import { Message } from '../connection/message.js'
import { bytesOf } from '../connection/sending/encoder.js'
import { PreparedMessage, preparedInternals } from '../connection/sending/prepared.js'
import type { KeptMessages } from './options.js'

/** Bytes that a message costs besides its own. */
const OBJECTS = 128

interface KeptMessage {
  readonly data: string | Buffer
  readonly options: SendOptions | undefined
}

export class Outage {
  readonly #most: number
  #messages: KeptMessage[] = []
  #bytes = 0
  #dropped = 0

  /** Keeps at most so many bytes. */
  constructor(most: number) {
    this.#most = most
  }

  /** Payload bytes that are kept. */
  get bytes(): number {
    return this.#bytes - this.#messages.length * OBJECTS
  }

  /** Keeps a copy of a message; false where it was dropped, because there is no room. Throws as `send` does. */
  keep(data: Sendable, options: SendOptions | undefined): boolean {
    if (options !== undefined) checkOptions(options, sendOptions, everywhere)
    const copy = copyOf(data)
    const bytes = Buffer.byteLength(copy) + OBJECTS
    if (this.#bytes + bytes > this.#most) {
      this.#dropped++
      return false
    }
    this.#bytes += bytes
    this.#messages.push({ data: copy, options: options && { ...options } })
    return true
  }

  /** Sends what was kept, and says what has become of all. What the connection does not take, because it ends, stays kept. */
  end(connection: Connection<unknown>): KeptMessages {
    const results = { sent: 0, dropped: this.#dropped }
    this.#dropped = 0
    let done = 0
    for (const { data, options } of this.#messages) {
      const result = connection.send(data, options)
      if (result === 'closed') break
      results[result === 'dropped' ? 'dropped' : 'sent']++
      done++
    }
    for (const { data } of this.#messages.splice(0, done)) this.#bytes -= Buffer.byteLength(data) + OBJECTS
    return results
  }

  /** Nothing will be sent any more. */
  clear(): void {
    this.#messages = []
    this.#bytes = 0
  }
}

/** A message as text or bytes of its own, whose owner may change the original. */
function copyOf(data: Sendable): string | Buffer {
  if (typeof data === 'string') return data
  if (data instanceof Message) return data.isText ? data.text() : Buffer.from(data.bytes)
  if (!(data instanceof PreparedMessage)) return Buffer.from(bytesOf(data))
  const bytes = preparedInternals.bytes(data)
  return data.isText ? Buffer.from(bytes).toString() : Buffer.from(bytes)
}
