// Where the messages of one connection go: to the handler, or to the loop. Keeps those whose handler has returned a
// promise, and their number within its limit.
import type { Region } from '../codec/codec.js'
import { runInContext } from '../internals/context.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Called } from './callbacks.js'
import { isThenable, type Shared } from './handlers.js'
import { Message } from './message.js'
import { MessageLoop, type Pausable } from './messageLoop.js'
import { Rates } from './rates.js'

/** The connection whose messages are delivered. */
export interface Recipient<Data> extends Called<Data>, Pausable {
  violated(violation: ProtocolViolation): void
  /** As many handlers are pending as may be: deliver nothing until they are fewer. */
  handlersFull(): void
  handlersFree(): void
}

/** A message whose handler is not done. */
interface Pending {
  readonly message: Message
  charged: number
}

export class Delivery<Data> {
  readonly #shared: Shared<Data>
  readonly #recipient: Recipient<Data>
  readonly #rates: Rates | undefined
  #pending: Set<Pending> | undefined
  #loop: MessageLoop | undefined
  #ended = false

  constructor(shared: Shared<Data>, recipient: Recipient<Data>) {
    this.#shared = shared
    this.#recipient = recipient
    this.#rates = Rates.of(shared.limits)
  }

  /** The loop over the messages; from now on they go there. */
  messages(): MessageLoop {
    this.#loop ??= new MessageLoop(this.#recipient, this.#shared.budget)
    if (this.#ended) this.#loop.end()
    return this.#loop.enter()
  }

  take(info: number, pointer: number, length: number, region: Region | undefined): void {
    const recipient = this.#recipient
    const { handlers, codec } = this.#shared
    const message = new Message(codec, info, pointer, length, region)
    if ((this.#rates !== undefined || this.#loop !== undefined) && this.#diverts(message)) return
    const { context } = recipient
    let result: unknown
    try {
      if (context === undefined) result = handlers.message?.(recipient, message)
      else result = runInContext(context, () => handlers.message?.(recipient, message))
    } catch (error) {
      recipient.handlerFailed(error)
    }
    if (isThenable(result)) this.#await(message, result)
    else Message.release(message)
  }

  /** The connection has ended: what handlers and the loop still hold moves to memory of their own. */
  end(): void {
    this.#ended = true
    this.#loop?.end()
    for (const pending of this.#pending ?? []) {
      Message.detach(pending.message)
      this.#uncharge(pending)
    }
  }

  /** Whether a message does not go to the handler: it came too soon, or goes to the loop. */
  #diverts(message: Message): boolean {
    const exceeded = this.#rates?.exceeded(message.byteLength)
    if (exceeded === undefined) {
      this.#loop?.take(message)
      return this.#loop !== undefined
    }
    Message.release(message)
    const { messageRate, byteRate } = this.#shared.limits
    const limit = exceeded === 'MESSAGE_RATE' ? `messageRate is ${messageRate}` : `byteRate is ${byteRate}`
    this.#recipient.violated(new ProtocolViolation(exceeded, limit))
    return true
  }

  #await(message: Message, result: PromiseLike<unknown>): void {
    const { budget, limits } = this.#shared
    const pending = { message, charged: Message.keep(message) }
    budget.charge(pending.charged)
    this.#pending ??= new Set()
    this.#pending.add(pending)
    if (this.#pending.size >= limits.pendingHandlers || budget.spent) this.#recipient.handlersFull()
    Promise.resolve(result).then(
      () => this.#settle(pending),
      (error: unknown) => {
        this.#settle(pending)
        this.#recipient.handlerFailed(error)
      },
    )
  }

  #settle(pending: Pending): void {
    Message.release(pending.message)
    this.#uncharge(pending)
    this.#pending?.delete(pending)
    if ((this.#pending?.size ?? 0) <= this.#shared.limits.pendingHandlers / 2) this.#recipient.handlersFree()
  }

  #uncharge(pending: Pending): void {
    this.#shared.budget.give(pending.charged)
    pending.charged = 0
  }
}
