// The attributes onopen, onmessage, onerror and onclose of a WebSocket (WHATWG HTML, section 8.1.8.1): each is a listener that
// keeps the place at which it was set first, until it is taken away. The listeners are the same for all WebSockets, so that
// thousands of these have no functions of their own.

/** A function that takes an event, as an attribute holds it. */
export type EventHandler<Kind extends Event = Event> = ((event: Kind) => unknown) | null

type Attribute = 'open' | 'message' | 'error' | 'close'

/** What the attributes of one target hold. */
export class EventHandlers {
  open: object | undefined = undefined
  message: object | undefined = undefined
  error: object | undefined = undefined
  close: object | undefined = undefined
}

/** The attributes of all targets of a kind; `of` finds what those of one target hold. */
export class EventAttributes<Target extends EventTarget> {
  readonly #of: (target: Target) => EventHandlers
  readonly #listeners: Readonly<Record<Attribute, (event: Event) => void>> = {
    open: (event) => this.#call('open', event),
    message: (event) => this.#call('message', event),
    error: (event) => this.#call('error', event),
    close: (event) => this.#call('close', event),
  }

  constructor(of: (target: Target) => EventHandlers) {
    this.#of = of
  }

  get<Kind extends Event>(target: Target, name: Attribute): EventHandler<Kind> {
    return (this.#of(target)[name] ?? null) as EventHandler<Kind>
  }

  /** What is no object takes the handler away; an object that is no function is kept, and not called. */
  set<Kind extends Event>(target: Target, name: Attribute, handler: EventHandler<Kind>): void {
    const handlers = this.#of(target)
    const isObject = handler !== null && ['function', 'object'].includes(typeof handler)
    if (!isObject) target.removeEventListener(name, this.#listeners[name])
    else if (handlers[name] === undefined) target.addEventListener(name, this.#listeners[name])
    handlers[name] = isObject ? handler : undefined
  }

  #call(name: Attribute, event: Event): void {
    const target = event.target as Target // a WebSocket stands in no tree, where it could be another one
    const handler = this.#of(target)[name]
    if (typeof handler === 'function') Reflect.apply(handler, target, [event])
  }
}
