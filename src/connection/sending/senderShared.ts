// What all senders of a route share.
import type { ConnectionLimits, OutputPolicy } from '../handlers.js'
import type { Publisher } from '../subscriber.js'
import type { Encoder } from './encoder.js'
import type { OutgoingShared } from './outgoingShared.js'

export interface SenderShared extends OutgoingShared {
  readonly encoder: Encoder
  readonly limits: ConnectionLimits
  readonly outputPolicy: OutputPolicy
  readonly topics: Pick<Publisher, 'pending' | 'catchUp'>
}
