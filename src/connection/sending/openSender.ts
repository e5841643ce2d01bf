// Makes the sending half of a connection. Most connections have none before they send: many only listen.
import type { Lifecycle } from '../../protocol/lifecycle.js'
import type { Transport } from '../../transport/transport.js'
import type { Owner } from '../owner.js'
import type { DeflateQueueContext } from './deflateQueue.js'
import { type DeflatingParts, DeflatingSender } from './deflatingSender.js'
import { Sender } from './sender.js'
import type { SenderContext } from './senderShared.js'

/** The sending half of a connection, by what was agreed on. If the response of its handshake still waits, that goes first. */
export function openSender(
  parts: DeflatingParts | undefined,
  shared: SenderContext & DeflateQueueContext,
  transport: Transport,
  lifecycle: Lifecycle,
  owner: Owner,
): Sender {
  const sender =
    parts === undefined
      ? new Sender(shared, transport, lifecycle, owner)
      : new DeflatingSender(parts, shared, transport, lifecycle, owner)
  shared.turn.greeting.pass(owner, sender.outgoing)
  return sender
}
