// Makes the receiving half of a connection. Most connections have none before their first bytes come: many only listen.
import { OutOfMemory } from '../../codec/codec.js'
import type { Role } from '../../protocol/role.js'
import { ProtocolViolation } from '../../protocol/violation.js'
import type { Pressure } from '../pressure.js'
import { Incoming } from './incoming.js'
import type { Agreement } from './inflationParts.js'
import type { Deliverer, IncomingContext, Sink } from './sink.js'

/** The parts of a connection that its receiving half works with. */
interface Receiving extends Sink {
  readonly shared: IncomingContext & { readonly encoder: { readonly role: Role } }
  readonly delivery: Deliverer
  readonly pressure: Pressure
}

/** The receiving half of a connection, by what was agreed on. Throws OutOfMemory where there is no memory for it. */
export function openIncoming(connection: Receiving, agreed?: Agreement): Incoming {
  const { shared, delivery, pressure } = connection
  return new Incoming(shared, connection, delivery, pressure, shared.encoder.role, agreed)
}

/** The receiving half of a connection whose first bytes have come; without memory for it, the connection fails. */
export function openForFirstBytes(connection: Receiving): Incoming | undefined {
  try {
    return openIncoming(connection)
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error
    connection.violated(new ProtocolViolation('MEMORY_SPENT', error.message))
    return undefined
  }
}
