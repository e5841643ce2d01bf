// A message that is kept after its handler has returned: for a promise that is pending, or for a loop. It counts as held by
// its connection and, when the connection has ended, as remains, which may be given up where memory is short.
import { type Account, OBJECTS } from '../../memory/account.js'
import type { Remainder } from '../../memory/remains.js'
import { type Message, messageInternals } from '../message.js'

export class Kept {
  readonly message: Message
  readonly #account: Account
  /** Bytes of the copy that was made for it, and of the objects, as they were charged. */
  #payload = 0
  #objects = 0
  #remainder: Remainder | undefined

  constructor(message: Message, account: Account) {
    this.message = message
    this.#account = account
    const payload = messageInternals.keep(message)
    if (account.keep(payload + OBJECTS)) {
      this.#payload = payload
      this.#objects = OBJECTS
    } else if (payload > 0) messageInternals.lose(message)
  }

  /** Whether there was room for it. Otherwise its copy is gone, and its connection must end. */
  get fits(): boolean {
    return this.#objects > 0
  }

  /** Nobody needs it any more. */
  release(): void {
    messageInternals.release(this.message)
    if (this.#remainder === undefined) this.#account.release(this.#payload + this.#objects)
    else this.#remainder.release(this.#payload, this.#objects)
    this.#payload = this.#objects = 0
  }

  /** The connection has ended: the message counts as remains from now on. */
  remain(remainder: Remainder): void {
    this.#remainder = remainder
    this.#account.leave(remainder, this.#payload, this.#objects)
  }

  /** Moves a payload that lies in a region to memory of its own, or gives it up where there is no room for that. */
  detach(): void {
    const { message } = this
    const remainder = this.#remainder
    if (remainder === undefined || messageInternals.region(message) === undefined) return
    const payload = messageInternals.copyCost(message)
    if (!remainder.charge(payload)) return messageInternals.lose(message)
    if (messageInternals.region(message) === undefined) return // the room was made by giving up this very payload
    messageInternals.detach(message)
    this.#payload = payload
  }

  /** Gives up the payload, unless somebody else keeps it, too. */
  lose(): void {
    if (this.#payload > 0 || messageInternals.region(this.message) !== undefined) messageInternals.lose(this.message)
    this.#payload = 0
  }
}
