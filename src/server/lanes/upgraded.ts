// What every lane calls for a handshake that is accepted.
import type { Buffer } from 'node:buffer'
import type { Refusal } from '../../protocol/openingHandshake.js'
import type { Transport } from '../../transport/transport.js'
import type { AcceptedUpgrade } from '../admission/endpoint.js'
import type { Respond } from './responseHead.js'

/**
 * Opens the connection; `early` is what came after the request, and `respond` writes the response. Returns a refusal if there
 * is no memory for it.
 */
export type Upgraded = (
  transport: Transport,
  accepted: AcceptedUpgrade,
  early: Buffer,
  respond: Respond,
) => Refusal | undefined
