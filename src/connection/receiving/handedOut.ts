// Which messages are handed out in parts while they arrive, instead of being put together in a region.
import type { Growing } from '../../memory/assembly.js'
import type { IncomingContext } from './sink.js'

/** Whoever gathers parts has memory for the whole message as soon as the first of them is there, and this share of it has come. */
const LEAST_SHARE = 1 / 16

/** Whether the message is, whose first bytes have come, or the next ones that have no room. */
export function isHandedOut(
  { streamThreshold, gatherThreshold = Infinity }: IncomingContext,
  { announced, needed, filled, frameIsFinal = false }: Growing,
): boolean {
  if (streamThreshold !== undefined) return announced > streamThreshold
  return announced > gatherThreshold && filled === 0 && frameIsFinal && needed >= announced * LEAST_SHARE
}
