// Calls the application's handlers, each in its connection's async context, and keeps their mistakes from ending the
// process.
import type { AsyncResource } from 'node:async_hooks'
import { Buffer } from 'node:buffer'
import { isThenable, promiseOf } from '../checks/thenable.js'
import { currentContext, runInContext, runOutside, runScoped } from '../internals/context.js'
import { report, tell } from '../internals/report.js'
import { channels } from '../metrics/channels.js'
import type { Counts } from '../metrics/counts.js'
import type { Role } from '../protocol/role.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Connection } from './connection.js'
import { ConnectionEnded } from './ended.js'
import type { Handlers } from './handlers.js'
import { takeLeftOut } from './leftOut.js'
import { traceError, traceState, tracing } from './trace.js'
import type { Work } from './work.js'

/** A connection, as far as handlers are called for it. */
export interface CallbackTarget<Data> {
  /** The object that the handlers are given. */
  readonly connection: Connection<Data>
  /** The async context of its handlers; undefined if they have none. */
  context: AsyncResource | undefined
  /** A handler threw, or its promise rejected. */
  handlerFailed(error: unknown): void
}

/** What the callbacks of a route need of its server. */
export interface CallbacksContext {
  readonly work: Work
  readonly counts: Counts
  readonly encoder: { readonly role: Role }
}

export class Callbacks<Data> {
  readonly #handlers: Handlers<Data>
  readonly #context: CallbacksContext // not its parts one by one: a client may have these for each connection

  constructor(handlers: Handlers<Data>, context: CallbacksContext) {
    this.#handlers = handlers
    this.#context = context
  }

  get #counts(): Counts {
    return this.#context.counts
  }

  get #role(): Role {
    return this.#context.encoder.role
  }

  /** Gives the connection its context: that of the handshake, of which there is none `outside`, and what the `open` handler enters. */
  open(target: CallbackTarget<Data>, outside = false): void {
    this.#counts.add('connectionsOpened')
    const { hasSubscribers } = channels.open // one that listens once is gone afterwards
    if (hasSubscribers) channels.open.publish({ connection: target.connection, role: this.#role })
    if (this.#handlers.open !== undefined) runScoped(() => this.#attempt(target, () => this.#runOpen(target)))
    // To ask costs more than the hash of the key. A subscriber may have entered a context just now.
    else if (!outside || hasSubscribers) target.context = currentContext()
  }

  #runOpen(target: CallbackTarget<Data>): unknown {
    try {
      return this.#handlers.open?.(target.connection)
    } finally {
      target.context = currentContext() // also for the error handler, if it throws
    }
  }

  /** The peer has caught up. What was left out until now is told first. */
  drain(target: CallbackTarget<Data>): void {
    for (const [topic, publications] of takeLeftOut(target)) {
      if (!target.connection.isOpen) return // one of these handlers has closed it
      this.#leftOut(target, topic, publications)
    }
    if (this.#handlers.drain !== undefined && target.connection.isOpen)
      this.#run(target, () => this.#handlers.drain?.(target.connection))
  }

  #leftOut(target: CallbackTarget<Data>, topic: string, publications: number): void {
    if (this.#handlers.leftOut !== undefined)
      this.#run(target, () => this.#handlers.leftOut?.(target.connection, topic, publications))
  }

  /** A ping or a pong has come; `view` shows its payload where it lies. */
  control(target: CallbackTarget<Data>, name: 'ping' | 'pong', view: Uint8Array): void {
    if (this.#handlers[name] === undefined) return
    const data = Buffer.from(view)
    this.#run(target, () => this.#handlers[name]?.(target.connection, data))
  }

  close(target: CallbackTarget<Data>, code: number, reason: string): void {
    if (tracing) traceState(target, `gone, ${code}`)
    this.#counts.closed(code)
    if (channels.close.hasSubscribers)
      channels.close.publish({ connection: target.connection, role: this.#role, code, reason })
    if (this.#handlers.close !== undefined)
      this.#run(target, () => this.#handlers.close?.(target.connection, code, reason))
  }

  /** Tells the `error` handler that another handler has failed. Without one, the mistake goes to standard error. */
  handlerFailed(target: CallbackTarget<Data>, error: unknown): void {
    if (tracing) traceError(target, error)
    this.#counts.add('handlerErrors')
    if (channels.messageError.hasSubscribers)
      channels.messageError.publish({ connection: target.connection, role: this.#role, error })
    // When a peer has left, its handlers get ConnectionEnded from what they wait for: that is no mistake of theirs.
    const isMistake = target.connection.isOpen || !(error instanceof ConnectionEnded)
    if (this.#handlers.error !== undefined) this.#tell(target, error)
    else if (isMistake) report(error)
  }

  /** Tells the `error` handler, if there is one, that the peer has broken a rule, or has left too early. */
  peerFailed(target: CallbackTarget<Data>, error: unknown): void {
    if (tracing) traceError(target, error)
    if (error instanceof ProtocolViolation) this.#counts.violated(error.code)
    if (channels.violation.hasSubscribers)
      channels.violation.publish({ connection: target.connection, role: this.#role, error })
    if (this.#handlers.error !== undefined) this.#tell(target, error)
  }

  /** Calls the `error` handler. If that handler fails itself, its error goes to standard error. */
  #tell(target: CallbackTarget<Data>, error: unknown): void {
    tell(() => inContext(target.context, () => this.#handlers.error?.(target.connection, error)))
  }

  #run(target: CallbackTarget<Data>, handler: () => unknown): void {
    this.#attempt(target, () => inContext(target.context, handler))
  }

  #attempt(target: CallbackTarget<Data>, handler: () => unknown): void {
    try {
      const result = handler()
      if (isThenable(result)) this.#follow(target, result)
    } catch (error) {
      target.handlerFailed(error)
    }
  }

  #follow(target: CallbackTarget<Data>, result: PromiseLike<unknown>): void {
    const { work } = this.#context
    work.begins()
    promiseOf(result)
      .catch((error: unknown) => target.handlerFailed(error))
      .finally(() => work.ends())
  }
}

/** A connection that is about to open. */
type Opening<Data> = CallbackTarget<Data> & { readonly shared: { readonly callbacks: Callbacks<Data> } }

/** Calls the `open` handler of a connection. */
export function openHandler<Data>(target: Opening<Data>): void {
  target.shared.callbacks.open(target)
}

/** The same for one whose transport is in no async context. */
export function openHandlerOutside<Data>(target: Opening<Data>): void {
  target.shared.callbacks.open(target, true)
}

/** A handler without a context of its own runs outside of all contexts: `drain` would otherwise run in the last sender's. */
function inContext(context: AsyncResource | undefined, work: () => unknown): unknown {
  return context === undefined ? runOutside(work) : runInContext(context, work)
}
