// An upgrade request that came pipelined, behind requests whose answers are under way: it waits for them, however long the
// application takes. What the peer sends meanwhile is kept, within bounds. A peer that has half-closed meanwhile gets those
// answers, as any other does, and then the end: it can't take part in a WebSocket any more.
import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { runOutside } from '../../internals/context.js'
import { type Deadlines, type Expiring, noDeadline } from '../../time/deadlines.js'

/** Bytes after the request that are kept; above, nothing more is read. */
const MOST_BYTES = 16 * 1024

export interface Bounds {
  readonly deadlines: Deadlines
  /** The longest time without reading from a peer that may have left, in milliseconds. */
  readonly pauseTimeout: number
}

/** Calls `next` with `head` and the bytes that came after it, when `answer` is done, unless the peer has half-closed. */
export function afterAnswer(
  answer: ServerResponse,
  socket: Duplex,
  head: Buffer,
  { deadlines, pauseTimeout }: Bounds,
  next: (head: Buffer) => void,
): void {
  const waiting: Expiring = { ...noDeadline, expired: () => socket.destroy() }
  let behind = head
  const stop = (): void => {
    socket.pause()
    deadlines.set(waiting, pauseTimeout)
  }
  const read = (chunk: Buffer): void => {
    behind = Buffer.concat([behind, chunk])
    if (behind.length >= MOST_BYTES) stop()
  }
  let ended = false
  const onEnd = (): void => {
    ended = true
  }
  answer.once('close', () => {
    deadlines.clear(waiting)
    socket.off('data', read).off('end', onEnd).pause()
    if (ended) socket.end(() => socket.destroy())
    else runOutside(() => next(behind))
  })
  socket
    .on('error', () => socket.destroy())
    .on('data', read)
    .on('end', onEnd)
  if (head.length >= MOST_BYTES) stop()
}
