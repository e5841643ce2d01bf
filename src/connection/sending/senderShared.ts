// What all senders of a route share.
import type { ConnectionLimits, OutputPolicy } from '../handlers.js'
import type { Publisher } from '../subscriber.js'
import type { Encoder } from './encoder.js'
import type { OutgoingContext } from './outgoingShared.js'

export interface SenderContext extends OutgoingContext {
  readonly encoder: Encoder
  readonly limits: ConnectionLimits
  readonly outputPolicy: OutputPolicy
  readonly topics: Pick<Publisher, 'pending' | 'catchUp'>
}
