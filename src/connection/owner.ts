// The connection that the parts of a connection belong to: what each of them may tell it.
import type { Claimant } from '../memory/budget.js'
import type { ProtocolViolation } from '../protocol/violation.js'
import type { Expiring } from '../time/deadlines.js'
import type { Pressure, PressureListener } from './pressure.js'
import type { Sink } from './receiving/sink.js'

export interface Owner extends Claimant, Expiring, Sink, PressureListener {
  /** Whether it is read from. It is made when it is first asked for: most connections are never paused. */
  readonly pressure: Pressure
  /** The peer has broken a rule, or a limit: the connection fails with that rule's close code. */
  violated(violation: ProtocolViolation): void
  /** Nothing can be sent any more: the connection ends at once. */
  terminate(): void
  /** Nothing more is delivered: what has not been delivered is dropped, and reading goes on only to see the peer's end. */
  deliveryEnds(): void
  /** Everything that was buffered has been written, and the connection is ending. */
  everythingWritten(): void
  /** Everything for which `send` answered `'buffered'` has been written. */
  drained(): void
}
