// The events of the web, as far as ws has them, and the methods of EventTarget over those of an EventEmitter.
import type { EventEmitter } from 'node:events'
import type { RawData } from './data.js'

/** Asks a WebSocket whether both sides have said Close. */
export const isClean: unique symbol = Symbol('isClean')

/** A WebSocket, as far as listeners are added to it here. */
export interface EventSource extends EventEmitter {
  readonly [isClean]: boolean
}

// What events keep is named by symbols, so that a Proxy of one has it, too.
const TYPE = Symbol('type')
const TARGET = Symbol('target')
const CODE = Symbol('code')
const REASON = Symbol('reason')
const WAS_CLEAN = Symbol('wasClean')
const ERROR = Symbol('error')
const MESSAGE = Symbol('message')
const DATA = Symbol('data')

/** Something that has happened to a WebSocket. */
export class Event {
  readonly [TYPE]: string;
  [TARGET]: EventSource | null = null

  constructor(type: string) {
    this[TYPE] = type
  }

  get type(): string {
    return this[TYPE]
  }

  /** The WebSocket. */
  get target(): EventSource | null {
    return this[TARGET]
  }
}

/** It has closed. */
export class CloseEvent extends Event {
  readonly [CODE]: number
  readonly [REASON]: string
  readonly [WAS_CLEAN]: boolean

  constructor(type: string, options: { code?: number; reason?: string; wasClean?: boolean } = {}) {
    super(type)
    const { code = 0, reason = '', wasClean = false } = options // null is a value like others
    this[CODE] = code
    this[REASON] = reason
    this[WAS_CLEAN] = wasClean
  }

  get code(): number {
    return this[CODE]
  }

  get reason(): string {
    return this[REASON]
  }

  /** Whether both sides have said Close. */
  get wasClean(): boolean {
    return this[WAS_CLEAN]
  }
}

/** It has failed. */
export class ErrorEvent extends Event {
  readonly [ERROR]: unknown
  readonly [MESSAGE]: string

  constructor(type: string, options: { error?: unknown; message?: string } = {}) {
    super(type)
    const { error = null, message = '' } = options
    this[ERROR] = error
    this[MESSAGE] = message
  }

  get error(): unknown {
    return this[ERROR]
  }

  get message(): string {
    return this[MESSAGE]
  }
}

/** A message has come. */
export class MessageEvent extends Event {
  readonly [DATA]: unknown

  constructor(type: string, options: { data?: unknown } = {}) {
    super(type)
    this[DATA] = options.data === undefined ? null : options.data
  }

  /** A string for text; else what `binaryType` says. */
  get data(): unknown {
    return this[DATA]
  }
}

for (const [kind, names] of [
  [Event, ['target', 'type']],
  [CloseEvent, ['code', 'reason', 'wasClean']],
  [ErrorEvent, ['error', 'message']],
  [MessageEvent, ['data']],
] as const) {
  for (const name of names) Object.defineProperty(kind.prototype, name, { enumerable: true })
}

/** What is called with events. */
export type EventHandler = ((event: never) => unknown) | { handleEvent(event: never): unknown }

/** The listener of an emitter that stands for a handler. */
type Listener = (this: EventSource, first: unknown, second: unknown) => void

/** What a listener stands for. */
interface Wrapped {
  readonly handler: EventHandler
  /** Whether it was set as `onmessage` and so on, and not added. */
  readonly isAttribute: boolean
}

const wrapped = new WeakMap<object, Wrapped>()

/** The event for what an emitter tells. */
type EventMaker = (source: EventSource, first: unknown, second: unknown) => Event

/** Programs emit events, too, with values of their own: what has no text throws as it does with ws. */
const textOf = (value: unknown): string => (value as { toString(): string }).toString()

const makers: ReadonlyMap<string, EventMaker> = new Map<string, EventMaker>([
  ['message', (_, data, isBinary) => new MessageEvent('message', { data: isBinary ? data : textOf(data) })],
  [
    'close',
    (source, code, reason) =>
      new CloseEvent('close', { code: code as number, reason: textOf(reason), wasClean: source[isClean] }),
  ],
  ['error', (_, error) => new ErrorEvent('error', { error, message: (error as Error).message })],
  ['open', () => new Event('open')],
])

function listenerFor(type: string, what: Wrapped): Listener | undefined {
  const make = makers.get(type)
  if (make === undefined) return undefined
  const { handler } = what
  const listener: Listener = function (first, second) {
    const event = make(this, first, second)
    event[TARGET] = this
    if (typeof handler === 'object' && typeof handler.handleEvent === 'function') handler.handleEvent(event as never)
    else Reflect.apply(handler as () => unknown, this, [event])
  }
  wrapped.set(listener, what)
  return listener
}

/** The listener of this type that stands for something that `fits`. */
function find(source: EventEmitter, type: string, fits: (what: Wrapped) => boolean): Listener | undefined {
  const found = source.listeners(type).find((listener) => {
    const what = wrapped.get(listener)
    return what !== undefined && fits(what)
  })
  return found as Listener | undefined
}

/** Has `handler` called with each event of this type; adding it a second time changes nothing. */
export function addHandler(source: EventSource, type: string, handler: EventHandler, once: boolean): void {
  if (find(source, type, (each) => each.handler === handler && !each.isAttribute) !== undefined) return
  const listener = listenerFor(type, { handler, isAttribute: false })
  if (listener === undefined) return
  if (once) source.once(type, listener)
  else source.on(type, listener)
}

export function removeHandler(source: EventSource, type: string, handler: EventHandler): void {
  const listener = find(source, type, (each) => each.handler === handler && !each.isAttribute)
  if (listener !== undefined) source.removeListener(type, listener)
}

const isAttribute = (what: Wrapped): boolean => what.isAttribute

/** The handler that was set as `onmessage` and so on; null if none is. */
export function attribute(source: EventSource, type: string): EventHandler | null {
  const listener = find(source, type, isAttribute)
  return listener === undefined ? null : (wrapped.get(listener)?.handler ?? null)
}

/** Sets it instead of the one before; anything but a function only takes that away. */
export function setAttribute(source: EventSource, type: string, handler: unknown): void {
  const before = find(source, type, isAttribute)
  if (before !== undefined) source.removeListener(type, before)
  if (typeof handler !== 'function') return
  const listener = listenerFor(type, { handler: handler as EventHandler, isAttribute: true })
  if (listener !== undefined) source.on(type, listener)
}

/** The data of messages, for handlers with types. */
export type MessageData = string | RawData
