// Bytes that leave as they are: what is long is sent from where it lies, anything else is copied to what is to be written.
import type { Outgoing } from '../connection/sending/outgoing.js'
import { LentFrame } from '../memory/lentFrame.js'
import { lengthOf, type Parts, type SharedList, sharedList, writeParts } from './sharedList.js'
import type { SocketContext } from './socketContext.js'

/** Bytes from which on a payload is sent from where it lies; to copy a shorter one costs less than a write of its own. */
export const LEAST_LENT = 32_768

/** Sends bytes from where they lie: they are this connection's until their callback. */
export function lend(outgoing: Outgoing, header: Uint8Array, payload: Uint8Array): void {
  const frame = new LentFrame(header, payload)
  outgoing.addShared(frame, 0, frame.length)
}

/** Takes bytes as they are: a large payload behind its header is lent, as a broadcast would copy it for each of its receivers. */
export function append(outgoing: Outgoing, context: SocketContext, parts: Parts): void {
  const [header, payload] = parts
  if (header === undefined) return
  if (parts.length === 2 && header instanceof Uint8Array && payload instanceof Uint8Array)
    if (payload.length >= LEAST_LENT) return lend(outgoing, header, payload)
  const { heap } = context
  const shared = sharedList(heap, parts)
  if (shared !== undefined) return share(outgoing, context, shared)
  const length = lengthOf(parts)
  const pointer = outgoing.reserve(length)
  writeParts(heap, pointer, parts)
  outgoing.commit(pointer, length)
}

/** Sends a list from where it lies for all, if nothing else waits here: what follows could not be built behind it. */
function share(outgoing: Outgoing, { codec, counts }: SocketContext, { block, length }: SharedList): void {
  if (outgoing.buffered === 0 && !outgoing.waits) {
    block.retain()
    outgoing.follow(block, block.pointer, length)
    counts.sent(codec.bytes, block.pointer, length, 0)
    return
  }
  const pointer = outgoing.reserve(length)
  codec.call.copy(pointer, block.pointer, length)
  outgoing.commit(pointer, length)
}
