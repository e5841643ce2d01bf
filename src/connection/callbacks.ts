// Calls the application's handlers, each in its connection's async context, and keeps their mistakes from ending the
// process.
import type { AsyncResource } from 'node:async_hooks'
import { isThenable } from '../checks/thenable.js'
import type { OwnBytes } from '../codec/ownBytes.js'
import { currentContext, runInContext, runOutside, runScoped } from '../internals/context.js'
import type { Connection } from './connection.js'
import { ConnectionEnded } from './ended.js'
import type { Handlers } from './handlers.js'
import { traceError, traceState, tracing } from './trace.js'
import type { Work } from './work.js'

/** A connection, to those who call handlers for it. */
export interface Called<Data> {
  /** What the handlers are given. */
  readonly connection: Connection<Data>
  /** What its handlers run in; undefined if that is nothing. */
  context: AsyncResource | undefined
  /** A handler threw, or its promise rejected. */
  handlerFailed(error: unknown): void
}

export class Callbacks<Data> {
  readonly #handlers: Handlers<Data>
  readonly #work: Work

  constructor(handlers: Handlers<Data>, work: Work) {
    this.#handlers = handlers
    this.#work = work
  }

  /** Gives the connection its context: that of the handshake, and what the `open` handler enters. */
  open(called: Called<Data>): void {
    if (this.#handlers.open === undefined) called.context = currentContext()
    else runScoped(() => this.#attempt(called, () => this.#runOpen(called)))
  }

  #runOpen(called: Called<Data>): unknown {
    try {
      return this.#handlers.open?.(called.connection)
    } finally {
      called.context = currentContext() // also for the error handler, if it throws
    }
  }

  drain(called: Called<Data>): void {
    if (this.#handlers.drain !== undefined) this.#run(called, () => this.#handlers.drain?.(called.connection))
  }

  get hasPong(): boolean {
    return this.#handlers.pong !== undefined
  }

  pong(called: Called<Data>, data: OwnBytes): void {
    this.#run(called, () => this.#handlers.pong?.(called.connection, data))
  }

  close(called: Called<Data>, code: number, reason: string): void {
    if (tracing) traceState(called, `gone, ${code}`)
    if (this.#handlers.close !== undefined)
      this.#run(called, () => this.#handlers.close?.(called.connection, code, reason))
  }

  /** Tells the `error` handler that another handler has failed. Without one, the mistake goes to standard error. */
  handlerFailed(called: Called<Data>, error: unknown): void {
    if (tracing) traceError(called, error)
    // Of a peer that has left, its handlers can't but hear: that is no mistake of theirs.
    const isMistake = called.connection.isOpen || !(error instanceof ConnectionEnded)
    if (this.#handlers.error !== undefined) this.#tell(called, error)
    else if (isMistake) console.error(error)
  }

  /** Tells the `error` handler, if there is one, that the peer has broken a rule, or has left too early. */
  peerFailed(called: Called<Data>, error: unknown): void {
    if (tracing) traceError(called, error)
    if (this.#handlers.error !== undefined) this.#tell(called, error)
  }

  /** Calls the `error` handler. If it fails itself, that goes to standard error. */
  #tell(called: Called<Data>, error: unknown): void {
    try {
      const result = inContext(called.context, () => this.#handlers.error?.(called.connection, error))
      if (isThenable(result)) Promise.resolve(result).catch(console.error)
    } catch (second) {
      console.error(second)
    }
  }

  #run(called: Called<Data>, handler: () => unknown): void {
    this.#attempt(called, () => inContext(called.context, handler))
  }

  #attempt(called: Called<Data>, handler: () => unknown): void {
    try {
      const result = handler()
      if (isThenable(result)) this.#follow(called, result)
    } catch (error) {
      called.handlerFailed(error)
    }
  }

  #follow(called: Called<Data>, result: PromiseLike<unknown>): void {
    this.#work.begins()
    Promise.resolve(result)
      .catch((error: unknown) => called.handlerFailed(error))
      .finally(() => this.#work.ends())
  }
}

/** A handler without a context of its own runs outside of all contexts: `drain` would otherwise run in the last sender's. */
function inContext(context: AsyncResource | undefined, work: () => unknown): unknown {
  return context === undefined ? runOutside(work) : runInContext(context, work)
}
