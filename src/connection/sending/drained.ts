// What waited behind a message may leave with a turn's write, this one's or a later one's, of which nobody else would tell.
import { runOutside } from '../../internals/context.js'
import type { Lifecycle } from '../../protocol/lifecycle.js'
import type { Outgoing } from './outgoing.js'

/** Whoever owes a `drain`. */
export interface DrainSender {
  readonly outgoing: Outgoing
  /** Output that waited may have been written: `drain` may be due. */
  drained(): void
}

/** Has `drained` called once what is in the output has left, or waits for a write, of whose end it is told anyway. */
export function tellDrained(sender: DrainSender, lifecycle: Lifecycle): void {
  setImmediate(() => {
    const { outgoing } = sender
    if (outgoing.buffered > 0 && !outgoing.blocked && lifecycle.isOpen) tellDrained(sender, lifecycle)
    else runOutside(() => sender.drained())
  })
}
