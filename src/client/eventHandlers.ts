// The attributes onopen, onmessage, onerror and onclose of a WebSocket (WHATWG HTML, section 8.1.8.1): each is a listener that
// keeps the place at which it was set first, until it is taken away.

/** A function that takes an event, as an attribute holds it. */
export type EventHandler<Kind extends Event = Event> = ((event: Kind) => unknown) | null

/** A handler, and the listener that stands for it. */
interface Attribute {
  handler: object
  readonly listener: (event: Event) => void
}

export class EventHandlers {
  readonly #target: EventTarget
  readonly #attributes = new Map<string, Attribute>()

  constructor(target: EventTarget) {
    this.#target = target
  }

  get<Kind extends Event>(type: string): EventHandler<Kind> {
    return (this.#attributes.get(type)?.handler ?? null) as EventHandler<Kind>
  }

  /** What is no object takes the handler away; an object that is no function is kept, and not called. */
  set<Kind extends Event>(type: string, handler: EventHandler<Kind>): void {
    const known = this.#attributes.get(type)
    if (handler === null || !['function', 'object'].includes(typeof handler)) {
      if (known !== undefined) this.#target.removeEventListener(type, known.listener)
      this.#attributes.delete(type)
    } else if (known !== undefined) known.handler = handler
    else {
      const attribute: Attribute = { handler, listener: (event) => this.#call(attribute.handler, event) }
      this.#attributes.set(type, attribute)
      this.#target.addEventListener(type, attribute.listener)
    }
  }

  #call(handler: object, event: Event): void {
    if (typeof handler === 'function') Reflect.apply(handler, this.#target, [event])
  }
}
