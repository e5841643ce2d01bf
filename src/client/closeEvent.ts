// The event that tells how a WebSocket has ended (WHATWG WebSockets, section 6): Node.js has it from version 23 on.

/** What the event says, and how it is dispatched. */
export interface CloseEventFacts {
  /** As for every event. Default: false. */
  readonly bubbles?: boolean
  /** As for every event. Default: false. */
  readonly cancelable?: boolean
  /** As for every event. Default: false. */
  readonly composed?: boolean
  /** Whether the closing handshake was done. Default: false. */
  readonly wasClean?: boolean
  /** The close code. Default: 0. */
  readonly code?: number
  /** The reason of the Close frame. Default: none. */
  readonly reason?: string
}

/** How a WebSocket has ended. */
export class CloseEvent extends Event {
  /** Whether both sides have said Close. */
  readonly wasClean: boolean
  /** The close code; 1006 if there was no Close frame. */
  readonly code: number
  /** The reason of the Close frame. */
  readonly reason: string

  /** As every event is made. */
  constructor(type: string, facts: CloseEventFacts = {}) {
    super(type, facts)
    this.wasClean = facts.wasClean ?? false
    this.code = facts.code ?? 0
    this.reason = facts.reason ?? ''
  }
}
