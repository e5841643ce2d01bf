// What the second module offers its host: permessage-deflate (RFC 7692). It is a module of its own, because a server that
// does not compress should not pay for it, and it shares nothing with the codec but the memory.

import { buildFixedDecoders } from './blocks'
import { buildWriterTables } from './blockWriter'
import { writeEntries } from './huffman'
import { writeFixedLengths } from './symbols'
import { placeWorkspace, WRITTEN_LENGTHS, workspace } from './workspace'

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
export { TABLES_SIZE, WORKSPACE_CONSUMED, WORKSPACE_SIZE, WORKSPACE_WRITTEN } from './workspace'

/**
 * Takes a workspace of WORKSPACE_SIZE bytes, and TABLES_SIZE for each of so many places of tables, a power of two, and builds
 * the fixed tables in it. Comes before everything else.
 */
export function openWorkspace(at: usize, tables: u32): void {
  placeWorkspace(at, tables)
  writeEntries()
  writeFixedLengths(workspace + WRITTEN_LENGTHS)
  buildFixedDecoders()
  buildWriterTables()
}
