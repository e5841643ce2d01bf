// What a peer needs of the WebSocket that it belongs to.
import type { Agreed } from '../connection/deflateAgreements.js'
import type { BinaryType } from './data.js'

/** The WebSocket that a peer belongs to, as far as its peer tells it something. */
export interface SocketOwner {
  emit(event: string, ...values: unknown[]): boolean
  readonly binaryType: BinaryType
}

/** The same, which is told that it has closed. */
export interface ClosingOwner extends SocketOwner {
  emitClose(): void
}

/** What its server has set for a WebSocket, and agreed on. */
export interface SocketSettings {
  /** How long the peer may take for the closing handshake, in milliseconds. */
  readonly closeTimeout: number | undefined
  /** Pongs of its own that may be under way; 0 is any number. Undefined: pings are not answered. */
  readonly mostPongs: number | undefined
  /** How messages are compressed, if that was agreed on. */
  readonly deflate: Agreed | undefined
}
