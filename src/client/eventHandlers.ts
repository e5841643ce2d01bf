// The attributes onopen, onmessage, onerror and onclose of a WebSocket (WHATWG HTML, section 8.1.8.1): each is a listener that
// keeps the place at which it was set first.

/** A function that takes an event, as an attribute holds it. */
export type EventHandler<Kind extends Event = Event> = ((event: Kind) => unknown) | null

export class EventHandlers {
  readonly #target: EventTarget
  readonly #handlers = new Map<string, EventHandler<never>>()

  constructor(target: EventTarget) {
    this.#target = target
  }

  get<Kind extends Event>(type: string): EventHandler<Kind> {
    return (this.#handlers.get(type) ?? null) as EventHandler<Kind>
  }

  /** What is no function or object takes the handler away. */
  set<Kind extends Event>(type: string, handler: EventHandler<Kind>): void {
    const usable = typeof handler === 'function' ? handler : null
    if (!this.#handlers.has(type)) this.#target.addEventListener(type, (event) => this.#call(type, event))
    this.#handlers.set(type, usable as EventHandler<never>)
  }

  #call(type: string, event: Event): void {
    const handler = this.get(type)
    if (handler !== null) Reflect.apply(handler, this.#target, [event])
  }
}
