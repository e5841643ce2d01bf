// What is told of a handshake that is refused, whichever version of HTTP it came by.

import { channels } from '../../metrics/channels.js'
import type { Counts } from '../../metrics/counts.js'
import type { Refusal } from '../../protocol/openingHandshake.js'

/** Counts a refusal, and tells it to who listens; `address` is the client's. */
export function tellRefusal(counts: Counts, { status, reason }: Refusal, address: () => string | undefined): void {
  counts.answered(status)
  if (channels.refused.hasSubscribers) channels.refused.publish({ status, reason, remoteAddress: address() })
}
