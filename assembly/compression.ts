// What the second module offers its host: permessage-deflate (RFC 7692). It is a module of its own, because a server that
// does not compress should not pay for it, and it shares nothing with the codec but the memory.

import { buildFixedDecoders } from './blocks'
import { buildWriterTables } from './blockWriter'
import { writeEntries } from './huffman'
import { placeWorkspace } from './workspace'

export { INFLATE_CORRUPT, INFLATE_LIMIT, INFLATE_MORE, INFLATE_ROOM } from './bitInput'
export { DEFLATE_DONE, DEFLATE_LEAST_ROOM, DEFLATE_ROOM, deflate, deflateBound } from './deflate'
export { DEFLATER_BYTES, deflateForget, deflaterBytes, deflateStart, deflateTakeOver } from './deflater'
export { inflate, inflateEnd } from './inflate'
export {
  INFLATER_INDEX,
  INFLATER_RING_BITS,
  INFLATER_SIZE,
  inflateForget,
  inflateKeep,
  inflateRing,
  inflateRingBits,
  inflateStart,
  LEAST_WINDOW_BITS,
  MOST_WINDOW_BITS,
} from './inflater'
export { WORKSPACE_CONSUMED, WORKSPACE_SIZE, WORKSPACE_WRITTEN } from './workspace'

/** Takes a workspace and builds the tables in it. Comes before everything else. */
export function openWorkspace(at: usize): void {
  placeWorkspace(at)
  writeEntries()
  buildFixedDecoders()
  buildWriterTables()
}
