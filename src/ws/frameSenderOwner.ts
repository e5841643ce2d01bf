// Whom a WebSocket's sender serves.
import type { Duplex } from 'node:stream'
import type { OutOfMemory } from '../codec/codec.js'

/** Whoever is told that nothing can be sent any more. */
export interface FrameSenderOwner {
  readonly socket?: Duplex
  /** There is no memory left for what is to be sent. */
  memorySpent(error: OutOfMemory): void
  /** A Blob can't be read. */
  blobFailed(error: Error): void
}
