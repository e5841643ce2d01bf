// What inflating needs of a connection: what was agreed on, whose messages they are, and where they go.
import type { Windows } from '../../memory/windows.js'
import type { DeflateTally } from '../deflateTally.js'
import type { Pressure } from '../pressure.js'
import type { Deliverer, IncomingContext, Sink } from './sink.js'

/** How the peer compresses, as it was agreed on. */
export interface InflationParameters {
  /** Whether messages refer to those before them. */
  readonly takesOver: boolean
  readonly windowBits: number
  /** Where its window counts, and the bytes of it. */
  readonly windows: Windows
  readonly bytes: number
}

/** What both sides agreed on for what is received, and where its bytes are counted. */
export interface InflationParts {
  readonly inflation: InflationParameters
  readonly tally?: DeflateTally
}

/** What was agreed on in the opening handshake, as far as receiving needs it. */
export type Agreement = { readonly deflate?: InflationParts | undefined }

/** Whose messages are inflated, and where they go. */
export interface InflationTarget {
  /** Its limits may become others. */
  readonly shared: IncomingContext
  readonly sink: Sink
  readonly deliverer: Deliverer
  readonly pressure: Pressure
}
