// Where the messages of one connection go: to the handler, the loop, the stream's reader or the pool. Messages whose handler
// has returned a promise are kept until it settles; their number has a limit.
import type { AsyncResource } from 'node:async_hooks'
import { isThenable, promiseOf } from '../../checks/thenable.js'
import type { Codec, Region } from '../../codec/codec.js'
import { runInContext, runOutside } from '../../internals/context.js'
import { Account } from '../../memory/account.js'
import type { Keeper } from '../../memory/remains.js'
import { Roster, type Rostered } from '../../memory/roster.js'
import type { LargeResult } from '../../pool/task.js'
import { InvalidJson } from '../../protocol/invalidJson.js'
import { ProtocolViolation } from '../../protocol/violation.js'
import { Rates } from '../../time/rates.js'
import type { CallbackTarget } from '../callbacks.js'
import type { Sendable } from '../connection.js'
import { Message, type MessageSource, messageInternals } from '../message.js'
import type { Owner } from '../owner.js'
import type { Pressure } from '../pressure.js'
import { Reason } from '../reason.js'
import type { LargeRoute, RouteContext } from '../shared.js'
import { Kept } from './kept.js'
import { loopInternals, MessageLoop } from './messageLoop.js'
import { MessageStream, streamInternals } from './messageStream.js'
import type { Deliverer } from './sink.js'

/** The connection whose messages are delivered. */
export interface Recipient<Data> extends CallbackTarget<Data>, Owner {}

/** A message whose handler is not done. */
interface Pending extends Rostered {
  readonly kept: Kept
  /** Whether a thread of the pool reads the message: then it must not move, whatever becomes of the connection. */
  readonly pooled: boolean
  /** Nothing else is delivered until this message is done. */
  readonly alone: boolean
}

/** How a message is waited for; `alone` if nothing else may be delivered meanwhile. */
const HANDLED = { pooled: false, alone: false }

export class Delivery<Data> implements Deliverer, Keeper, MessageSource {
  readonly #shared: RouteContext<Data>
  readonly #recipient: Recipient<Data>
  readonly #pressure: Pressure
  readonly #rates: Rates | undefined
  #pending: Roster<Pending> | undefined
  /** The latest stream: while it waits to be read, no other stream begins. */
  #stream: MessageStream | undefined
  #loop: MessageLoop | undefined
  /** Whether every message goes straight to the handler. */
  #plain: boolean
  #ended = false
  #ownAccount: Account | undefined

  constructor(shared: RouteContext<Data>, recipient: Recipient<Data>, pressure: Pressure) {
    this.#pressure = pressure
    this.#shared = shared
    this.#recipient = recipient
    this.#rates = Rates.of(shared.limits)
    this.#plain = this.#rates === undefined && shared.large === undefined && shared.streamThreshold === undefined
  }

  /** The codec in whose memory the messages lie (MessageSource). */
  get codec(): Codec {
    return this.#shared.codec
  }

  /** Whether an error says that a message of this connection is no JSON. */
  hasInvalidJson(error: unknown): boolean {
    return InvalidJson.isFrom(error, this)
  }

  /** Returns the loop over the messages; from now on, messages go there. */
  messages(): MessageLoop {
    this.#loop ??= new MessageLoop(this.#pressure, this.#account)
    this.#plain = false
    if (this.#ended) loopInternals.end(this.#loop)
    loopInternals.enter(this.#loop)
    return this.#loop
  }

  take(info: number, pointer: number, length: number, region: Region | undefined): void {
    const message = new Message(this, info, pointer, length, region)
    if (!this.#plain && this.#diverts(message)) return
    const { context, connection } = this.#recipient
    let promise: PromiseLike<unknown> | undefined
    try {
      const result =
        context === undefined ? this.#shared.handlers.message?.(connection, message) : this.#callIn(context, message)
      if (result !== undefined && isThenable(result)) promise = result // its getter may throw, too
    } catch (error) {
      this.#recipient.handlerFailed(error)
    }
    if (promise === undefined) messageInternals.release(message)
    else this.#await(message, promise)
  }

  /** Apart from `take`, which runs for each message: a closure there would cost memory even where it is not needed. */
  #callIn(context: AsyncResource, message: Message): unknown {
    return runInContext(context, () => this.#shared.handlers.message?.(this.#recipient.connection, message))
  }

  /** A message begins that the `stream` handler reads while it arrives. */
  streamBegins(isText: boolean, byteLength: number | undefined): void {
    const recipient = this.#recipient
    const { handlers } = this.#shared
    const stream = new MessageStream(this.#pressure, this.#account, isText, byteLength, () => this.#streamLeft())
    this.#stream = stream
    const work = (): unknown => handlers.stream?.(recipient.connection, stream)
    let result: unknown
    try {
      result = recipient.context === undefined ? work() : runInContext(recipient.context, work)
    } catch (error) {
      recipient.handlerFailed(error)
      stream.return()
    }
    if (!isThenable(result)) return // the handler may go on reading, or have given the stream to somebody else
    const { work: pending } = this.#shared
    pending.answerBegins(recipient.connection)
    const settled = (): void => {
      stream.return()
      pending.answerEnds(recipient.connection)
    }
    promiseOf(result).then(settled, (error: unknown) => {
      recipient.handlerFailed(error)
      settled()
    })
  }

  streamPart(pointer: number, length: number, last: boolean): void {
    const exceeded = this.#rates?.exceeded(length)
    if (exceeded === undefined) this.#push(pointer, length, last)
    else this.#exceeded(exceeded)
  }

  /** The connection has ended: messages that handlers and the loop still hold move to memory of their own. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#shared.work.leaves(this.#recipient.connection)
    if (this.#loop !== undefined) loopInternals.end(this.#loop)
    if (this.#stream !== undefined) streamInternals.close(this.#stream)
    this.#stream = undefined
    if (this.#pending === undefined || this.#pending.size === 0) return
    const remainder = this.#account.remainder(this)
    for (const { kept, pooled } of this.#pending) {
      if (pooled) continue
      kept.remain(remainder)
      // Each message is copied in a slice of its own: there may be many large ones.
      if (messageInternals.region(kept.message) !== undefined) this.#shared.slices.later(() => kept.detach())
    }
  }

  /** Memory is short: handlers of a connection that has ended lose the messages that they hold. */
  lose(): void {
    for (const { kept, pooled } of this.#pending ?? []) if (!pooled) kept.lose()
  }

  /** Whether a message does not go to the handler: it exceeds a rate, or goes to the stream, the pool or the loop. */
  #diverts(message: Message): boolean {
    const { large, streamThreshold } = this.#shared
    const { byteLength } = message
    const exceeded = this.#rates?.exceeded(byteLength)
    if (exceeded !== undefined) {
      messageInternals.release(message)
      this.#exceeded(exceeded)
    } else if (streamThreshold === 0 || byteLength > (streamThreshold ?? Infinity)) this.#streamWhole(message)
    else if (large !== undefined && byteLength >= large.pool.threshold) this.#offload(message, large)
    else if (this.#loop !== undefined) this.#kept(loopInternals.take(this.#loop, message))
    else return false
    return true
  }

  get #account(): Account {
    this.#ownAccount ??= new Account(this.#shared.budget, this.#recipient, this.#recipient.connection.remoteAddress)
    return this.#ownAccount
  }

  #exceeded(rate: 'MESSAGE_RATE' | 'BYTE_RATE'): void {
    const { messageRate, byteRate } = this.#shared.limits
    const limit = rate === 'MESSAGE_RATE' ? `messageRate is ${messageRate}` : `byteRate is ${byteRate}`
    this.#recipient.violated(new ProtocolViolation(rate, limit))
  }

  /** A message that is for the `stream` handler, but lay whole in what was read. */
  #streamWhole(message: Message): void {
    this.streamBegins(message.isText, message.byteLength)
    this.#push(messageInternals.pointer(message), message.byteLength, true)
    messageInternals.release(message)
  }

  /** Hands a large message to the pool; its connection's next messages wait until it is done, unless told otherwise. */
  #offload(message: Message, large: LargeRoute<Data>): void {
    const { pool } = large
    const recipient = this.#recipient
    const work = async (): Promise<void> => {
      const task = { pointer: messageInternals.pointer(message), length: message.byteLength, isText: message.isText }
      const answer = await pool.run({ ...task, data: large.context(recipient.connection) }, this)
      if (!this.#ended) this.#answer(message, answer)
    }
    this.#await(message, work(), { pooled: true, alone: pool.ordered || pool.full })
  }

  /** Sends what the pool answered, or gives it to the `largeResult` handler. */
  #answer(message: Message, answer: LargeResult): void {
    const { connection } = this.#recipient
    const { largeResult } = this.#shared.handlers
    const value = answer.echo ? message : answer.value
    if (largeResult !== undefined) return void largeResult.call(this.#shared.handlers, connection, value)
    if (value !== undefined) connection.send(value as Sendable) // throws for what can't be sent
  }

  #push(pointer: number, length: number, last: boolean): void {
    const stream = this.#stream
    if (stream === undefined) return
    const kept =
      streamInternals.isAbandoned(stream) || streamInternals.push(stream, this.#shared.codec.copyOf(pointer, length))
    if (!kept)
      streamInternals.close(stream) // a part is missing: it must not look whole
    else if (last) streamInternals.end(stream)
    this.#kept(kept)
  }

  #await(message: Message, result: PromiseLike<unknown>, { alone, pooled } = HANDLED): void {
    const { budget, limits } = this.#shared
    const kept = new Kept(message, this.#account)
    const pending: Pending = { standing: undefined, kept, pooled, alone }
    this.#pending ??= new Roster()
    this.#pending.add(pending)
    this.#shared.work.answerBegins(this.#recipient.connection)
    if (alone) this.#pressure.pause(Reason.pool)
    if (this.#pending.size >= limits.pendingHandlers || budget.tight) this.#pressure.pause(Reason.handlers)
    promiseOf(result).then(
      () => this.#settle(pending),
      (error: unknown) => {
        this.#settle(pending)
        this.#recipient.handlerFailed(error)
      },
    )
    this.#kept(kept.fits)
  }

  /** Fails the connection if a message or chunk could not be kept. */
  #kept(kept: boolean): void {
    if (!kept) this.#recipient.violated(new ProtocolViolation('MEMORY_SPENT'))
  }

  /** Deferred: if a handler throws in a loop, the loop is left first, and the connection must fail with the handler's error. */
  #streamLeft(): void {
    if (this.#shared.streamLeft === 'drain') return
    const fail = (): void => this.#recipient.violated(new ProtocolViolation('STREAM_LEFT'))
    setImmediate(() => runOutside(fail))
  }

  #settle(pending: Pending): void {
    pending.kept.release()
    this.#pending?.delete(pending)
    this.#shared.work.answerEnds(this.#recipient.connection)
    if (pending.alone) this.#pressure.resume(Reason.pool)
    if ((this.#pending?.size ?? 0) <= this.#shared.limits.pendingHandlers / 2) this.#pressure.resume(Reason.handlers)
  }
}
