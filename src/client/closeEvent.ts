// The event that tells how a WebSocket has ended (WHATWG WebSockets, section 6): Node.js has it from version 23 on.

/** What the event says, and how it is dispatched. */
export interface CloseEventFacts {
  readonly bubbles?: boolean
  readonly cancelable?: boolean
  readonly composed?: boolean
  readonly wasClean?: boolean
  readonly code?: number
  readonly reason?: string
}

export class CloseEvent extends Event {
  /** Whether both sides have said Close. */
  readonly wasClean: boolean
  readonly code: number
  readonly reason: string

  constructor(type: string, facts: CloseEventFacts = {}) {
    super(type, facts)
    this.wasClean = facts.wasClean ?? false
    this.code = facts.code ?? 0
    this.reason = facts.reason ?? ''
  }
}
